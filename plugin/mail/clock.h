// Time is a seam: nothing in the plugin reads a clock or sleeps except through this.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

#include "mail/health.h"

namespace mail {

using SteadyTime = std::chrono::steady_clock::time_point;

/// All functions may be called from every thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime now() const = 0;  ///< for durations and deadlines
  virtual WallTime wall() const = 0;   ///< for what people and the service read
  /// Sleeps; false when `stop` was requested first.
  virtual bool pause(std::chrono::milliseconds time, std::stop_token stop) = 0;
  /// Waits on `wake` until notified, until `until`, or until stop. May return early.
  virtual void wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake, SteadyTime until,
                          std::stop_token stop) = 0;
};

/// The machine's own clocks; lives as long as the process.
Clock& system_clock();

}  // namespace mail
