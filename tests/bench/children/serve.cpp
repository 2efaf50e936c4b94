#include "children/serve.h"

#include <csignal>
#include <filesystem>
#include <iostream>
#include <map>
#include <stdexcept>

#include "scenarios/scenario.h"

namespace bench {

int run_server(const std::vector<std::string>& arguments) {
  std::map<std::string, std::string> options{{"--mailboxes", "1"},  {"--mails", "2000"},
                                             {"--headers", "0"},    {"--attachment", "0"},
                                             {"--round-trip", "0"}, {"--after-fetch", "mark_read"},
                                             {"--dir", ""}};
  for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) options.at(arguments[i]) = arguments[i + 1];
  const std::filesystem::path dir = std::filesystem::absolute(options["--dir"]);
  std::filesystem::create_directories(dir);
  WorldShape shape;
  shape.mailboxes = static_cast<std::uint32_t>(std::stoul(options["--mailboxes"]));
  shape.mails = static_cast<std::uint32_t>(std::stoul(options["--mails"]));
  shape.mail.headers = std::stoul(options["--headers"]);
  shape.mail.attachment = std::stoull(options["--attachment"]);
  const std::chrono::milliseconds round_trip(std::stol(options["--round-trip"]));

  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  const LoadServer server(shape, {round_trip, round_trip / 10}, ca_of(dir));
  CenterSettings settings;
  settings.mailboxes = shape.mailboxes;
  settings.after_fetch = options["--after-fetch"];
  const auto configuration = write_configuration(dir, server, settings);
  std::cout << "load server     " << server.origin() << "\nconfiguration   " << configuration.string()
            << "\nhost-sim        host-sim run --config " << configuration.string() << " --data DIR --until-idle"
            << "\nplugin alone    bench counting-host --plugin SO --state DIR --origin " << server.origin() << " --ca "
            << ca_of(dir).string() << " --mailboxes " << shape.mailboxes << " --after-fetch " << settings.after_fetch
            << " --expect " << std::uint64_t{shape.mailboxes} * shape.mails << std::endl;
  int signal = 0;
  ::sigwait(&ends, &signal);
  return 0;
}

}  // namespace bench
