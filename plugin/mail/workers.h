// The fixed pool that does what the schedule says.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <stop_token>

#include "mail/clock.h"
#include "mail/schedule.h"

namespace mail {

/// start, stop: one call at a time.
class Workers {
 public:
  /// `count` threads, at least 1. `run` does one id, on a worker, and calls Schedule::done through nobody: the pool
  /// does that (not for ids that `run` took more of). An exception from it is given to `failed` (which must not throw).
  Workers(Clock& clock, Schedule& schedule, std::size_t count, std::function<void(std::uint64_t, std::stop_token)> run,
          std::function<void(std::uint64_t, std::exception_ptr)> failed,
          std::chrono::milliseconds grace = std::chrono::milliseconds(100));
  ~Workers();  ///< stops without a deadline
  /// No effect while started. Throws std::system_error when the system gives no threads; nothing runs then.
  void start();
  /// Requests stop and waits for the threads (real time: a host's callback cannot be interrupted). False: the deadline
  /// passed while at least one is still inside; call again.
  bool stop(std::chrono::milliseconds deadline);
  bool started() const;  ///< start() was called and stop() has not yet returned true

  /// Around a call into the host. A host that blocks there must not take a worker from the others (architecture 2.4):
  /// while more than half of the pool is inside the host, further threads stand in, and leave when calls come back (at
  /// a quarter, so that a busy host does not make threads come and go with every call). There is at most one call a
  /// mailbox, so stand-ins are bounded by mailboxes.
  class InHost;
  /// How long this thread has been in InHost so far, on the pool's clock: a turn's time without it is its own.
  static std::chrono::nanoseconds spent_in_host();

 private:
  /// One call into the host.
  struct Call {
    std::chrono::steady_clock::time_point slow_from;
    bool slow = false;
  };

 public:
  class InHost {
   public:
    explicit InHost(Workers& workers);
    ~InHost();
    InHost(const InHost&) = delete;
    InHost& operator=(const InHost&) = delete;

   private:
    Workers& workers_;
    const std::uint64_t job_;  ///< of this thread: it does not count as slow meanwhile (Schedule::away)
    const SteadyTime begun_;
    std::list<Call>::iterator call_;
  };

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Measures a turn of a worker, for its pace the next time. One thread, that of the turn.
class Stopwatch {
 public:
  explicit Stopwatch(Clock& clock) : clock_(clock), begun_(clock.now()), host_before_(Workers::spent_in_host()) {}
  Schedule::Pace pace() const {
    const auto own = clock_.now() - begun_ - (Workers::spent_in_host() - host_before_);
    return own >= Schedule::slow_turn ? Schedule::Pace::slow : Schedule::Pace::quick;
  }

 private:
  Clock& clock_;
  const SteadyTime begun_;
  const std::chrono::nanoseconds host_before_;
};

}  // namespace mail
