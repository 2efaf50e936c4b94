#include "http/gate.h"

#include <cppunit/extensions/HelperMacros.h>

#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "http/sliding_window.h"
#include "http/transport.h"
#include "support/manual_clock.h"

namespace {

using namespace std::chrono_literals;
using http::Gate;
using http::GateLimits;
using http::TransportError;
using http::Urgency;
using Pass = std::unique_ptr<Gate::Pass>;

std::optional<std::chrono::milliseconds> refused(Gate& gate, const std::vector<std::string>& mailboxes,
                                                 std::size_t bytes = 0) {
  try {
    gate.enter(mailboxes, bytes, Urgency::fetch, {});
    return {};
  } catch (const TransportError& error) {
    CPPUNIT_ASSERT(error.kind() == TransportError::Kind::throttled);
    CPPUNIT_ASSERT(!error.maybe_done());
    return error.retry_after();
  }
}

class GateTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GateTest);
  CPPUNIT_TEST(four_at_a_time_for_a_mailbox);
  CPPUNIT_TEST(mailboxes_are_apart_and_compared_without_case);
  CPPUNIT_TEST(senders_go_first);
  CPPUNIT_TEST(a_batch_takes_all_its_places_at_once);
  CPPUNIT_TEST(a_batch_takes_at_most_all_places);
  CPPUNIT_TEST(a_waiting_batch_holds_up_no_other_mailbox);
  CPPUNIT_TEST(batches_in_opposite_order_do_not_lock_up);
  CPPUNIT_TEST(stop_ends_the_wait);
  CPPUNIT_TEST(requests_are_counted);
  CPPUNIT_TEST(bytes_are_counted);
  CPPUNIT_TEST(shut_until_the_time_is_over);
  CPPUNIT_TEST(shutting_wakes_who_waits);
  CPPUNIT_TEST(a_pass_may_outlive_the_gate);
  CPPUNIT_TEST(the_window_never_counts_too_little);
  CPPUNIT_TEST_SUITE_END();

  support::ManualClock clock_;

  Pass enter(Gate& gate, std::vector<std::string> mailboxes, Urgency urgency = Urgency::fetch) {
    return gate.enter(mailboxes, 0, urgency, {});
  }

  std::future<Pass> enter_later(Gate& gate, std::vector<std::string> mailboxes, Urgency urgency = Urgency::fetch) {
    return std::async(std::launch::async,
                      [this, &gate, mailboxes, urgency] { return enter(gate, mailboxes, urgency); });
  }

 public:
  void four_at_a_time_for_a_mailbox() {
    Gate gate(clock_);
    std::vector<Pass> passes;
    for (int i = 0; i < 4; ++i) passes.push_back(enter(gate, {"a"}));
    auto fifth = enter_later(gate, {"a"});
    clock_.await_waiters(1);
    CPPUNIT_ASSERT(fifth.wait_for(0s) != std::future_status::ready);
    passes.pop_back();
    CPPUNIT_ASSERT(fifth.get());
  }

  void mailboxes_are_apart_and_compared_without_case() {
    Gate gate(clock_, {1});
    const Pass pass = enter(gate, {"Shop@Contoso.com"});
    CPPUNIT_ASSERT(enter(gate, {"other@contoso.com"}));
    auto same = enter_later(gate, {"shop@contoso.COM"});
    clock_.await_waiters(1);
    gate.shut("SHOP@contoso.com", 5s);
    CPPUNIT_ASSERT_THROW(same.get(), TransportError);
  }

  void senders_go_first() {
    Gate gate(clock_, {1});
    Pass pass = enter(gate, {"a"});
    auto fetch = enter_later(gate, {"a"}, Urgency::fetch);
    clock_.await_waiters(1);
    auto send = enter_later(gate, {"a"}, Urgency::send);
    clock_.await_waiters(2);
    pass.reset();
    pass = send.get();
    CPPUNIT_ASSERT(fetch.wait_for(0s) != std::future_status::ready);
    pass.reset();
    CPPUNIT_ASSERT(fetch.get());
  }

  void a_batch_takes_all_its_places_at_once() {
    Gate gate(clock_, {2});
    Pass a = enter(gate, {"a"});
    auto batch = enter_later(gate, {"a", "b", "a"});  // both places of a
    clock_.await_waiters(1);
    CPPUNIT_ASSERT(batch.wait_for(0s) != std::future_status::ready);
    a.reset();
    const Pass all = batch.get();
    CPPUNIT_ASSERT(enter(gate, {"b"}));
    auto more = enter_later(gate, {"a"});
    clock_.await_waiters(1);
    CPPUNIT_ASSERT(more.wait_for(0s) != std::future_status::ready);
    gate.shut("a", 1s);
    CPPUNIT_ASSERT_THROW(more.get(), TransportError);
  }

  void a_batch_takes_at_most_all_places() {
    Gate gate(clock_);
    CPPUNIT_ASSERT(enter(gate, std::vector<std::string>(20, "a")));
    CPPUNIT_ASSERT(enter(gate, {"a", "a", "a", "a"}));  // given back
  }

  void a_waiting_batch_holds_up_no_other_mailbox() {
    Gate gate(clock_, {1});
    Pass a = enter(gate, {"a"});
    auto batch = enter_later(gate, {"a", "b"});
    clock_.await_waiters(1);
    CPPUNIT_ASSERT(enter(gate, {"b"}));  // would hang if the batch held b already
    a.reset();
    CPPUNIT_ASSERT(batch.get());
  }

  void batches_in_opposite_order_do_not_lock_up() {
    Gate gate(clock_, {1, 1'000'000});
    const auto run = [&](std::vector<std::string> mailboxes) {
      for (int i = 0; i < 200; ++i) enter(gate, mailboxes);
    };
    std::thread other(run, std::vector<std::string>{"b", "a", "c"});
    run({"a", "b", "c"});
    other.join();
    CPPUNIT_ASSERT(enter(gate, {"a", "b", "c"}));
  }

  void stop_ends_the_wait() {
    Gate gate(clock_, {1});
    const Pass pass = enter(gate, {"a"});
    std::stop_source stop;
    auto waiting =
        std::async(std::launch::async, [&] { return gate.enter({"a"}, 0, Urgency::send, stop.get_token()); });
    clock_.await_waiters(1);
    stop.request_stop();
    try {
      waiting.get();
      CPPUNIT_FAIL("entered");
    } catch (const TransportError& error) {
      CPPUNIT_ASSERT(error.kind() == TransportError::Kind::cancelled);
    }
  }

  void requests_are_counted() {
    Gate gate(clock_, {4, 10, 600s});
    for (int i = 0; i < 8; ++i) CPPUNIT_ASSERT(!refused(gate, {"a"}));
    CPPUNIT_ASSERT(refused(gate, {"a", "a", "a"}) > 0ms);  // a batch counts what is inside
    CPPUNIT_ASSERT(!refused(gate, {"a", "a"}));
    const auto wait = refused(gate, {"a"});
    CPPUNIT_ASSERT(wait >= 600s && wait <= 630s);
    CPPUNIT_ASSERT(!refused(gate, {"b"}));
    clock_.advance(*wait - 1ms);
    CPPUNIT_ASSERT(refused(gate, {"a"}) == 1ms);
    clock_.advance(1ms);
    CPPUNIT_ASSERT(!refused(gate, {"a"}));
  }

  void bytes_are_counted() {
    Gate gate(clock_, {4, 100, 600s, 1000, 300s});
    CPPUNIT_ASSERT(!refused(gate, {"a"}, 900));
    CPPUNIT_ASSERT(refused(gate, {"a"}, 101) > 0ms);
    CPPUNIT_ASSERT(!refused(gate, {"a"}, 100));
    CPPUNIT_ASSERT(!refused(gate, {"a"}, 0));     // reading goes on
    CPPUNIT_ASSERT(!refused(gate, {"b"}, 5000));  // more than all, but it is alone: waiting would not help
    CPPUNIT_ASSERT(!refused(gate, {"c", "d"}, 1000));
    CPPUNIT_ASSERT(!refused(gate, {"c"}, 500));
    CPPUNIT_ASSERT(refused(gate, {"d"}, 501) > 0ms);
  }

  void shut_until_the_time_is_over() {
    Gate gate(clock_);
    CPPUNIT_ASSERT(gate.shut_for("a") == 0ms);
    gate.shut("A", 5s);
    gate.shut("a", 2s);  // shorter: the longer one stands
    CPPUNIT_ASSERT(gate.shut_for("a") == 5s);
    CPPUNIT_ASSERT(refused(gate, {"a"}) == 5s);
    CPPUNIT_ASSERT(refused(gate, {"b", "a"}) == 5s);
    CPPUNIT_ASSERT(!refused(gate, {"b"}));
    clock_.advance(5s);
    CPPUNIT_ASSERT(gate.shut_for("a") == 0ms);
    CPPUNIT_ASSERT(!refused(gate, {"a"}));
  }

  void shutting_wakes_who_waits() {
    Gate gate(clock_, {1});
    const Pass pass = enter(gate, {"a"});
    auto waiting = enter_later(gate, {"a"});
    clock_.await_waiters(1);
    gate.shut("a", 7s);
    try {
      waiting.get();
      CPPUNIT_FAIL("entered");
    } catch (const TransportError& error) {
      CPPUNIT_ASSERT(error.retry_after() == 7s);
    }
  }

  void a_pass_may_outlive_the_gate() {
    auto gate = std::make_unique<Gate>(clock_);
    Pass pass = enter(*gate, {"a"});
    gate.reset();
    pass.reset();
    CPPUNIT_ASSERT(!pass);
  }

  void the_window_never_counts_too_little() {
    http::SlidingWindow window(100, 10s);
    std::vector<std::pair<mail::SteadyTime, int>> used;  // the truth
    mail::SteadyTime now = clock_.now();
    for (int i = 0; i < 2000; ++i) {
      now += std::chrono::milliseconds(i * 7919 % 400);
      const int amount = 1 + i * 31 % 9;
      if (window.wait_for(static_cast<std::uint64_t>(amount), now) > 0ms) continue;
      window.use(static_cast<std::uint64_t>(amount), now);
      used.push_back({now, amount});
      int sum = 0;
      for (const auto& [time, each] : used) sum += now - time < 10s ? each : 0;
      CPPUNIT_ASSERT(sum <= 100);
    }
    CPPUNIT_ASSERT(used.size() > 500);  // and not far too much either
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(GateTest);

}  // namespace
