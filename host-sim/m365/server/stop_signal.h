// One signal that ends every pause of the room.
#ifndef HOST_SIM_M365_STOP_SIGNAL_H_
#define HOST_SIM_M365_STOP_SIGNAL_H_

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace embedded {

class StopSignal {
 public:
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
    }
    changed_.notify_all();
  }
  bool stopped() const {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }
  // True when the time passed, false when stopped before.
  bool pause(std::chrono::milliseconds time) const {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return stopped_; });
  }

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool stopped_ = false;  // guarded by mutex_
};

}  // namespace embedded

#endif  // HOST_SIM_M365_STOP_SIGNAL_H_
