#include "mail/workers.h"

#include <cppunit/extensions/HelperMacros.h>
#include <pthread.h>
#include <signal.h>

#include <array>
#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <latch>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>

#include "support/manual_clock.h"

namespace {

using namespace std::chrono_literals;

// A door that callbacks wait behind, and that counts who is there.
class Door {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    ++inside_;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
    --inside_;
    changed_.notify_all();
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void close() {
    const std::lock_guard lock(mutex_);
    open_ = false;
  }
  void wait_inside(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this, count] { return inside_ == count; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;       // guarded by mutex_
  std::size_t inside_ = 0;  // guarded by mutex_
};

}  // namespace

class WorkersTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WorkersTest);
  CPPUNIT_TEST(runs_what_is_due_and_says_done);
  CPPUNIT_TEST(ids_run_side_by_side_on_as_many_threads);
  CPPUNIT_TEST(an_exception_is_told_and_the_worker_lives_on);
  CPPUNIT_TEST(threads_have_names_and_no_signal_of_the_host);
  CPPUNIT_TEST(stop_reaches_the_work);
  CPPUNIT_TEST(stop_waits_until_its_deadline_only);
  CPPUNIT_TEST(stopped_or_never_started_stops_at_once);
  CPPUNIT_TEST(starts_anew_after_a_stop);
  CPPUNIT_TEST(started_twice_is_started_once);
  CPPUNIT_TEST(a_host_that_blocks_everywhere_takes_nobody_else_with_it);
  CPPUNIT_TEST(one_worker_blocked_in_the_host_is_stood_in_for);
  CPPUNIT_TEST(half_of_the_pool_needs_no_stand_in);
  CPPUNIT_TEST(a_call_within_its_grace_needs_no_stand_in);
  CPPUNIT_TEST(a_call_past_its_grace_is_stood_in_for);
  CPPUNIT_TEST(stand_ins_leave_when_calls_come_back);
  CPPUNIT_TEST(a_turn_is_slow_by_its_own_time);
  CPPUNIT_TEST(a_slow_one_that_is_in_the_host_holds_up_no_other);
  CPPUNIT_TEST(stop_with_stand_ins_inside_the_host);
  CPPUNIT_TEST(stop_races_with_calls_that_come_and_go);
  CPPUNIT_TEST_SUITE_END();

 public:
  void runs_what_is_due_and_says_done() {
    std::promise<std::uint64_t> ran;
    const auto stopped = make(2, [&](std::uint64_t id, std::stop_token) { ran.set_value(id); });
    workers_->start();
    schedule_.plan(7, clock_.now());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{7}, ran.get_future().get());
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT(!schedule_.running(7));
  }

  void ids_run_side_by_side_on_as_many_threads() {
    std::latch together(3);
    const auto stopped = make(3, [&](std::uint64_t, std::stop_token) { together.arrive_and_wait(); });
    workers_->start();
    for (std::uint64_t id = 1; id <= 3; ++id) schedule_.plan(id, clock_.now());
    together.wait();
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, schedule_.planned());
  }

  void an_exception_is_told_and_the_worker_lives_on() {
    std::promise<void> second;
    const auto stopped = make(1, [&](std::uint64_t id, std::stop_token) {
      if (id == 1) throw std::runtime_error("no luck");
      second.set_value();
    });
    workers_->start();
    schedule_.plan(1, clock_.now(), 1);
    schedule_.plan(2, clock_.now(), 2);
    second.get_future().get();
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT_EQUAL(std::string("1: no luck"), failures_.at(0));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, failures_.size());
    CPPUNIT_ASSERT(!schedule_.running(1));
  }

  void threads_have_names_and_no_signal_of_the_host() {
    std::promise<std::string> name;
    std::array<int, 4> blocked{};
    const auto stopped = make(1, [&](std::uint64_t, std::stop_token) {
      sigset_t mask;
      pthread_sigmask(SIG_SETMASK, nullptr, &mask);
      blocked = {sigismember(&mask, SIGPIPE), sigismember(&mask, SIGTERM), sigismember(&mask, SIGSEGV),
                 sigismember(&mask, SIGPROF)};
      char text[16] = {};
      pthread_getname_np(pthread_self(), text, sizeof text);
      name.set_value(text);
    });
    sigset_t before, after;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    workers_->start();
    pthread_sigmask(SIG_SETMASK, nullptr, &after);
    schedule_.plan(1, clock_.now());
    CPPUNIT_ASSERT_EQUAL(std::string("mail-worker-0"), name.get_future().get());
    CPPUNIT_ASSERT((std::array{1, 1, 0, 0}) == blocked);
    CPPUNIT_ASSERT_EQUAL(sigismember(&before, SIGPIPE), sigismember(&after, SIGPIPE));
    CPPUNIT_ASSERT_EQUAL(sigismember(&before, SIGTERM), sigismember(&after, SIGTERM));
  }

  void stop_reaches_the_work() {
    std::promise<void> inside;
    const auto stopped = make(1, [&](std::uint64_t, std::stop_token stop) {
      inside.set_value();
      std::promise<void> asked;
      const std::stop_callback tell(stop, [&] { asked.set_value(); });
      asked.get_future().get();
    });
    workers_->start();
    schedule_.plan(1, clock_.now());
    inside.get_future().get();
    CPPUNIT_ASSERT(workers_->stop(1h));
  }

  void stop_waits_until_its_deadline_only() {
    Door& door = host_;
    std::atomic<int> runs = 0;
    const auto stopped = make(2, [&](std::uint64_t, std::stop_token) {
      ++runs;
      const mail::Workers::InHost in_host(*workers_);
      door.pass();
    });
    workers_->start();
    schedule_.plan(1, clock_.now());
    door.wait_inside(1);
    CPPUNIT_ASSERT(!workers_->stop(0ms));
    CPPUNIT_ASSERT(workers_->started());
    schedule_.plan(2, clock_.now());  // nothing new begins
    CPPUNIT_ASSERT(!workers_->stop(1ms));
    workers_->start();  // no effect before the stop has ended
    door.open();
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT(!workers_->started());
    CPPUNIT_ASSERT_EQUAL(1, runs.load());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, schedule_.planned());
  }

  void stopped_or_never_started_stops_at_once() {
    const auto stopped = make(1, [](std::uint64_t, std::stop_token) {});
    CPPUNIT_ASSERT(workers_->stop(0ms));
    workers_->start();
    CPPUNIT_ASSERT(workers_->stop(std::chrono::milliseconds::max()));
    CPPUNIT_ASSERT(workers_->stop(0ms));
  }

  void starts_anew_after_a_stop() {
    std::promise<bool> ran;
    const auto stopped = make(1, [&](std::uint64_t, std::stop_token stop) { ran.set_value(stop.stop_requested()); });
    workers_->start();
    CPPUNIT_ASSERT(workers_->stop(1h));
    schedule_.plan(1, clock_.now());
    workers_->start();
    CPPUNIT_ASSERT(!ran.get_future().get());
  }

  void started_twice_is_started_once() {
    std::mutex mutex;
    std::set<std::thread::id> threads;
    std::latch all(40);
    const auto stopped = make(2, [&](std::uint64_t, std::stop_token) {
      const std::lock_guard lock(mutex);
      threads.insert(std::this_thread::get_id());
      all.count_down();
    });
    workers_->start();
    workers_->start();
    for (std::uint64_t id = 1; id <= 40; ++id) schedule_.plan(id, clock_.now());
    all.wait();
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT(threads.size() <= 2);
  }

  // A host that holds 20 mailboxes' calls: the 21st mailbox, which calls nobody, is served all the same.
  void a_host_that_blocks_everywhere_takes_nobody_else_with_it() {
    constexpr std::uint64_t blocked = 20;
    Door& door = host_;
    std::promise<void> other;
    const auto stopped = make(4, [&](std::uint64_t id, std::stop_token) {
      if (id > blocked) return other.set_value();
      const mail::Workers::InHost in_host(*workers_);
      door.pass();
    });
    workers_->start();
    for (std::uint64_t id = 1; id <= blocked; ++id) schedule_.plan(id, clock_.now(), 1);
    door.wait_inside(blocked);
    schedule_.plan(blocked + 1, clock_.now(), 2);
    other.get_future().get();
    door.open();
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, schedule_.planned());
  }

  void one_worker_blocked_in_the_host_is_stood_in_for() {
    Door& door = host_;
    std::promise<std::string> other;
    const auto stopped = make(1, [&](std::uint64_t id, std::stop_token) {
      if (id == 2) {
        char text[16] = {};
        pthread_getname_np(pthread_self(), text, sizeof text);
        return other.set_value(text);
      }
      const mail::Workers::InHost in_host(*workers_);
      door.pass();
    });
    workers_->start();
    schedule_.plan(1, clock_.now());
    door.wait_inside(1);
    schedule_.plan(2, clock_.now());
    CPPUNIT_ASSERT_EQUAL(std::string("mail-standin-1"), other.get_future().get());
    door.open();
  }

  void half_of_the_pool_needs_no_stand_in() {
    Door &host = host_, &work = work_;
    std::mutex mutex;
    std::set<std::thread::id> threads;
    const auto stopped = make(4, [&](std::uint64_t id, std::stop_token) {
      {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      }
      if (id > 2) return work.pass();
      const mail::Workers::InHost in_host(*workers_);
      host.pass();
    });
    workers_->start();
    for (std::uint64_t id = 1; id <= 4; ++id) schedule_.plan(id, clock_.now(), static_cast<std::uint32_t>(id));
    host.wait_inside(2);
    work.wait_inside(2);
    schedule_.plan(5, clock_.now(), 5);
    work.open();
    host.open();
    while (schedule_.planned() != 0) std::this_thread::yield();
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT(threads.size() <= 4);
  }

  // The pool of one has two stand-ins while three calls are inside; when they came back, only the worker is left to
  // take what comes, once the stand-ins have heard that they may go.
  void a_call_within_its_grace_needs_no_stand_in() {
    const auto stopped = make(
        1,
        [&](std::uint64_t, std::stop_token) {
          const mail::Workers::InHost in_host(*workers_);
          host_.pass();
        },
        1h);
    workers_->start();
    const std::size_t threads = threads_of_this_process();
    schedule_.plan(1, clock_.now());
    host_.wait_inside(1);
    CPPUNIT_ASSERT_EQUAL(threads, threads_of_this_process());
    host_.open();
    CPPUNIT_ASSERT(workers_->stop(1h));
  }

  void a_call_past_its_grace_is_stood_in_for() {
    const auto stopped = make(
        1,
        [&](std::uint64_t id, std::stop_token) {
          if (id == 2) {
            work_.pass();
            return;
          }
          const mail::Workers::InHost in_host(*workers_);
          host_.pass();
        },
        1ms);
    workers_->start();
    schedule_.plan(1, clock_.now(), 1);
    schedule_.plan(2, clock_.now(), 2);
    host_.wait_inside(1);
    work_.wait_inside(1);  // by a stand-in: the only worker is in the host
    host_.open();
    work_.open();
    CPPUNIT_ASSERT(workers_->stop(1h));
  }

  void stand_ins_leave_when_calls_come_back() {
    const std::size_t threads_before = threads_of_this_process();
    std::mutex mutex;
    std::set<std::string> names;
    const auto stopped = make(1, [&](std::uint64_t id, std::stop_token) {
      if (id <= 3) {
        const mail::Workers::InHost in_host(*workers_);
        host_.pass();
        return;
      }
      char text[16] = {};
      pthread_getname_np(pthread_self(), text, sizeof text);
      const std::lock_guard lock(mutex);
      names.insert(text);
    });
    workers_->start();
    for (int round = 0; round < 10; ++round) {
      host_.close();
      for (std::uint64_t id = 1; id <= 3; ++id) schedule_.plan(id, clock_.now());
      host_.wait_inside(3);
      host_.open();
      while (schedule_.running(1) || schedule_.running(2) || schedule_.running(3)) std::this_thread::yield();
      while (threads_of_this_process() > threads_before + 1) std::this_thread::yield();
      for (std::uint64_t id = 4; id <= 9; ++id) schedule_.plan(id, clock_.now());
      while (schedule_.planned() != 0 || schedule_.running(9)) std::this_thread::yield();
    }
    CPPUNIT_ASSERT(workers_->stop(1h));
    CPPUNIT_ASSERT((std::set<std::string>{"mail-worker-0"}) == names);
  }

  void a_turn_is_slow_by_its_own_time() {
    using Pace = mail::Schedule::Pace;
    std::promise<std::vector<Pace>> told;
    const auto stopped = make(1, [&](std::uint64_t, std::stop_token) {
      const mail::Stopwatch watch(clock_);
      std::vector<Pace> paces;
      {
        const mail::Workers::InHost in_host(*workers_);
        clock_.advance(1h);
      }
      paces.push_back(watch.pace());
      clock_.advance(mail::Schedule::slow_turn);
      paces.push_back(watch.pace());
      told.set_value(paces);
    });
    workers_->start();
    schedule_.plan(1, clock_.now());
    CPPUNIT_ASSERT((std::vector<Pace>{Pace::quick, Pace::slow}) == told.get_future().get());
  }

  void a_slow_one_that_is_in_the_host_holds_up_no_other() {
    mail::Schedule schedule(clock_, 1);
    std::promise<void> second;
    const auto run = [&](std::uint64_t id, std::stop_token) {
      if (id == 2) return second.set_value();
      const mail::Workers::InHost in_host(*workers_);
      host_.pass();
    };
    workers_.emplace(
        clock_, schedule, 2, run, [](std::uint64_t, std::exception_ptr) {}, 1h);
    const Stopped stopped(*this);
    for (const std::uint64_t id : {1u, 2u}) schedule.plan(id, clock_.now(), 1, 0, mail::Schedule::Pace::slow);
    workers_->start();
    host_.wait_inside(1);
    second.get_future().get();
  }

  void stop_with_stand_ins_inside_the_host() {
    Door& door = host_;
    const auto stopped = make(2, [&](std::uint64_t, std::stop_token) {
      const mail::Workers::InHost in_host(*workers_);
      door.pass();
    });
    workers_->start();
    for (std::uint64_t id = 1; id <= 6; ++id) schedule_.plan(id, clock_.now());
    door.wait_inside(6);
    CPPUNIT_ASSERT(!workers_->stop(0ms));
    door.open();
    CPPUNIT_ASSERT(workers_->stop(1h));
    for (std::uint64_t id = 1; id <= 6; ++id) CPPUNIT_ASSERT(!schedule_.running(id));
  }

  void stop_races_with_calls_that_come_and_go() {
    std::atomic<int> runs = 0;
    const auto stopped = make(2, [&](std::uint64_t id, std::stop_token) {
      const mail::Workers::InHost in_host(*workers_);
      ++runs;
      schedule_.plan(id, clock_.now());
    });
    for (std::uint64_t id = 1; id <= 8; ++id) schedule_.plan(id, clock_.now());
    for (int round = 0; round < 50; ++round) {
      const int before = runs;
      workers_->start();
      while (runs < before + 20) std::this_thread::yield();
      CPPUNIT_ASSERT(workers_->stop(1h));
      const int at_stop = runs;
      CPPUNIT_ASSERT_EQUAL(std::size_t{8}, schedule_.planned());
      CPPUNIT_ASSERT_EQUAL(at_stop, runs.load());
    }
  }

 private:
  // Ends the work before what it uses is gone, also when an assertion failed while the work waits behind a door.
  class Stopped {
   public:
    explicit Stopped(WorkersTest& test) : test_(test) {}
    ~Stopped() {
      test_.host_.open();
      test_.work_.open();
      test_.workers_.reset();
    }
    Stopped(const Stopped&) = delete;
    Stopped& operator=(const Stopped&) = delete;

   private:
    WorkersTest& test_;
  };

  // Without a grace, unless a test is about it: every call into the host is slow at once.
  [[nodiscard]] Stopped make(std::size_t count, std::function<void(std::uint64_t, std::stop_token)> run,
                             std::chrono::milliseconds grace = 0ms) {
    const auto failed = [this](std::uint64_t id, std::exception_ptr error) {
      try {
        std::rethrow_exception(error);
      } catch (const std::exception& e) {
        failures_.push_back(std::to_string(id) + ": " + e.what());
      }
    };
    workers_.emplace(clock_, schedule_, count, std::move(run), failed, grace);
    return Stopped(*this);
  }

  static std::size_t threads_of_this_process() {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) ++count;
    return count;
  }

  support::ManualClock clock_;
  mail::Schedule schedule_{clock_};
  Door host_, work_;
  std::vector<std::string> failures_;  // written by one worker, read after stop
  std::optional<mail::Workers> workers_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(WorkersTest);
