#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "mail/fault.h"

namespace mail {

/// Values are those of MAILPLUGIN_STOPPED and following; boundary/ asserts it.
enum class State : std::uint32_t { stopped = 1, starting, ready, degraded, failed };

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

/// The state of a server (mailbox id 0) or of one mailbox, as told to the host at every change of state or cause.
struct Health {
  State state = State::stopped;
  Cause cause = Cause::none;
  std::string text;                          ///< as Fault::text; empty when all is well
  std::string code;                          ///< as Fault::code
  std::string request_id;                    ///< as Fault::request_id
  std::chrono::milliseconds retry_after{0};  ///< until the next try by itself; 0 = none planned
  WallTime since{};                          ///< when this state and cause began
  WallTime last_success{};                   ///< the last answer of the service that was a success; epoch = never
};

}  // namespace mail
