// The one place where a command waits: for news from other threads, for a signal, for time.
#ifndef HOST_SIM_RUNTIME_WAKEUP_H_
#define HOST_SIM_RUNTIME_WAKEUP_H_

#include <atomic>
#include <cstdint>

#include "base/file.h"

namespace runtime {

// Milliseconds of a steady clock.
std::int64_t steady_ms();

class Wakeup {
 public:
  Wakeup();
  // SIGINT and SIGTERM ask to stop instead of ending the process. Call before any thread is started: threads take the
  // blocked signals over. A second signal ends the process at once.
  void catch_signals();

  // Something changed. Any thread.
  void notify();
  // Returns at the latest after `milliseconds`; at once when notified since the last wait.
  void wait(std::int64_t milliseconds);
  // Waits for signals only.
  void rest(std::int64_t milliseconds);
  bool stop_requested() const { return stop_; }
  void request_stop();

 private:
  void read_signal();

  base::Fd event_, signals_;
  std::atomic<bool> notified_{false};  // the event is set and nobody has looked since
  std::atomic<bool> stop_{false};
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_WAKEUP_H_
