#include "fast_clock.h"

#include <algorithm>

namespace faults {
namespace {

using std::chrono::milliseconds;

// A jump notifies without the waiter's mutex and may come between its look and its wait: so nobody waits for longer.
constexpr milliseconds slice{5};

}  // namespace

bool FastClock::pause(milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const mail::SteadyTime until = now() + time;
  while (now() < until && !stop.stop_requested()) wait_until(lock, wake, until, stop);
  return !stop.stop_requested();
}

void FastClock::wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake,
                           mail::SteadyTime until, std::stop_token stop) {
  const auto self = enter(until, wake);
  bool notified = false;
  while (!notified && now() < until && !stop.stop_requested()) {
    const std::int64_t before = jumped_;
    notified = wake.wait_for(lock, slice) == std::cv_status::no_timeout && jumped_ == before;
  }
  leave(self);
}

std::list<FastClock::Waiter>::iterator FastClock::enter(mail::SteadyTime until, std::condition_variable_any& wake) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  return waiters_.insert(waiters_.end(), {until, &wake});
}

void FastClock::leave(std::list<Waiter>::iterator waiter) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  waiters_.erase(waiter);
}

void FastClock::busy(int by) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  busy_ += by;
}

void FastClock::expect_threads(std::size_t count) {
  const std::lock_guard lock(mutex_);
  threads_ = count;
}

bool FastClock::jump_if_quiet(mail::SteadyTime until) {
  const std::lock_guard lock(mutex_);
  const bool still = seen_changes_ == changes_;
  seen_changes_ = changes_;
  if (!still || busy_ > 0 || waiters_.size() < threads_) return false;
  for (const Waiter& waiter : waiters_) until = std::min(until, waiter.until);
  if (until == mail::SteadyTime::max()) return false;
  const milliseconds by = std::chrono::ceil<milliseconds>(until - now());
  if (by <= milliseconds::zero()) return false;  // somebody is about to wake
  jumped_ += by.count();
  ++changes_;
  on_jump_(by);
  for (const Waiter& waiter : waiters_) {
    if (waiter.until <= now()) waiter.wake->notify_all();
  }
  return true;
}

}  // namespace faults
