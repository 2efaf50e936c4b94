// The main job in small: 60 mails with attachments over 3 mailboxes fetched and marked, 10 of them answered.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "service.h"
#include "ways.h"

namespace faults {

struct Result {
  bool broken = false;                   ///< the fault happened: there are that many exchanges
  std::size_t exchanges = 0;             ///< of the whole round
  std::chrono::milliseconds jumped{0};   ///< simulated time
  std::vector<std::string> differences;  ///< empty: all promises were kept
  std::vector<std::string> log;          ///< its last lines, when they were not
};

/// One round against `service`, in mailboxes of its own. `dir`: for the plugin's state; emptied.
Result run_round(Service& service, const Break& what, std::uint64_t seed, const std::filesystem::path& dir,
                 bool verbose);

}  // namespace faults
