// A clock that moves only when a test says so.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <list>
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

  /// Returns when `until` is due, `wake` is notified or stop is requested; and early now and then, for the caller to
  /// look again: advance() notifies, but cannot hold the mutex that guards `wake`, so its notification may fall between
  /// the caller's look and the wait.
  void wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake, mail::SteadyTime until,
                  std::stop_token stop) override {
    const auto waiter = enter(wake);
    if (now() < until && !stop.stop_requested()) wake.wait_for(lock, std::chrono::milliseconds(10));
    leave(waiter);
  }

  void advance(std::chrono::milliseconds time) {
    const std::lock_guard lock(mutex_);
    passed_ += time;
    changed_.notify_all();
    for (std::condition_variable_any* waiter : waiters_) waiter->notify_all();
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
  void await_waiters(std::size_t count) const {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return waiters_.size() >= count; });
  }

  static constexpr mail::WallTime start{std::chrono::milliseconds(1'767'225'600'000)};

 private:
  using Waiters = std::list<std::condition_variable_any*>;

  Waiters::iterator enter(std::condition_variable_any& wake) {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    return waiters_.insert(waiters_.end(), &wake);
  }
  void leave(Waiters::iterator waiter) {
    const std::lock_guard lock(mutex_);
    waiters_.erase(waiter);
  }

  // Everything below is guarded by mutex_.
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::chrono::milliseconds passed_{0};
  std::chrono::milliseconds stepped_{0};
  std::vector<std::chrono::milliseconds> pauses_;
  Waiters waiters_;
};

}  // namespace support
