#include "host/support.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

extern char** environ;

namespace host_test {
namespace fs = std::filesystem;
using base::Json;

mode_t mode_of(const std::filesystem::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) throw base::FileError("look at", path, errno);
  return info.st_mode & 07777;
}

void write_file(const fs::path& path, const std::string& text) {
  fs::remove(path);
  const base::Fd fd = base::create_private(path);
  base::write_all(fd.get(), text, path);
}

void write_manifest(const fs::path& folder, const std::string& name, const Json& manifest) {
  write_file(folder / (name + ".mailplugin.json"), manifest.dump_pretty());
}

Json install(const std::string& name, const fs::path& folder) {
  fs::create_directories(folder);
  const std::string file = name + ".so";
  fs::copy_file(fs::path(FAKE_PLUGINS) / file, folder / file, fs::copy_options::overwrite_existing);
  // Every fake speaks for itself in the same words but for its id; the broken ones cannot be asked.
  const base::Digest digest = base::digest_file(folder / file);
  const std::string id = name == "fake_other" ? "other" : "fake";
  const auto type = [&](const std::string& kind, const std::string& interface) {
    return Json::object(
        {{"id", id + "." + kind}, {"label", "Fake (" + kind + ")"}, {"interfaces", Json::array({Json(interface)})}});
  };
  const Json manifest = Json::object(
      {{"format", 1},
       {"id", id},
       {"name", "Fake mail"},
       {"vendor", "Nobody"},
       {"version", "0.1.0"},
       {"abi", Json::object({{"major", 1}, {"minor", 0}})},
       {"platform", loader::host_platform()},
       {"library",
        Json::object({{"path", file}, {"size", static_cast<std::int64_t>(digest.size)}, {"sha256", digest.sha256}})},
       {"server_types", Json::array({type("incoming", MAILPLUGIN_INCOMING), type("outgoing", MAILPLUGIN_OUTGOING)})}});
  write_manifest(folder, name, manifest);
  return manifest;
}

std::vector<Json> Outcome::events() const {
  std::vector<Json> all;
  for (std::size_t from = 0; from < out.size();) {
    const std::size_t to = std::min(out.find('\n', from), out.size());
    all.push_back(Json::parse(std::string_view(out).substr(from, to - from)));
    from = to + 1;
  }
  return all;
}

std::vector<Json> Outcome::events(const std::string& kind) const {
  std::vector<Json> some;
  for (Json& event : events()) {
    if (event.text("event") == kind) some.push_back(std::move(event));
  }
  return some;
}

Outcome host_sim(const std::vector<std::string>& arguments, const std::map<std::string, std::string>& environment) {
  const base::ScratchFolder scratch("host-sim-test");
  const std::string out = scratch.path() / "out";
  const std::string err = scratch.path() / "err";
  std::vector<std::string> words{HOST_SIM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables;
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string text = *one;
    if (environment.count(text.substr(0, text.find('='))) == 0) variables.push_back(text);
  }
  for (const auto& [name, value] : environment) variables.push_back(name + "=" + value);
  std::vector<char*> envp;
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, HOST_SIM, &actions, nullptr, argv.data(), envp.data());
  posix_spawn_file_actions_destroy(&actions);
  CPPUNIT_ASSERT_EQUAL(0, failed);
  int status = 0;
  CPPUNIT_ASSERT_EQUAL(child, ::waitpid(child, &status, 0));
  Outcome outcome;
  outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  outcome.out = base::read_file(out);
  outcome.err = base::read_file(err);
  return outcome;
}

base::Log& quiet() {
  static base::Log log(base::Log::Options{static_cast<base::Level>(100), false, 2});
  return log;
}

void assert_contains(const std::string& text, const std::string& part) {
  CPPUNIT_ASSERT_MESSAGE("\"" + part + "\" is not in: " + text, text.find(part) != std::string::npos);
}

}  // namespace host_test
