// host-sim check: a configuration proved against the real servers, without touching a mail.
#include <algorithm>
#include <functional>
#include <iostream>
#include <set>

#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"
#include "commands/command.h"
#include "commands/workplace.h"
#include "runtime/health.h"
#include "runtime/plugin_server.h"

namespace commands {
namespace {

using base::Json;
using configurator::Settings;
using runtime::Finding;

constexpr const char* kOutgoingName = "external outgoing mail server";

const char* name_of_result(uint32_t result) {
  switch (result) {
    case MAILPLUGIN_FINDING_PASSED:
      return "ok";
    case MAILPLUGIN_FINDING_WARNING:
      return "warning";
    case MAILPLUGIN_FINDING_UNKNOWN:
      return "unknown";
    default:
      return "failed";
  }
}

std::string label_of(const configurator::Address& address) {
  return address.queue + " <" + address.address + ">";
}

std::vector<std::string> labels_of(const configurator::Configuration& configuration) {
  std::vector<std::string> labels;
  for (const auto& server : configuration.incoming) labels.push_back(server.name);
  if (configuration.outgoing && configuration.outgoing->enabled) labels.emplace_back(kOutgoingName);
  for (const auto& queue : configuration.queues) {
    for (const auto& address : queue.addresses) labels.push_back(label_of(address));
  }
  return labels;
}

// Shows findings as they come, and keeps count.
class Report {
 public:
  // `labels`: whom the lines may speak of, for one width of that column.
  Report(bool json, const std::vector<std::string>& labels) : json_(json) {
    for (const std::string& label : labels) width_ = std::max(width_, base::columns(label));
  }

  void add(const std::string& server, const configurator::Address* address, const Finding& finding) {
    if (finding.result == MAILPLUGIN_FINDING_PASSED) ++passed_;
    if (finding.result != MAILPLUGIN_FINDING_PASSED && finding.result != MAILPLUGIN_FINDING_WARNING &&
        finding.result != MAILPLUGIN_FINDING_UNKNOWN) {
      ++failed_;
    }
    if (json_) {
      show_json(server, address, finding);
    } else {
      show_line(server, address, finding);
    }
  }
  bool any_failed() const { return failed_ > 0; }
  bool any_passed() const { return passed_ > 0; }

 private:
  static void show_json(const std::string& server, const configurator::Address* address, const Finding& finding) {
    const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
    const Json line = Json::object({{"server", server},
                                    {"queue", address == nullptr ? Json() : Json(address->queue)},
                                    {"address", address == nullptr ? Json() : Json(address->address)},
                                    {"check", finding.step},
                                    {"result", name_of_result(finding.result)},
                                    {"cause", runtime::name_of_cause(finding.cause)},
                                    {"text", finding.message},
                                    {"code", or_null(finding.code)},
                                    {"request_id", or_null(finding.request_id)}});
    std::cout << line.dump() << std::endl;
  }

  void show_line(const std::string& server, const configurator::Address* address, const Finding& finding) const {
    const auto padded = [](std::string text, std::size_t width) {
      const std::size_t columns = base::columns(text);
      return columns < width ? text + std::string(width - columns, ' ') : text;
    };
    const std::string who = address == nullptr ? server : label_of(*address);
    std::string sentence = finding.message;
    if (!finding.code.empty()) sentence += " (" + finding.code + ")";
    if (!finding.request_id.empty()) sentence += " request-id " + finding.request_id;
    std::cout << padded(name_of_result(finding.result), 9) << padded(who, width_) << "  " << padded(finding.step, 12)
              << "  " << base::for_one_line(sentence, 2000) << std::endl;
  }

  const bool json_;
  std::size_t width_ = 0;
  std::size_t passed_ = 0, failed_ = 0;
};

// Runs one check; a plugin that offers none, or fails at it, is a finding too.
void look(runtime::PluginServer& server, const std::string& name, const configurator::Address* address,
          const Settings* settings, Report& report) {
  try {
    const bool offered = server.look(settings, [&](const Finding& finding) { report.add(name, address, finding); });
    if (!offered && address == nullptr) {
      report.add(name, nullptr,
                 {MAILPLUGIN_FINDING_UNKNOWN, MAILPLUGIN_CAUSE_NONE, "check",
                  "the plugin offers no check; host-sim run shows how it fares", "", ""});
    }
  } catch (const configurator::ConfigurationError&) {
    throw;
  } catch (const std::exception& error) {
    report.add(name, address, {MAILPLUGIN_FINDING_FAILED, MAILPLUGIN_CAUSE_NONE, "check", error.what(), "", ""});
  }
}

std::unique_ptr<runtime::PluginServer> make_server(const mailplugin_server_type& type, const Settings& settings,
                                                   const configurator::Configuration& configuration, base::Log& log) {
  runtime::ServerListener listener;
  listener.on_health = [](std::uint64_t, const runtime::Health&) {};
  listener.settings_of = [&settings](std::uint64_t id) { return id == 0 ? &settings : nullptr; };
  return std::make_unique<runtime::PluginServer>(type, settings, configuration.file.string(), listener, log);
}

int run(const base::Options& options, base::Log& log) {
  const base::ScratchFolder scratch("host-sim");
  const auto plugins = load_plugins(options, scratch.path(), log);
  const auto configuration = load_configuration(*options.value("--config"), *plugins, log);
  std::vector<std::string> problems;
  const auto collect = [&problems](const std::function<void()>& step) {
    try {
      step();
    } catch (const configurator::ConfigurationError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  };
  Report report(options.has("--json"), labels_of(configuration));
  for (std::size_t i = 0; i < configuration.incoming.size(); ++i) {
    const configurator::IncomingServer& server = configuration.incoming[i];
    collect([&] {
      const auto made = make_server(*server.server_type, server.settings, configuration, log);
      look(*made, server.name, nullptr, nullptr, report);
      for (const configurator::Queue& queue : configuration.queues) {
        for (const configurator::Address& address : queue.addresses) {
          if (address.server == i) collect([&] { look(*made, server.name, &address, &address.settings, report); });
        }
      }
    });
  }
  if (configuration.outgoing && configuration.outgoing->enabled) {
    collect([&] {
      const auto made =
          make_server(*configuration.outgoing->server_type, configuration.outgoing->settings, configuration, log);
      look(*made, kOutgoingName, nullptr, nullptr, report);
      for (const configurator::Queue& queue : configuration.queues) {
        for (const configurator::Address& address : queue.addresses) {
          if (!address.sender) continue;
          Settings sender(address.settings.path());
          sender.set("address", address.address);
          sender.set("email_account", address.mailbox);  // a display name was resolved
          collect([&] { look(*made, kOutgoingName, &address, &sender, report); });
        }
      }
    });
  }
  if (!problems.empty()) throw configurator::ConfigurationError(std::move(problems));
  if (!report.any_failed()) return kAllWell;
  return report.any_passed() ? kSomethingFailed : kNothingReached;
}

}  // namespace

Command check_command() {
  Command command;
  command.spec = {"check",
                  "--config FILE [--json]",
                  "proves a configuration against the real servers without touching a mail",
                  "One line a check: ok, warning, failed, or unknown where only doing it could tell.",
                  {{"--config", "FILE", "the configuration", true}, {"--json", "", "one JSON object a line"}}};
  command.run = &run;
  return command;
}

}  // namespace commands
