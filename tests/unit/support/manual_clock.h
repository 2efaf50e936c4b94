// A clock that moves only when a test says so.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <vector>

#include "mail/clock.h"

namespace support {

/// Any thread. Starts at 2026-01-01T00:00:00Z.
class ManualClock final : public mail::Clock {
 public:
  mail::SteadyTime now() const override {
    const std::lock_guard lock(mutex_);
    return mail::SteadyTime{} + std::chrono::hours(1) + passed_;
  }

  mail::WallTime wall() const override {
    const std::lock_guard lock(mutex_);
    return start + passed_ + stepped_;
  }

  /// Time passes at once; recorded for paused().
  bool pause(std::chrono::milliseconds time, std::stop_token stop) override {
    if (stop.stop_requested()) return false;
    const std::lock_guard lock(mutex_);
    passed_ += std::max(time, std::chrono::milliseconds::zero());
    pauses_.push_back(time);
    changed_.notify_all();
    return true;
  }

  /// Returns when `until` is due, `wake` is notified or stop is requested; and early each real millisecond, for the
  /// caller to look again: advance() cannot know whose mutex guards `wake`, so a notification of its own could fall
  /// between the caller's look and the wait.
  void wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake, mail::SteadyTime until,
                  std::stop_token stop) override {
    count_waiter(1);
    if (now() < until && !stop.stop_requested()) wake.wait_for(lock, std::chrono::milliseconds(1));
    count_waiter(-1);
  }

  void advance(std::chrono::milliseconds time) {
    const std::lock_guard lock(mutex_);
    passed_ += time;
    changed_.notify_all();
  }

  /// Somebody sets the machine's date: wall() jumps, now() does not.
  void step_wall(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    stepped_ += by;
  }

  /// Every pause() so far, in order.
  std::vector<std::chrono::milliseconds> paused() const {
    const std::lock_guard lock(mutex_);
    return pauses_;
  }

  /// Blocks until `count` threads stand in wait_until(); what a test needs instead of a sleep.
  void await_waiters(int count) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return waiters_ >= count; });
  }

  static constexpr mail::WallTime start{std::chrono::milliseconds(1'767'225'600'000)};

 private:
  void count_waiter(int by) {
    const std::lock_guard lock(mutex_);
    waiters_ += by;
    changed_.notify_all();
  }

  // Everything below is guarded by mutex_.
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::chrono::milliseconds passed_{0};
  std::chrono::milliseconds stepped_{0};
  std::vector<std::chrono::milliseconds> pauses_;
  int waiters_ = 0;
};

}  // namespace support
