// host-sim m365: the embedded Microsoft 365 by itself.
#include <charconv>
#include <filesystem>
#include <iostream>
#include <system_error>

#include "commands/command.h"
#include "m365/microsoft365.h"
#include "runtime/wakeup.h"

namespace commands {
namespace {

// ADDR:PORT, [ADDR]:PORT or PORT.
void read_listen(const std::string& text, embedded::Options& options) {
  const std::size_t colon = text.rfind(':');
  std::string address = colon == std::string::npos ? "" : text.substr(0, colon);
  const std::string port = colon == std::string::npos ? text : text.substr(colon + 1);
  if (address.size() >= 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  if (!address.empty()) options.address = address;
  const auto result = std::from_chars(port.data(), port.data() + port.size(), options.port);
  if (result.ec != std::errc() || result.ptr != port.data() + port.size()) {
    throw base::UsageError("--listen: ADDR:PORT is expected, for example 127.0.0.1:8443, not \"" + text + "\"");
  }
}

int run(const base::Options& options, base::Log&) {
  embedded::Options how;
  how.dir = *options.value("--dir");
  if (const auto listen = options.value("--listen")) read_listen(*listen, how);
  if (const auto tenant = options.value("--tenant")) how.tenant_file = *tenant;
  runtime::Wakeup wakeup;
  wakeup.catch_signals();
  std::error_code refused;
  std::filesystem::create_directories(how.dir, refused);
  if (refused) {
    throw base::UsageError("--dir: " + how.dir.string() + " cannot be made: " + refused.message() +
                           "; name a folder this user may write to");
  }
  embedded::Microsoft365 service(how);
  std::cout << "Microsoft 365    " << service.origin() << "\n"
            << "control door     " << service.control_origin() << "\n"
            << "certificate      " << service.ca_file().string() << "\n"
            << "configuration    " << service.configuration_file().string() << std::endl;
  while (!wakeup.stop_requested()) wakeup.wait(60'000);
  service.stop();
  return kAllWell;
}

}  // namespace

Command m365_command() {
  Command command;
  command.spec = {
      "m365",
      "--dir DIR [--listen ADDR:PORT] [--tenant FILE]",
      "the embedded Microsoft 365 by itself, until SIGTERM or SIGINT",
      "Writes DIR/ca.pem and, last and whole, DIR/contact-center.json: a configuration that works as it stands.",
      {{"--dir", "DIR", "where certificates, secrets and the configuration are written", true},
       {"--listen", "ADDR:PORT", "default: 127.0.0.1 and a free port"},
       {"--tenant", "FILE", "users, mailboxes, apps and mails as JSON; default: a small tenant of its own"}}};
  command.log_level = base::Level::kInfo;
  command.run = &run;
  return command;
}

}  // namespace commands
