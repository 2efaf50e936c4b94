// Work that is cheaper done together than one by one, on a thread of its own.
#ifndef HOST_SIM_RUNTIME_GROUP_THREAD_H_
#define HOST_SIM_RUNTIME_GROUP_THREAD_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace runtime {

struct GroupLimits {
  std::size_t full = 32;                           // a group of so many waits for no more
  std::chrono::milliseconds gathering{2};          // and any other at most so long, from its first item on
  std::size_t most_weight = std::size_t{4} << 20;  // of what waits; who would add more is held up
};

// Items that come while one group is worked on make the next one. All functions but end() from any thread.
template <typename Item>
class GroupThread {
 public:
  // `work` runs on the thread, with one group after the other, in the order of add(). It must not throw.
  explicit GroupThread(std::function<void(std::vector<Item>&)> work, GroupLimits limits = {})
      : work_(std::move(work)), limits_(limits), thread_([this] { run(); }) {}
  ~GroupThread() { end(); }
  GroupThread(const GroupThread&) = delete;
  GroupThread& operator=(const GroupThread&) = delete;

  // Waits while there is no room. False, and `item` is untouched, once end() was called.
  bool add(Item&& item, std::size_t weight) {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return ending_ || weight_ == 0 || weight_ + weight <= limits_.most_weight; });
    if (ending_) return false;
    waiting_.push_back(std::move(item));
    weight_ += weight;
    const bool wake = waiting_.size() == 1 || waiting_.size() == limits_.full;
    lock.unlock();
    if (wake) came_.notify_one();
    return true;
  }

  // Does what waits, and ends the thread. Again: no effect. From one thread, and not from `work`.
  void end() {
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
    }
    came_.notify_one();
    room_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    for (;;) {
      came_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      came_.wait_for(lock, limits_.gathering, [this] { return ending_ || waiting_.size() >= limits_.full; });
      std::vector<Item> group = std::exchange(waiting_, {});
      weight_ = 0;
      lock.unlock();
      room_.notify_all();
      work_(group);
      group.clear();
      lock.lock();
    }
  }

  const std::function<void(std::vector<Item>&)> work_;
  const GroupLimits limits_;
  std::mutex mutex_;
  std::condition_variable came_, room_;
  // Guarded by mutex_.
  std::vector<Item> waiting_;
  std::size_t weight_ = 0;
  bool ending_ = false;
  std::thread thread_;  // last: it uses all of these
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_GROUP_THREAD_H_
