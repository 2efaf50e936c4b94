#include "mail/clock.h"

#include <utility>

namespace mail {
namespace {

class SystemClock final : public Clock {
 public:
  SteadyTime now() const override { return std::chrono::steady_clock::now(); }

  WallTime wall() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
  }

  bool pause(std::chrono::milliseconds time, std::stop_token stop) override {
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    return !wake.wait_for(lock, stop, time, [&stop] { return stop.stop_requested(); });
  }

  void wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake, SteadyTime until,
                  std::stop_token stop) override {
    if (stop.stop_requested()) return;
    // The callback wakes without the lock; a lost wake-up is impossible because wait_until with a stop token
    // registers before it waits. One wake-up is all we want, hence a predicate that turns true after it.
    bool woken = false;
    wake.wait_until(lock, stop, until, [&woken] { return std::exchange(woken, true); });
  }
};

}  // namespace

Clock& system_clock() {
  static SystemClock clock;
  return clock;
}

}  // namespace mail
