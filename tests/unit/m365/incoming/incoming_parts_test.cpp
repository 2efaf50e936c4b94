// The small parts that decide: what comes next, when to stop, what is remembered, what is told.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/health_reporter.h"
#include "m365/incoming/aside_note.h"
#include "m365/incoming/refusal_guard.h"
#include "m365/incoming/stream_plan.h"
#include "m365/message/page_salvage.h"

namespace {

using namespace std::chrono_literals;
using m365::AsideKind;
using m365::AsideNote;
using m365::decide_next;
using m365::RefusalGuard;
using m365::Step;
using m365::StreamFacts;

constexpr mail::SteadyTime now = mail::SteadyTime{} + std::chrono::hours(5);

class IncomingPartsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingPartsTest);
  CPPUNIT_TEST(each_step_has_its_place);
  CPPUNIT_TEST(rests_until_the_earliest_time);
  CPPUNIT_TEST(ten_within_an_hour_trip_the_guard);
  CPPUNIT_TEST(probes_come_ever_more_seldom);
  CPPUNIT_TEST(a_note_is_written_and_read);
  CPPUNIT_TEST(stable_ids_tell_mails_apart);
  CPPUNIT_TEST(links_and_ids_are_salvaged);
  CPPUNIT_TEST(health_tells_changes_only);
  CPPUNIT_TEST(health_shows_the_worst);
  CPPUNIT_TEST_SUITE_END();

 public:
  void each_step_has_its_place() {
    StreamFacts facts;
    facts.idle_to_say = true;
    facts.poll_due = facts.walk_due = now + 1h;
    expect(Step::say_idle, facts);
    facts.walking = true;
    expect(Step::walk, facts, false);
    facts.opened = true;
    expect(Step::walk, facts);
    facts.poll_due = now;
    expect(Step::poll, facts);
    facts.first_walk = true;
    expect(Step::walk, facts);
    facts.aside_due = now;
    expect(Step::retry_asides, facts);
    facts.others_first = true;
    expect(Step::walk, facts);
    facts.list_due = now + 1h;
    expect(Step::retry_asides, facts);
    facts.first_walk = facts.walking = false;
    expect(Step::poll, facts);
    facts.poll_due = now + 1h;
    expect(Step::retry_asides, facts);
    facts.walk_due = now;
    expect(Step::walk, facts);
    facts.mails_in_hand = true;
    expect(Step::deliver, facts);
    facts.window_full = true;
    expect(Step::rest, facts);
    CPPUNIT_ASSERT(decide_next(facts, now).due == mail::SteadyTime::max());
    facts.incident = true;
    facts.probe_due = now;
    expect(Step::probe, facts);
    facts.incident_to_hold = true;
    expect(Step::hold_incident, facts);
    facts.receipts_unsaved = true;
    expect(Step::save_receipts, facts);
    facts.backed_off_until = now + 1s;
    expect(Step::rest, facts);
  }

  void rests_until_the_earliest_time() {
    StreamFacts facts;
    facts.opened = true;
    facts.poll_due = now + 10s;
    facts.walk_due = now + 20s;
    CPPUNIT_ASSERT(decide_next(facts, now).due == now + 10s);
    facts.aside_due = now + 5s;
    CPPUNIT_ASSERT(decide_next(facts, now).due == now + 5s);
    // A list at work: its next page, not the next list. The first one keeps even polls waiting.
    facts.walking = true;
    facts.list_due = now + 3s;
    CPPUNIT_ASSERT(decide_next(facts, now).due == now + 3s);
    facts.first_walk = true;
    facts.poll_due = now;
    expect(Step::rest, facts);
    CPPUNIT_ASSERT(decide_next(facts, now).due == now + 3s);
  }

  void ten_within_an_hour_trip_the_guard() {
    RefusalGuard guard;
    for (int i = 0; i < 30; ++i) CPPUNIT_ASSERT(!guard.rejected(now + i * 7min));  // nine in any hour
    guard.release();
    for (int i = 0; i < 9; ++i) CPPUNIT_ASSERT(!guard.rejected(now + i * 6min));
    CPPUNIT_ASSERT(guard.rejected(now + 59min));
    CPPUNIT_ASSERT(guard.incident() == RefusalGuard::Incident::host_refuses);
    CPPUNIT_ASSERT(!guard.rejected(now + 59min));  // told once
    guard.release();
    for (int i = 0; i < 4; ++i) CPPUNIT_ASSERT(!guard.unreadable(now));
    CPPUNIT_ASSERT(guard.unreadable(now));
    CPPUNIT_ASSERT(guard.incident() == RefusalGuard::Incident::service_fault);
  }

  void probes_come_ever_more_seldom() {
    RefusalGuard guard;
    for (int i = 0; i < 10; ++i) guard.rejected(now);
    CPPUNIT_ASSERT(guard.probe_due() == now + 15min);
    guard.probe_failed(now);
    CPPUNIT_ASSERT(guard.probe_due() == now + 30min);
    for (int i = 0; i < 9; ++i) guard.probe_failed(now);
    CPPUNIT_ASSERT(guard.probe_due() == now + 4h);
    guard.release();
    CPPUNIT_ASSERT(!guard.tripped());
    for (int i = 0; i < 5; ++i) guard.unreadable(now);
    guard.try_again();
    CPPUNIT_ASSERT(!guard.tripped());
    for (int i = 0; i < 5; ++i) guard.unreadable(now);
    CPPUNIT_ASSERT(guard.probe_due() == now + 30min);
  }

  void a_note_is_written_and_read() {
    for (const AsideKind kind : {AsideKind::offered, AsideKind::retry, AsideKind::listed, AsideKind::scan,
                                 AsideKind::unreadable, AsideKind::refused, AsideKind::watch}) {
      const AsideNote note = m365::from_reason(m365::to_reason({kind, "aa", "bb", true, true}));
      CPPUNIT_ASSERT(note.kind == kind);
      CPPUNIT_ASSERT_EQUAL(std::string("aa"), note.fingerprint);
      CPPUNIT_ASSERT_EQUAL(std::string("bb"), note.stable_id);
      CPPUNIT_ASSERT(note.replaced && note.around);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("retry"), m365::to_reason({AsideKind::retry, "", "", false, false}));
    const AsideNote newer = m365::from_reason("scan colour=blue fp=cc");
    CPPUNIT_ASSERT(newer.kind == AsideKind::scan && !newer.replaced && !newer.around);
    CPPUNIT_ASSERT_EQUAL(std::string("cc"), newer.fingerprint);
  }

  void stable_ids_tell_mails_apart() {
    const std::string id = m365::stable_id_of("Contoso.com", "AAk-1=");
    CPPUNIT_ASSERT_EQUAL(std::size_t{32}, id.size());
    CPPUNIT_ASSERT_EQUAL(id, m365::stable_id_of("contoso.COM", "AAk-1="));
    CPPUNIT_ASSERT(id != m365::stable_id_of("contoso.com", "aak-1="));
    store::Fingerprint fingerprint{"box", "<a@b>", "ann", {}};
    CPPUNIT_ASSERT(m365::digest_of(fingerprint).empty());  // no time, no second key
    fingerprint.received = mail::WallTime(5ms);
    const std::string digest = m365::digest_of(fingerprint);
    fingerprint.received = mail::WallTime(6ms);
    CPPUNIT_ASSERT(digest != m365::digest_of(fingerprint));
  }

  void links_and_ids_are_salvaged() {
    const m365::Salvage found = m365::salvage(
        "{\"value\":[{\"subject\":\"\\\"id\\\":\\\"no\\\" \xff\",\"id\" : \"AAk-7=\"}],"
        "\"@odata.nextLink\":\"https:\\/\\/graph\\/x?a=1\\u0026b=2\"}");
    CPPUNIT_ASSERT_EQUAL(std::string("AAk-7="), found.id);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph/x?a=1&b=2"), found.next_link);
    CPPUNIT_ASSERT(found.delta_link.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("x"), m365::salvage("{\"@odata.deltaLink\":\"x\"").delta_link);
    CPPUNIT_ASSERT(m365::salvage("{\"@odata.nextLink\":\"cut").next_link.empty());
    CPPUNIT_ASSERT(m365::salvage("").id.empty());
  }

  void health_tells_changes_only() {
    std::vector<mail::Health> told;
    m365::HealthReporter health([&told](const mail::Health& state) { told.push_back(state); });
    mail::WallTime wall(1h);
    health.starting(wall);
    health.starting(wall);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, told.size());
    health.success(wall);
    health.success(wall + 1s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, told.size());
    CPPUNIT_ASSERT(told.back().state == mail::State::ready);
    health.trouble(m365::Aspect::fetching, fault(mail::Cause::network, mail::Remedy::wait), 5s, wall + 2s);
    health.trouble(m365::Aspect::fetching, fault(mail::Cause::network, mail::Remedy::wait), 9s, wall + 7s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, told.size());
    CPPUNIT_ASSERT(told.back().state == mail::State::degraded);
    CPPUNIT_ASSERT(told.back().since == wall + 2s);
    CPPUNIT_ASSERT(told.back().last_success == wall + 1s);
    CPPUNIT_ASSERT(told.back().retry_after == 5s);
    health.trouble(m365::Aspect::fetching, fault(mail::Cause::none, mail::Remedy::cancelled), 0s, wall + 8s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, told.size());
    health.success(wall + 9s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, told.size());
    CPPUNIT_ASSERT(told.back().text.empty());
  }

  void health_shows_the_worst() {
    mail::Health last;
    m365::HealthReporter health([&last](const mail::Health& state) { last = state; });
    const mail::WallTime wall(1h);
    health.success(wall);
    health.degraded(m365::Aspect::notice, fault(mail::Cause::first_fetch, mail::Remedy::administrator), 0s, wall);
    CPPUNIT_ASSERT(last.state == mail::State::degraded && last.cause == mail::Cause::first_fetch);
    health.trouble(m365::Aspect::fetching, fault(mail::Cause::tls, mail::Remedy::administrator), 0s, wall);
    CPPUNIT_ASSERT(last.state == mail::State::failed && last.cause == mail::Cause::tls);
    health.success(wall + 1s);
    CPPUNIT_ASSERT(last.cause == mail::Cause::first_fetch);
    health.clear(m365::Aspect::notice, wall + 2s);
    CPPUNIT_ASSERT(last.state == mail::State::ready);
  }

 private:
  static void expect(Step step, StreamFacts facts, bool opened = true) {
    if (opened) facts.opened = true;
    CPPUNIT_ASSERT(decide_next(facts, now).step == (facts.opened ? step : Step::open));
  }

  static mail::Fault fault(mail::Cause cause, mail::Remedy remedy) {
    mail::Fault fault;
    fault.cause = cause;
    fault.remedy = remedy;
    fault.text = "something";
    return fault;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingPartsTest);

}  // namespace
