// Time that runs as it does, and jumps where everybody waits.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

#include "mail/clock.h"

namespace faults {

/// The machine's clocks plus what was jumped over: a limit of the network is as long as ever, a back-off of 15 minutes
/// takes a moment. Any thread.
class FastClock final : public mail::Clock {
 public:
  /// Told of every jump, before anybody wakes: the service's clock goes in step.
  explicit FastClock(std::function<void(std::chrono::milliseconds)> on_jump) : on_jump_(std::move(on_jump)) {}

  mail::SteadyTime now() const override { return std::chrono::steady_clock::now() + jumped(); }
  mail::WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()) + jumped();
  }
  bool pause(std::chrono::milliseconds time, std::stop_token stop) override;
  void wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake, mail::SteadyTime until,
                  std::stop_token stop) override;

  /// Held while something is in progress that is not to see time jump: an exchange.
  class Busy {
   public:
    explicit Busy(FastClock& clock) : clock_(&clock) { clock.busy(1); }
    ~Busy() { clock_->busy(-1); }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    FastClock* clock_;
  };
  void busy(int by);

  /// So many threads wait when nothing is to do.
  void expect_threads(std::size_t count);
  /// Wakes whoever is due. Jumps to the first thing that somebody waits for, or to `until`, when everybody has been
  /// waiting since the last call of this function. To be called again and again. True: jumped.
  bool jump_if_quiet(mail::SteadyTime until);

  std::chrono::milliseconds jumped() const { return std::chrono::milliseconds(jumped_.load()); }

 private:
  struct Waiter {
    mail::SteadyTime until;
    std::condition_variable_any* wake;
    std::mutex* mutex;  ///< guards what it waits for
  };
  std::list<Waiter>::iterator enter(const Waiter& waiter);
  void wake_due();  ///< with mutex_ held
  void leave(std::list<Waiter>::iterator waiter);

  const std::function<void(std::chrono::milliseconds)> on_jump_;
  std::atomic<std::int64_t> jumped_{0};  // milliseconds

  std::mutex mutex_;
  // Guarded by mutex_:
  std::list<Waiter> waiters_;
  std::size_t threads_ = 0;
  int busy_ = 0;
  int idle_looks_ = 0;  ///< since something was in progress
  std::uint64_t changes_ = 0, seen_changes_ = 0;
};

}  // namespace faults
