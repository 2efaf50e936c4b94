#include "mail/clock.h"

#include <cppunit/extensions/HelperMacros.h>

#include <future>
#include <latch>

using namespace std::chrono_literals;

class ClockTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClockTest);
  CPPUNIT_TEST(steady_time_never_goes_back);
  CPPUNIT_TEST(wall_time_is_that_of_the_machine);
  CPPUNIT_TEST(a_pause_ends);
  CPPUNIT_TEST(stop_ends_a_pause);
  CPPUNIT_TEST(stopped_before_it_does_not_pause);
  CPPUNIT_TEST(a_wait_ends_at_its_time);
  CPPUNIT_TEST(a_wait_for_ever_ends_when_notified);
  CPPUNIT_TEST(stop_ends_a_wait_for_ever);
  CPPUNIT_TEST_SUITE_END();

 public:
  void steady_time_never_goes_back() {
    auto before = clock_.now();
    for (int i = 0; i < 1'000; ++i) {
      const auto now = clock_.now();
      CPPUNIT_ASSERT(now >= before);
      before = now;
    }
  }

  void wall_time_is_that_of_the_machine() {
    const auto before = std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
    const auto now = clock_.wall();
    CPPUNIT_ASSERT(before <= now);
    CPPUNIT_ASSERT(now <= std::chrono::system_clock::now());
  }

  void a_pause_ends() {
    CPPUNIT_ASSERT(clock_.pause(0ms, {}));
    const auto before = clock_.now();
    CPPUNIT_ASSERT(clock_.pause(2ms, {}));
    CPPUNIT_ASSERT(clock_.now() - before >= 2ms);
  }

  void stop_ends_a_pause() {
    std::stop_source stop;
    std::latch begun(1);
    auto paused = std::async(std::launch::async, [&] {
      begun.count_down();
      return clock_.pause(24h, stop.get_token());
    });
    begun.wait();
    stop.request_stop();
    CPPUNIT_ASSERT(!paused.get());
  }

  void stopped_before_it_does_not_pause() {
    std::stop_source stop;
    stop.request_stop();
    CPPUNIT_ASSERT(!clock_.pause(24h, stop.get_token()));
    std::unique_lock lock(mutex_);
    clock_.wait_until(lock, wake_, mail::SteadyTime::max(), stop.get_token());
    CPPUNIT_ASSERT(lock.owns_lock());
  }

  void a_wait_ends_at_its_time() {
    std::unique_lock lock(mutex_);
    const auto until = clock_.now() + 2ms;
    while (clock_.now() < until) clock_.wait_until(lock, wake_, until, {});
    CPPUNIT_ASSERT(lock.owns_lock());
    clock_.wait_until(lock, wake_, mail::SteadyTime{}, {});  // long past
    CPPUNIT_ASSERT(lock.owns_lock());
  }

  // Whoever has the lock after the waiter had it is notifying a waiter.
  void a_wait_for_ever_ends_when_notified() {
    std::latch begun(1);
    bool called = false;  // guarded by mutex_
    auto waited = std::async(std::launch::async, [&] {
      std::unique_lock lock(mutex_);
      begun.count_down();
      while (!called) clock_.wait_until(lock, wake_, mail::SteadyTime::max(), {});
      return lock.owns_lock();
    });
    begun.wait();
    {
      const std::lock_guard lock(mutex_);
      called = true;
    }
    wake_.notify_one();
    CPPUNIT_ASSERT(waited.get());
  }

  void stop_ends_a_wait_for_ever() {
    std::stop_source stop;
    std::latch begun(1);
    auto waited = std::async(std::launch::async, [&] {
      std::unique_lock lock(mutex_);
      begun.count_down();
      while (!stop.stop_requested()) clock_.wait_until(lock, wake_, mail::SteadyTime::max(), stop.get_token());
      return lock.owns_lock();
    });
    begun.wait();
    stop.request_stop();
    CPPUNIT_ASSERT(waited.get());
  }

 private:
  mail::Clock& clock_ = mail::system_clock();
  std::mutex mutex_;
  std::condition_variable_any wake_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClockTest);
