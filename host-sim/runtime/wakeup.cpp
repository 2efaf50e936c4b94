#include "runtime/wakeup.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace runtime {

namespace {

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

}  // namespace

std::int64_t steady_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

Wakeup::Wakeup() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (event_.get() < 0) throw base::FileError("create", "an event descriptor", errno);
}

void Wakeup::catch_signals() {
  const sigset_t set = stop_signals();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  signals_ = base::Fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  if (signals_.get() < 0) throw base::FileError("create", "a signal descriptor", errno);
}

void Wakeup::notify() {
  if (notified_.exchange(true)) return;  // every mail notifies
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(event_.get(), &one, sizeof one);
}

void Wakeup::request_stop() {
  stop_ = true;
  notify();
}

void Wakeup::wait(std::int64_t milliseconds) {
  pollfd fds[2] = {{event_.get(), POLLIN, 0}, {signals_.get(), POLLIN, 0}};
  const int timeout = static_cast<int>(std::clamp<std::int64_t>(milliseconds, 0, 3'600'000));
  if (::poll(fds, signals_.get() < 0 ? 1 : 2, timeout) <= 0) return;
  // Before the event is taken back: whoever notifies from here on sets it again, and whoever did before is seen now.
  notified_ = false;
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = ::read(event_.get(), &count, sizeof count);
  read_signal();
}

void Wakeup::rest(std::int64_t milliseconds) {
  pollfd fd{signals_.get(), POLLIN, 0};
  ::poll(&fd, signals_.get() < 0 ? 0 : 1, static_cast<int>(std::clamp<std::int64_t>(milliseconds, 0, 1000)));
  read_signal();
}

void Wakeup::read_signal() {
  signalfd_siginfo info{};
  if (signals_.get() >= 0 && ::read(signals_.get(), &info, sizeof info) == sizeof info) {
    stop_ = true;
    // Stopping has its own deadlines; who presses Ctrl-C again wants out.
    const sigset_t set = stop_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  }
}

}  // namespace runtime
