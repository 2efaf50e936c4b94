// Work that happens later, on one thread, by the service's clock.
#ifndef HOST_SIM_M365_SCHEDULER_H_
#define HOST_SIM_M365_SCHEDULER_H_

#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "m365/server/clock.h"

namespace embedded {

class Scheduler {
 public:
  explicit Scheduler(const Clock& clock) : clock_(clock), thread_([this] { run(); }) {}
  ~Scheduler() { stop(); }

  void after(Milliseconds delay, std::function<void()> work) {
    {
      const std::lock_guard lock(mutex_);
      due_.emplace(clock_.now() + delay, std::move(work));
    }
    changed_.notify_all();
  }
  // After the clock was advanced.
  void look_again() {
    // Through the lock: a thread between its look at the clock and its wait would miss the call.
    { const std::lock_guard lock(mutex_); }
    changed_.notify_all();
  }
  // Work that is not due is dropped. Idempotent.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
      if (due_.empty()) {
        changed_.wait(lock);
        continue;
      }
      const auto left = due_.begin()->first - clock_.now();
      if (left > Milliseconds(0)) {
        changed_.wait_for(lock, left);
        continue;
      }
      const auto work = std::move(due_.begin()->second);
      due_.erase(due_.begin());
      lock.unlock();
      work();
      lock.lock();
    }
  }

  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  // Guarded by mutex_:
  bool stopping_ = false;
  std::multimap<Time, std::function<void()>> due_;
  std::thread thread_;  // last: it uses all above
};

}  // namespace embedded

#endif  // HOST_SIM_M365_SCHEDULER_H_
