#include "mail/workers.h"

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <list>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

namespace mail {
namespace {

// Threads inherit the mask of their maker; blocked before they are made, no signal finds them in between. SIGPIPE: a
// TLS write to a dead peer would end the host (feasibility, 2.5 point 5). The others belong to the host's own threads;
// those that a faulty instruction raises, and the profiler's, stay open.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t blocked;
    sigfillset(&blocked);
    for (const int open : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT, SIGPROF})
      sigdelset(&blocked, open);
    pthread_sigmask(SIG_BLOCK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

constexpr std::chrono::hours longest(24 * 365);  // a time that steady_clock can still add

// Of this thread, where it belongs to a pool.
thread_local std::uint64_t current_job = 0;
thread_local std::chrono::nanoseconds in_host_so_far{0};

}  // namespace

struct Workers::State {
  using Threads = std::list<std::thread>;

  // Constant after construction.
  Clock* clock = nullptr;
  Schedule* schedule = nullptr;
  std::size_t count = 1;
  std::chrono::milliseconds grace{0};
  std::function<void(std::uint64_t, std::stop_token)> run;
  std::function<void(std::uint64_t, std::exception_ptr)> failed;

  mutable std::mutex mutex;
  // Everything below is guarded by mutex.
  std::condition_variable gone;  ///< the last thread has left
  bool started = false;
  bool ending = false;        ///< stop() was called; no thread is made any more
  std::stop_source stopping;  ///< ends the work
  std::stop_source leaving;   ///< sends stand-ins home, after what they do
  Threads living, ended;      ///< ended ones have let go of the mutex for good, or are about to
  std::list<Call> in_host;    ///< calls, in the order in which they began
  std::size_t slow = 0;       ///< of them those past their grace
  std::thread watch;          ///< notices calls that become slow; none without a grace
  std::condition_variable_any watched;
  bool watching = false;  ///< it looks again by itself within the grace: nobody has to wake it
  bool called = false;    ///< a call began since its last look
  std::size_t named = 0;

  void make(const char* name, std::stop_token leave) {
    const SignalsBlocked blocked;
    const auto self = living.emplace(living.end());
    try {
      *self = std::thread([this, self, stop = stopping.get_token(), leave = std::move(leave)] {
        work(stop, leave);
        leave_pool(self);
      });
    } catch (...) {
      living.erase(self);
      throw;
    }
    pthread_setname_np(self->native_handle(), (name + std::to_string(named++ % 1000)).c_str());  // at most 15 letters
  }

  void work(const std::stop_token& stop, const std::stop_token& leave) const {
    while (const auto id = schedule->take(leave)) {
      current_job = *id;
      try {
        run(*id, stop);
      } catch (...) {
        failed(*id, std::current_exception());
      }
      schedule->done(*id);
    }
  }

  void leave_pool(Threads::iterator self) {
    const std::lock_guard lock(mutex);
    ended.splice(ended.end(), living, self);
    stand_in();  // calls may have gone into the host since this one was sent home
    if (living.empty()) gone.notify_all();
  }

  /// Calls whose grace is over are slow from now on; they count against the pool.
  void notice_slow_calls() {
    const auto now = std::chrono::steady_clock::now();
    for (Call& call : in_host) {
      if (call.slow_from > now) break;  // the later ones began later
      if (!std::exchange(call.slow, true)) ++slow;
    }
    stand_in();
  }

  void watch_calls(const std::stop_token& stop) {
    std::unique_lock lock(mutex);
    watching = true;
    while (!stop.stop_requested()) {
      if (!std::exchange(called, false) && slow == in_host.size()) {
        watching = false;
        watched.wait(lock, stop, [this] { return called || slow < in_host.size(); });
        watching = true;
        continue;
      }
      // Calls come by the thousand and are mostly short: this looks once a grace, for a call that begins from now on is
      // not slow before that, and earlier only for one that is inside already.
      auto until = std::chrono::steady_clock::now() + grace;
      const auto next = std::find_if(in_host.begin(), in_host.end(), [](const Call& call) { return !call.slow; });
      if (next != in_host.end()) until = std::min(until, next->slow_from);
      watched.wait_until(lock, stop, until, [until] { return std::chrono::steady_clock::now() >= until; });
      notice_slow_calls();
    }
    watching = false;
  }

  /// So many threads as are half of the pool are outside the host, or on their way.
  void stand_in() {
    if (!started || ending) return;
    join_ended();
    try {
      while (living.size() < slow + (count + 1) / 2) make("mail-standin-", leaving.get_token());
    } catch (const std::system_error&) {
      // No thread to be had: the others wait for a call to come back, as they would without stand-ins.
    }
  }

  void join_ended() {
    for (auto at = ended.begin(); at != ended.end();) {
      if (at->get_id() == std::this_thread::get_id()) {
        ++at;  // the leaving thread itself; the next one or stop() joins it
      } else {
        at->join();
        at = ended.erase(at);
      }
    }
  }
};

Workers::Workers(Clock& clock, Schedule& schedule, std::size_t count,
                 std::function<void(std::uint64_t, std::stop_token)> run,
                 std::function<void(std::uint64_t, std::exception_ptr)> failed, std::chrono::milliseconds grace)
    : state_(std::make_shared<State>()) {
  state_->clock = &clock;
  state_->schedule = &schedule;
  state_->count = std::max<std::size_t>(count, 1);
  state_->grace = grace;
  state_->run = std::move(run);
  state_->failed = std::move(failed);
}

Workers::~Workers() {
  while (!stop(longest)) {
  }
}

void Workers::start() {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (state.started) return;
  state.started = true;
  state.ending = false;
  state.stopping = std::stop_source();
  state.leaving = std::stop_source();
  state.named = 0;
  try {
    for (std::size_t i = 0; i < state.count; ++i) state.make("mail-worker-", state.stopping.get_token());
    if (state.grace.count() > 0) {
      const SignalsBlocked blocked;
      state.watch = std::thread([&state, stop = state.stopping.get_token()] { state.watch_calls(stop); });
      pthread_setname_np(state.watch.native_handle(), "mail-watch");
    }
  } catch (const std::system_error&) {
    lock.unlock();
    while (!stop(longest)) {
    }
    throw;
  }
}

bool Workers::stop(std::chrono::milliseconds deadline) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  if (!state.started) return true;
  state.ending = true;  // from here on both sources stay what they are
  // Outside the lock: stop callbacks run here, and some may wait for work that wants to leave the host.
  std::stop_source stopping = state.stopping, leaving = state.leaving;
  lock.unlock();
  stopping.request_stop();
  leaving.request_stop();
  lock.lock();
  if (!state.gone.wait_for(lock, std::min<std::chrono::milliseconds>(deadline, longest),
                           [&state] { return state.living.empty(); }))
    return false;
  state.join_ended();
  std::thread watch = std::move(state.watch);
  lock.unlock();
  if (watch.joinable()) watch.join();  // it was asked to stop with the others
  lock.lock();
  state.started = false;
  return true;
}

bool Workers::started() const {
  const std::lock_guard lock(state_->mutex);
  return state_->started;
}

std::chrono::nanoseconds Workers::spent_in_host() {
  return in_host_so_far;
}

Workers::InHost::InHost(Workers& workers) : workers_(workers), job_(current_job), begun_(workers.state_->clock->now()) {
  State& state = *workers_.state_;
  const std::lock_guard lock(state.mutex);
  call_ = state.in_host.insert(state.in_host.end(), {std::chrono::steady_clock::now() + state.grace, false});
  state.schedule->away(job_);
  state.called = true;
  if (state.grace.count() == 0) {
    state.notice_slow_calls();
  } else if (!state.watching) {
    state.watched.notify_one();
  }
}

Workers::InHost::~InHost() {
  State& state = *workers_.state_;
  in_host_so_far += state.clock->now() - begun_;
  state.schedule->back(job_);
  std::stop_source leaving(std::nostopstate);
  {
    const std::lock_guard lock(state.mutex);
    const bool was_slow = call_->slow;
    state.in_host.erase(call_);
    if (was_slow) --state.slow;
    if (!was_slow || state.ending || state.slow > state.count / 4 || state.living.size() <= state.count) return;
    leaving = std::exchange(state.leaving, std::stop_source());
  }
  leaving.request_stop();
}

}  // namespace mail
