// memory-host PLUGIN.so SETTINGS: a host that itself leaves no secret in memory, so that what is found afterwards is
// the plugin's. It fetches one mail, sends one, stops, destroys, shuts down; after each of "served", "stopped" and
// "gone" on standard output it waits for a line, while memory.py looks into its memory.
//
// SETTINGS: sections [server type id] and [server type id mailbox] of KEY=VALUE lines, 64 KiB at most.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "mailplugin/mailplugin.h"

namespace {

[[noreturn]] void die(const char* why) {
  std::fprintf(stderr, "memory-host: %s\n", why);
  std::exit(1);
}

void require(bool kept, const char* what) {
  if (!kept) die(what);
}

// The settings file in pages of its own, which are overwritten and given back at the end.
class Page {
 public:
  explicit Page(const char* path) {
    require(memory_ != MAP_FAILED, "no memory");
    const int file = ::open(path, O_RDONLY | O_CLOEXEC);
    const ssize_t got = file < 0 ? -1 : ::read(file, memory_, size - 1);
    require(got > 0, "the settings cannot be read");
    ::close(file);
    text_ = {static_cast<char*>(memory_), static_cast<std::size_t>(got)};
  }
  ~Page() {
    explicit_bzero(memory_, size);
    ::munmap(memory_, size);
  }
  Page(const Page&) = delete;
  Page& operator=(const Page&) = delete;

  // The lines of one section, with the "=" of each replaced by a NUL; empty when there is no such section.
  std::vector<mailplugin_setting> section(const std::string& name) {
    std::vector<mailplugin_setting> items;
    bool inside = false;
    for (std::size_t from = 0; from < text_.size();) {
      const std::size_t to = std::min(text_.find('\n', from), text_.size());
      const std::string_view line = text_.substr(from, to - from);
      if (line.starts_with('[')) inside = line == "[" + name + "]";
      const std::size_t equals = line.find_first_of(std::string_view("=\0", 2));
      if (inside && equals != std::string_view::npos && !line.starts_with('[')) {
        const_cast<char&>(line[equals]) = '\0';
        items.push_back({line.data(), {line.data() + equals + 1, line.size() - equals - 1}});
      }
      from = to + 1;
    }
    return items;
  }

 private:
  static constexpr std::size_t size = 64 * 1024;
  void* memory_ = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  std::string_view text_;
};

std::atomic<int> received{0}, sent{0};

void log(const mailplugin_host*, uint32_t level, const char* source, const char* line) {
  if (level >= MAILPLUGIN_LOG_WARNING) std::fprintf(stderr, "%s: %s\n", source, line);
}
const void* no_extension(const mailplugin_host*, const char*) {
  return nullptr;
}
mailplugin_verdict on_message(const mailplugin_mailbox_events*, uint64_t, const mailplugin_message*, uint32_t*) {
  ++received;
  return MAILPLUGIN_ACCEPTED;
}
void on_health(const mailplugin_server_events*, uint64_t, const mailplugin_health*) {}
void on_sent(const mailplugin_submission*, const mailplugin_outcome* outcome) {
  sent += outcome->verdict == MAILPLUGIN_ACCEPTED ? 1 : 1000;
}
void add_problem(const mailplugin_problems*, const char* key, const char* message) {
  std::fprintf(stderr, "%s: %s\n", key == nullptr ? "" : key, message);
}

const mailplugin_server_events server_events{sizeof server_events, 0, nullptr, &on_health, nullptr};
const mailplugin_mailbox_events mailbox_events{sizeof mailbox_events, 0, nullptr, &on_message, nullptr};
const mailplugin_problems problems{sizeof problems, 0, nullptr, &add_problem};

mailplugin_text text(const char* value) {
  return {value, std::strlen(value)};
}

const mailplugin_server* create(const mailplugin_server_type* type, Page& page) {
  const auto items = page.section(type->id);
  if (items.empty()) return nullptr;
  const mailplugin_settings settings{sizeof settings, static_cast<uint32_t>(items.size()), items.data()};
  const mailplugin_server* server = nullptr;
  require(type->create(type, &settings, &server_events, &problems, &server) == MAILPLUGIN_OK, "create");
  if (const auto* incoming =
          static_cast<const mailplugin_incoming*>(server->get_interface(server, MAILPLUGIN_INCOMING))) {
    const auto mailbox_items = page.section(std::string(type->id) + " mailbox");
    const mailplugin_settings mailbox{sizeof mailbox, static_cast<uint32_t>(mailbox_items.size()),
                                      mailbox_items.data()};
    uint64_t id = 0;
    require(incoming->open_mailbox(server, &mailbox, &mailbox_events, &problems, &id) == MAILPLUGIN_OK, "open_mailbox");
  }
  return server;
}

void wait_for(const std::atomic<int>& count, int wanted, const char* what) {
  for (int i = 0; i < 6'000 && count < wanted; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  require(count == wanted, what);
}

void say_and_wait(const char* what) {
  std::printf("%s\n", what);
  std::fflush(stdout);
  if (std::getchar() == EOF) die("nobody looks");
}

}  // namespace

int main(int argc, char** argv) {
  require(argc == 4, "usage: memory-host PLUGIN.so SETTINGS STATE-FOLDER");
  void* const library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  require(library != nullptr, "the plugin cannot be loaded");
  void* const symbol = dlsym(library, MAILPLUGIN_ENTRY_SYMBOL);
  mailplugin_entry_fn entry = nullptr;
  std::memcpy(&entry, &symbol, sizeof symbol);  // POSIX promises it; ISO C++ has no cast for it
  const mailplugin_host host{sizeof host, MAILPLUGIN_ABI_MINOR, nullptr, "memory", "1.0", argv[3], &log, &no_extension};
  const mailplugin_module* module = nullptr;
  require(entry != nullptr && entry(&host, &module) == MAILPLUGIN_OK, "entry");

  std::vector<const mailplugin_server*> servers;
  const mailplugin_outgoing* outgoing = nullptr;
  const mailplugin_server* sender = nullptr;
  bool fetches = false;
  {
    Page page(argv[2]);
    for (uint32_t i = 0; i < module->server_type_count; ++i) {
      const mailplugin_server* server = create(module->server_types[i], page);
      if (server == nullptr) continue;
      servers.push_back(server);
      require(server->start(server) == MAILPLUGIN_OK, "start");
      fetches = fetches || server->get_interface(server, MAILPLUGIN_INCOMING) != nullptr;
      if (const void* found = server->get_interface(server, MAILPLUGIN_OUTGOING)) {
        outgoing = static_cast<const mailplugin_outgoing*>(found);
        sender = server;
      }
    }
  }
  require(!servers.empty(), "the settings are for none of the server types");

  const mailplugin_address to{{}, text("customer@fabrikam.example")};
  mailplugin_message mail{};
  mail.struct_size = sizeof mail;
  mail.stable_id = text("memory-1");
  mail.subject = text("Re: order 17");
  mail.from.address = text("support@contoso.example");
  mail.to = &to;
  mail.to_count = 1;
  const mailplugin_submission submission{sizeof submission, 0, nullptr, &on_sent};
  if (outgoing != nullptr) {
    require(outgoing->submit(sender, &mail, &submission) == MAILPLUGIN_OK, "submit");
    wait_for(sent, 1, "the mail was not sent");
  }
  if (fetches) wait_for(received, 1, "no mail was fetched");
  say_and_wait("served");
  for (const mailplugin_server* server : servers) require(server->stop(server, 30'000) == MAILPLUGIN_OK, "stop");
  say_and_wait("stopped");
  for (const mailplugin_server* server : servers) server->destroy(server);
  module->shutdown();
  say_and_wait("gone");
  return 0;
}
