#include "fast_clock.h"

#include <algorithm>
#include <utility>

namespace faults {
namespace {

using std::chrono::milliseconds;

// Nobody waits for longer at one time: a waiter that is not notified (a stop without a token) still looks again.
constexpr milliseconds slice{50};

// Some wait for each other and not on the clock, for one who does (a token that is being fetched): after so many looks
// without anything on the network time goes on all the same.
constexpr int long_idle = 200;

// Whoever is between two waits is not seen: a jump past what it is about to wait for stays small.
constexpr std::chrono::minutes longest_jump{1};

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
  const auto self = enter({until, &wake, lock.mutex()});
  // A wait that goes on by itself could swallow a notification that came as its slice ended: so it returns early.
  bool woken = false;
  if (now() < until && !stop.stop_requested())
    wake.wait_for(lock, stop, slice, [&woken] { return std::exchange(woken, true); });
  leave(self);
}

std::list<FastClock::Waiter>::iterator FastClock::enter(const Waiter& waiter) {
  const std::lock_guard lock(mutex_);
  ++changes_;
  return waiters_.insert(waiters_.end(), waiter);
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
  wake_due();
  idle_looks_ = busy_ > 0 ? 0 : idle_looks_ + 1;
  if (!still || busy_ > 0 || (waiters_.size() < threads_ && idle_looks_ < long_idle)) return false;
  idle_looks_ = 0;
  until = std::min(until, now() + longest_jump);
  for (const Waiter& waiter : waiters_) until = std::min(until, waiter.until);
  const milliseconds by = std::chrono::ceil<milliseconds>(until - now());
  if (by <= milliseconds::zero()) return false;  // somebody is about to wake
  jumped_ += by.count();
  ++changes_;
  on_jump_(by);
  wake_due();
  return true;
}

void FastClock::wake_due() {
  const mail::SteadyTime time = now();
  for (const Waiter& waiter : waiters_) {
    // With its mutex, or it could be between its look and its wait. Whoever holds the mutex may be about to enter here:
    // so it is only tried, and the next call tries again.
    if (waiter.until > time || !waiter.mutex->try_lock()) continue;
    waiter.wake->notify_all();
    waiter.mutex->unlock();
  }
}

}  // namespace faults
