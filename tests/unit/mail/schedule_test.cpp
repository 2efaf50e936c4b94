#include "mail/schedule.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <future>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "mail/random.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"

namespace {

using namespace std::chrono_literals;
using Ids = std::vector<std::uint64_t>;

}  // namespace

class ScheduleTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ScheduleTest);
  CPPUNIT_TEST(lowest_priority_value_first_then_earliest_due);
  CPPUNIT_TEST(what_is_not_due_is_not_taken_whatever_its_priority);
  CPPUNIT_TEST(no_priority_is_served_last);
  CPPUNIT_TEST(who_waits_too_long_goes_first);
  CPPUNIT_TEST(busy_ids_of_a_high_priority_starve_nobody);
  CPPUNIT_TEST(the_slow_leave_takers_to_the_quick);
  CPPUNIT_TEST(a_slow_one_that_is_away_does_not_count);
  CPPUNIT_TEST(a_slow_one_that_ends_wakes_the_next);
  CPPUNIT_TEST(planning_again_replaces);
  CPPUNIT_TEST(hasten_is_never_later);
  CPPUNIT_TEST(planned_while_running_takes_effect_when_done);
  CPPUNIT_TEST(not_planned_again_is_forgotten);
  CPPUNIT_TEST(done_without_running_changes_nothing);
  CPPUNIT_TEST(cancelled_is_forgotten);
  CPPUNIT_TEST(cancelled_while_running_cannot_be_planned_by_its_runner);
  CPPUNIT_TEST(more_of_a_group);
  CPPUNIT_TEST(more_of_a_group_ahead_of_time);
  CPPUNIT_TEST(group_zero_is_no_group);
  CPPUNIT_TEST(stop_ends_a_wait);
  CPPUNIT_TEST(stop_comes_before_what_is_due);
  CPPUNIT_TEST(time_wakes_a_waiter);
  CPPUNIT_TEST(an_earlier_plan_wakes_the_waiter);
  CPPUNIT_TEST(a_waiter_that_leaves_hands_its_call_on);
  CPPUNIT_TEST(on_the_machines_clock_a_plan_wakes_and_time_wakes);
  CPPUNIT_TEST(no_wake_up_is_lost_among_many);
  CPPUNIT_TEST(ten_thousand_in_order);
  CPPUNIT_TEST_SUITE_END();

 public:
  void lowest_priority_value_first_then_earliest_due() {
    schedule_.plan(1, in(-1ms), 10);
    schedule_.plan(2, in(-2ms), 10);
    schedule_.plan(3, in(-3ms), 20);
    schedule_.plan(4, in(0ms), 5);
    CPPUNIT_ASSERT((Ids{4, 2, 1, 3}) == take(4));
  }

  void what_is_not_due_is_not_taken_whatever_its_priority() {
    schedule_.plan(1, in(1ms), 0);
    schedule_.plan(2, in(0ms), 9);
    CPPUNIT_ASSERT((Ids{2}) == take(1));
    CPPUNIT_ASSERT(!schedule_.running(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, schedule_.planned());
    clock_.advance(1ms);
    CPPUNIT_ASSERT((Ids{1}) == take(1));
  }

  void no_priority_is_served_last() {
    schedule_.plan(1, in(-10s));
    schedule_.plan(2, in(0ms), 4'000'000'000u);
    CPPUNIT_ASSERT((Ids{2, 1}) == take(2));
  }

  // The documents' example: 5 goes before 10, however long 10 has waited, up to the bound. Of those beyond it the one
  // that has waited longest is first, and a batch of a group is filled in the same order.
  void who_waits_too_long_goes_first() {
    constexpr auto bound = mail::Schedule::longest_wait;
    schedule_.plan(1, in(1ms - bound), 10);
    schedule_.plan(2, in(0ms), 5);
    CPPUNIT_ASSERT((Ids{2}) == take(1));
    schedule_.done(2);
    schedule_.plan(2, in(0ms), 5);
    schedule_.plan(3, in(2ms - bound), 20);
    clock_.advance(2ms);
    CPPUNIT_ASSERT((Ids{1, 3, 2}) == take(3));
    for (const std::uint64_t id : {1u, 2u, 3u}) schedule_.done(id);
    schedule_.plan(1, in(-bound), 10, 7);
    schedule_.plan(2, in(0ms), 5, 7);
    schedule_.plan(3, in(-bound - 1ms), 20, 7);
    schedule_.plan(4, in(0ms), 1, 8);
    CPPUNIT_ASSERT((Ids{3, 1, 2}) == schedule_.take_more(7, 9));
  }

  // One worker, turns of a second, and twice as many ids of priority 5 as it can serve: each is due again as soon as it
  // is done. Priority 10 has its turn within the bound and the turns of those that have waited even longer.
  void busy_ids_of_a_high_priority_starve_nobody() {
    constexpr std::uint64_t busy = 20, quiet = 3;  // ids 1 to 20, and 21 to 23
    for (std::uint64_t id = 1; id <= busy + quiet; ++id) schedule_.plan(id, in(0ms), id <= busy ? 5 : 10);
    std::map<std::uint64_t, mail::SteadyTime> last;
    for (std::uint64_t id = 1; id <= busy + quiet; ++id) last[id] = in(0ms);
    std::map<std::uint64_t, std::chrono::milliseconds> longest;
    std::map<std::uint64_t, unsigned> turns;
    for (int second = 0; second < 600; ++second) {
      const std::uint64_t id = take(1).front();
      ++turns[id];
      longest[id] = std::max(longest[id], std::chrono::ceil<std::chrono::milliseconds>(in(0ms) - last[id]));
      clock_.advance(1s);
      last[id] = in(0ms);
      schedule_.plan(id, in(0ms), id <= busy ? 5 : 10);
      schedule_.done(id);
    }
    for (std::uint64_t id = busy + 1; id <= busy + quiet; ++id) {
      CPPUNIT_ASSERT(turns[id] >= 10);
      CPPUNIT_ASSERT(longest[id] <= mail::Schedule::longest_wait + std::chrono::seconds(busy + quiet));
    }
  }

  void the_slow_leave_takers_to_the_quick() {
    static_assert(mail::Schedule::most_slow(1) == 1 && mail::Schedule::most_slow(2) == 1);
    static_assert(mail::Schedule::most_slow(4) == 3 && mail::Schedule::most_slow(8) == 6);
    mail::Schedule schedule(clock_, 2);
    for (const std::uint64_t id : {1u, 2u, 3u}) schedule.plan(id, in(0ms), 1, 7, mail::Schedule::Pace::slow);
    schedule.plan(4, in(0ms), 9);
    schedule.plan(5, in(0ms), 9);
    CPPUNIT_ASSERT(schedule.take_more(7, 9).empty());  // a slow one shares no batch
    const auto take = [&schedule] { return schedule.take({}).value(); };
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, take());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, take());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{4}, take());  // two are enough, whatever the third one's priority and age
    clock_.advance(2 * mail::Schedule::longest_wait);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{5}, take());
    schedule.plan(1, in(0ms), 1);  // quick from now on; it still counts until it is done
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, schedule.planned());
    schedule.done(1);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, take());
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, take());
    schedule.cancel(2);
    schedule.done(2);
    schedule.plan(6, in(0ms), 1, 0, mail::Schedule::Pace::slow);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{6}, take());
  }

  void a_slow_one_that_is_away_does_not_count() {
    mail::Schedule schedule(clock_, 1);
    for (const std::uint64_t id : {1u, 2u}) schedule.plan(id, in(0ms), 1, 0, mail::Schedule::Pace::slow);
    schedule.plan(3, in(0ms), 9);
    const auto take = [&schedule] { return schedule.take({}).value(); };
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, take());
    schedule.away(1);
    schedule.away(1);
    schedule.away(99);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, take());
    schedule.back(1);
    schedule.back(1);  // there are two now: no third one until both are done
    schedule.done(2);
    schedule.plan(2, in(0ms), 1, 0, mail::Schedule::Pace::slow);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, take());
    schedule.done(1);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, take());
  }

  void a_slow_one_that_ends_wakes_the_next() {
    mail::Clock& clock = mail::system_clock();
    mail::Schedule schedule(clock, 1);
    for (const std::uint64_t id : {1u, 2u, 3u}) schedule.plan(id, clock.now(), 1, 0, mail::Schedule::Pace::slow);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, schedule.take({}).value());
    auto second = std::async(std::launch::async, [&] { return schedule.take({}); });
    schedule.done(1);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, second.get().value());
    auto third = std::async(std::launch::async, [&] { return schedule.take({}); });
    schedule.away(2);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{3}, third.get().value());
  }

  void planning_again_replaces() {
    schedule_.plan(1, in(0ms), 1);
    schedule_.plan(2, in(0ms), 2, 7);
    schedule_.plan(1, in(0ms), 3);     // priority
    schedule_.plan(2, in(5ms), 2, 8);  // due and group, of one that was due already
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, schedule_.planned());
    CPPUNIT_ASSERT((Ids{1}) == take(1));
    clock_.advance(5ms);
    CPPUNIT_ASSERT(schedule_.take_more(7, 9).empty());
    CPPUNIT_ASSERT((Ids{2}) == schedule_.take_more(8, 9));
  }

  void hasten_is_never_later() {
    schedule_.plan(1, in(10ms), 3, 7);
    schedule_.hasten(1, in(20ms));
    clock_.advance(10ms);
    schedule_.hasten(1, in(5ms));
    CPPUNIT_ASSERT((Ids{1}) == schedule_.take_more(7, 1));  // group kept
    schedule_.done(1);
    schedule_.plan(1, in(10ms), 3);
    schedule_.plan(2, in(0ms), 4);
    schedule_.hasten(1, in(0ms));
    schedule_.hasten(3, in(0ms));               // unknown: planned
    CPPUNIT_ASSERT((Ids{1, 2, 3}) == take(3));  // priority kept
    schedule_.hasten(4, in(0ms), 1, 7);         // unknown: with what is given
    schedule_.hasten(4, in(-1ms), 9, 8);
    CPPUNIT_ASSERT((Ids{4}) == schedule_.take_more(7, 9));
  }

  void planned_while_running_takes_effect_when_done() {
    schedule_.plan(1, in(0ms));
    CPPUNIT_ASSERT((Ids{1}) == take(1));
    schedule_.plan(1, in(10ms), 1, 7);
    schedule_.plan(1, in(20ms), 2, 8);  // the earliest due counts
    CPPUNIT_ASSERT(schedule_.running(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, schedule_.planned());
    schedule_.done(1);
    CPPUNIT_ASSERT(!schedule_.running(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, schedule_.planned());
    clock_.advance(10ms);
    CPPUNIT_ASSERT((Ids{1}) == schedule_.take_more(8, 1));
    schedule_.plan(1, in(1h), 1, 8);
    schedule_.hasten(1, in(0ms));
    schedule_.done(1);
    CPPUNIT_ASSERT((Ids{1}) == schedule_.take_more(8, 1));
    schedule_.hasten(1, in(0ms));  // no plan yet: this is the plan, with the group it has
    schedule_.done(1);
    CPPUNIT_ASSERT((Ids{1}) == schedule_.take_more(8, 1));
  }

  void not_planned_again_is_forgotten() {
    schedule_.plan(1, in(0ms));
    take(1);
    schedule_.done(1);
    CPPUNIT_ASSERT(!schedule_.running(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, schedule_.planned());
  }

  void done_without_running_changes_nothing() {
    schedule_.plan(1, in(0ms));
    schedule_.done(1);
    schedule_.done(2);
    CPPUNIT_ASSERT((Ids{1}) == take(1));
  }

  void cancelled_is_forgotten() {
    schedule_.plan(1, in(0ms), 1, 7);
    schedule_.plan(2, in(0ms), 2, 7);
    CPPUNIT_ASSERT((Ids{1}) == schedule_.take_more(7, 1));
    schedule_.done(1);
    schedule_.plan(1, in(0ms), 1, 7);
    schedule_.cancel(1);
    schedule_.cancel(3);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, schedule_.planned());
    CPPUNIT_ASSERT((Ids{2}) == schedule_.take_more(7, 9));
  }

  void cancelled_while_running_cannot_be_planned_by_its_runner() {
    schedule_.plan(1, in(0ms));
    take(1);
    schedule_.plan(1, in(0ms));
    schedule_.cancel(1);
    CPPUNIT_ASSERT(schedule_.running(1));
    schedule_.plan(1, in(0ms));
    schedule_.hasten(1, in(0ms));
    schedule_.done(1);
    CPPUNIT_ASSERT(!schedule_.running(1));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, schedule_.planned());
    schedule_.plan(1, in(0ms));  // a new beginning
    CPPUNIT_ASSERT((Ids{1}) == take(1));
  }

  void more_of_a_group() {
    schedule_.plan(1, in(0ms), 9, 7);
    schedule_.plan(2, in(0ms), 1, 8);
    schedule_.plan(3, in(0ms), 2, 7);
    schedule_.plan(4, in(0ms), 3, 7);
    schedule_.plan(5, in(1ms), 0, 7);
    CPPUNIT_ASSERT((Ids{3, 4}) == schedule_.take_more(7, 2));
    CPPUNIT_ASSERT(schedule_.running(3));
    CPPUNIT_ASSERT((Ids{1}) == schedule_.take_more(7, 9));
    CPPUNIT_ASSERT(schedule_.take_more(7, 9).empty());
    CPPUNIT_ASSERT(schedule_.take_more(9, 9).empty());
    clock_.advance(1ms);
    CPPUNIT_ASSERT((Ids{5}) == schedule_.take_more(7, 9));  // finds by itself what has become due
    CPPUNIT_ASSERT((Ids{2}) == take(1));
  }

  void more_of_a_group_ahead_of_time() {
    schedule_.plan(1, in(3ms), 1, 7);
    schedule_.plan(2, in(2ms), 9, 7);
    schedule_.plan(3, in(4ms), 1, 7);
    schedule_.plan(4, in(1ms), 1, 8);
    schedule_.plan(5, in(0ms), 9, 7);
    schedule_.plan(6, in(1ms), 1);
    CPPUNIT_ASSERT((Ids{5, 2, 1}) == schedule_.take_more(7, 9, 3ms));  // what is due goes first, whatever its priority
    CPPUNIT_ASSERT(schedule_.running(2));
    CPPUNIT_ASSERT(schedule_.take_more(7, 9, 3ms).empty());
    schedule_.plan(2, in(2ms), 1, 8);  // its runner plans it into another group
    schedule_.done(2);
    schedule_.done(5);
    CPPUNIT_ASSERT((Ids{4}) == schedule_.take_more(8, 1, 3ms));
    CPPUNIT_ASSERT((Ids{2}) == schedule_.take_more(8, 9, 3ms));
    schedule_.cancel(3);
    CPPUNIT_ASSERT(schedule_.take_more(7, 9, 9ms).empty());
    clock_.advance(1ms);
    CPPUNIT_ASSERT((Ids{6}) == take(1));
  }

  void group_zero_is_no_group() {
    schedule_.plan(1, in(0ms));
    CPPUNIT_ASSERT(schedule_.take_more(0, 9).empty());
    schedule_.plan(2, in(1ms));
    CPPUNIT_ASSERT(schedule_.take_more(0, 9, 1ms).empty());
  }

  void stop_ends_a_wait() {
    schedule_.plan(1, in(1h));
    std::stop_source stop;
    auto waiters = {waiter(stop), waiter(stop), waiter(stop)};
    stop.request_stop();
    for (const auto& taken : waiters) CPPUNIT_ASSERT(!taken.wait_and_get());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, schedule_.planned());
  }

  void stop_comes_before_what_is_due() {
    schedule_.plan(1, in(0ms));
    std::stop_source stop;
    stop.request_stop();
    CPPUNIT_ASSERT(!schedule_.take(stop.get_token()));
    CPPUNIT_ASSERT((Ids{1}) == take(1));
  }

  void time_wakes_a_waiter() {
    schedule_.plan(1, in(10s));
    std::stop_source stop;
    const auto taken = waiter(stop);
    clock_.advance(10s);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{1}, taken.wait_and_get().value());
  }

  void an_earlier_plan_wakes_the_waiter() {
    schedule_.plan(1, in(1h));
    std::stop_source stop;
    const auto first = waiter(stop), second = waiter(stop);
    schedule_.plan(2, in(0ms));
    schedule_.plan(3, in(0ms));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{5}, first.wait_and_get().value() + second.wait_and_get().value());
  }

  void a_waiter_that_leaves_hands_its_call_on() {
    for (std::uint64_t round = 1; round <= 200; ++round) {
      std::stop_source leaving, staying;
      const auto leaves = waiter(leaving), stays = waiter(staying);
      std::latch together(2);
      std::thread leave([&] {
        together.arrive_and_wait();
        leaving.request_stop();
      });
      together.arrive_and_wait();
      schedule_.plan(round, in(0ms));
      leave.join();
      // Either of them has it; when the leaver does not, the other one was called.
      if (!leaves.wait_and_get()) CPPUNIT_ASSERT_EQUAL(round, stays.wait_and_get().value());
      staying.request_stop();
      stays.wait_and_get();
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, schedule_.planned());
      schedule_.done(round);
    }
  }

  void on_the_machines_clock_a_plan_wakes_and_time_wakes() {
    mail::Clock& clock = mail::system_clock();
    mail::Schedule schedule(clock);
    schedule.plan(1, clock.now() + 1h);
    auto taken = std::async(std::launch::async, [&] { return schedule.take({}); });
    schedule.plan(2, clock.now() + 2ms);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{2}, taken.get().value());
    std::stop_source stop;
    taken = std::async(std::launch::async, [&] { return schedule.take(stop.get_token()); });
    stop.request_stop();
    CPPUNIT_ASSERT(!taken.get());
  }

  // Planners and takers on the machine's clock: each id is run as often as it was planned, and nobody waits for ever.
  void no_wake_up_is_lost_among_many() {
    constexpr std::uint64_t planners = 3, each = 2'000;
    mail::Clock& clock = mail::system_clock();
    mail::Schedule schedule(clock);
    std::mutex mutex;
    std::set<std::uint64_t> seen;
    std::latch all(planners * each);
    std::stop_source stop;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        while (const auto id = schedule.take(stop.get_token())) {
          {
            const std::lock_guard lock(mutex);
            if (!seen.insert(*id).second) continue;
          }
          schedule.done(*id);
          all.count_down();
        }
      });
    }
    for (std::uint64_t p = 0; p < planners; ++p) {
      threads.emplace_back([&, p] {
        for (std::uint64_t i = 1; i <= each; ++i) {
          const auto id = p * each + i;
          schedule.plan(id, clock.now() + std::chrono::microseconds(id * 7919 % 300),
                        static_cast<std::uint32_t>(id % 5));
        }
      });
    }
    all.wait();
    stop.request_stop();
    for (auto& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(std::size_t{planners * each}, seen.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, schedule.planned());
  }

  void ten_thousand_in_order() {
    support::FixedRandom random;
    struct Want {
      std::uint32_t priority;
      mail::SteadyTime due;
      std::uint64_t id;
      bool operator<(const Want& o) const { return std::tie(priority, due, id) < std::tie(o.priority, o.due, o.id); }
    };
    std::set<Want> want;
    for (std::uint64_t id = 1; id <= 10'000; ++id) {
      const auto due = in(-std::chrono::milliseconds(random.below(5'000)));
      const auto priority = static_cast<std::uint32_t>(random.below(4));
      schedule_.plan(id, due, priority);
      want.insert({priority, due, id});
    }
    const Ids taken = take(10'000);
    CPPUNIT_ASSERT(std::equal(want.begin(), want.end(), taken.begin(), taken.end(),
                              [](const Want& w, std::uint64_t id) { return w.id == id; }));
  }

 private:
  struct Waiter {
    std::shared_future<std::optional<std::uint64_t>> taken;
    std::optional<std::uint64_t> wait_and_get() const { return taken.get(); }
  };

  mail::SteadyTime in(std::chrono::milliseconds time) const { return clock_.now() + time; }

  Waiter waiter(const std::stop_source& stop) {
    return {std::async(std::launch::async, [this, token = stop.get_token()] { return schedule_.take(token); }).share()};
  }

  Ids take(std::size_t count) {
    Ids ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(schedule_.take({}).value());
    return ids;
  }

  support::ManualClock clock_;
  mail::Schedule schedule_{clock_};
};

CPPUNIT_TEST_SUITE_REGISTRATION(ScheduleTest);
