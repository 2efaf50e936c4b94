// What is measured. Each scenario makes a load server, drives host-sim or the counting host against it, and gives one
// section of the report.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "children/child.h"
#include "report/report.h"
#include "service/load_server.h"

namespace bench {

enum class Size { tiny, quick, full };

/// Where things are, and how much is to be done.
struct Bench {
  std::string self, host_sim, plugins, plugin;  ///< programs, the plugin directory, the shared object in it
  std::filesystem::path dir;                    ///< of this run; removed at its end
  Size size = Size::full;

  template <typename T>
  T choose(T full, T quick, T tiny) const {
    return size == Size::full ? full : size == Size::quick ? quick : tiny;
  }
  /// A fresh folder in `dir`.
  std::filesystem::path folder(const std::string& name) const;
};

constexpr std::chrono::seconds longest_run{3600};

struct Scenario {
  std::string name, what;
  std::function<Section(const Bench&)> run;
};

Scenario backlog_scenario();
Scenario two_thousand_scenario();
Scenario latency_scenario();
Scenario attachments_scenario();
Scenario idle_scenario();
Scenario arrival_scenario();
Scenario replies_scenario();
Scenario start_scenario();

/// What host-sim reads: one queue with all mailboxes of the load server.
struct CenterSettings {
  std::uint32_t mailboxes = 1;
  std::string after_fetch = "mark_read";
  unsigned poll_seconds = 10, workers = 8, max_email_size_kb = 1'000'000;
};
/// Written into `folder`; returns the file.
std::filesystem::path write_configuration(const std::filesystem::path& folder, const LoadServer& server,
                                          const CenterSettings& settings);

/// `host-sim run` with this configuration; its data goes into folder/data.
std::vector<std::string> host_sim_run(const Bench& bench, const std::filesystem::path& folder, const LoadServer& server,
                                      const CenterSettings& settings, std::vector<std::string> more);
/// The counting host for the same.
std::vector<std::string> counting_host(const Bench& bench, const std::filesystem::path& folder,
                                       const LoadServer& server, const CenterSettings& settings,
                                       std::vector<std::string> more);

/// The number of lines host-sim printed of mails it received.
std::uint64_t mails_received(const std::filesystem::path& output);
/// A number in the counting host's JSON.
double counted(const std::filesystem::path& output, const std::string& name);

/// Waits until `done`, looking every 20 ms; throws std::runtime_error when `child` ends before, or after `longest`.
void wait_until(Child& child, const std::string& what, std::chrono::seconds longest, const std::function<bool()>& done);

/// Throws std::runtime_error: a figure of something that went wrong is none.
void require(bool good, const std::string& what);

std::filesystem::path ca_of(const std::filesystem::path& folder);
double mb(long kb);

}  // namespace bench
