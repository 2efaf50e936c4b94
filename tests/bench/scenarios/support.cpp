#include <algorithm>
#include <fstream>
#include <stdexcept>

#include "scenarios/scenario.h"
#include "service/ids.h"

namespace bench {

std::filesystem::path Bench::folder(const std::string& name) const {
  const std::filesystem::path folder = dir / name;
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  return folder;
}

std::filesystem::path ca_of(const std::filesystem::path& folder) {
  return folder / "ca.pem";
}

double mb(long kb) {
  return static_cast<double>(kb) / 1024;
}

void require(bool good, const std::string& what) {
  if (!good) throw std::runtime_error(what);
}

void wait_until(Child& child, const std::string& what, std::chrono::seconds longest,
                const std::function<bool()>& done) {
  const auto until = std::chrono::steady_clock::now() + longest;
  while (!done()) {
    require(std::chrono::steady_clock::now() < until, what + ": not after " + std::to_string(longest.count()) + " s");
    child.pass(std::chrono::milliseconds(20));
  }
}

std::filesystem::path write_configuration(const std::filesystem::path& folder, const LoadServer& server,
                                          const CenterSettings& settings) {
  const std::filesystem::path file = folder / "contact-center.json";
  const std::string tls =
      R"("graph_endpoint":")" + server.origin() + R"(","ca_file":")" + ca_of(folder).string() + "\"";
  std::ofstream out(file);
  out << R"({"system_services":{"email_settings":{"incoming_mail_servers":[{"name":"Load","type":"m365",)"
      << R"("address":")" << server.origin() << R"(/contoso.example","authentication_type":"OAuth Service",)"
      << R"("client_id":"e7e4dbfc-046f-4074-9b3b-2ae8f144f59b","secret":"of-the-load-server","poll_seconds":)"
      << settings.poll_seconds << R"(,"workers":)" << settings.workers << "," << tls
      << R"(}],"external_outgoing_mail_server":{"enable":true,"type":"m365","server":"contoso.example","port":"",)"
      << R"("authentication_type":"OAuth Service","server_user":"e7e4dbfc-046f-4074-9b3b-2ae8f144f59b",)"
      << R"("password":"of-the-load-server","login_address":")" << server.origin() << "\"," << tls
      << R"(}}},"queue_management":{"queues":[{"name":"Bench","basics":{"language":"en"},"numbers_addresses":[)";
  for (std::uint32_t i = 0; i < settings.mailboxes; ++i) {
    out << (i == 0 ? "" : ",") << R"({"address":")" << mailbox_address(i)
        << R"(","email_server":"Load","sender":true,"first_fetch_limit":0,"max_email_size_kb":)"
        << settings.max_email_size_kb << R"(,"after_fetch":")" << settings.after_fetch << "\"}";
  }
  out << "]}]}}\n";
  out.close();
  std::filesystem::permissions(file, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  require(out.good(), file.string() + " cannot be written");
  return file;
}

std::vector<std::string> host_sim_run(const Bench& bench, const std::filesystem::path& folder, const LoadServer& server,
                                      const CenterSettings& settings, std::vector<std::string> more) {
  std::vector<std::string> command{bench.host_sim, "run",
                                   "--plugins",    bench.plugins,
                                   "--config",     write_configuration(folder, server, settings).string(),
                                   "--data",       (folder / "data").string(),
                                   "--log-level",  "warning"};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

std::vector<std::string> counting_host(const Bench& bench, const std::filesystem::path& folder,
                                       const LoadServer& server, const CenterSettings& settings,
                                       std::vector<std::string> more) {
  std::filesystem::create_directories(folder / "state");
  std::vector<std::string> command{bench.self,      "counting-host",
                                   "--plugin",      bench.plugin,
                                   "--state",       (folder / "state").string(),
                                   "--origin",      server.origin(),
                                   "--ca",          ca_of(folder).string(),
                                   "--mailboxes",   std::to_string(settings.mailboxes),
                                   "--after-fetch", settings.after_fetch,
                                   "--poll",        std::to_string(settings.poll_seconds),
                                   "--workers",     std::to_string(settings.workers)};
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

std::uint64_t mails_received(const std::filesystem::path& output) {
  std::ifstream in(output);
  std::uint64_t count = 0;
  for (std::string line; std::getline(in, line);) count += line.starts_with("received ") ? 1 : 0;
  return count;
}

double counted(const std::filesystem::path& output, const std::string& name) {
  const std::string text = read_whole(output);
  const std::size_t at = text.find("\"" + name + "\":");
  require(at != std::string::npos, "the counting host did not tell " + name);
  return std::strtod(text.c_str() + at + name.size() + 3, nullptr);
}

}  // namespace bench
