#include "runtime/watch.h"

#include "host/support.h"

namespace {

using runtime::Health;
using runtime::Watch;

Health health(uint32_t state, uint32_t cause, const std::string& message = "words") {
  Health now;
  now.state = state;
  now.cause = cause;
  now.message = message;
  return now;
}

class WatchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WatchTest);
  CPPUNIT_TEST(settles_when_every_mailbox_is_idle);
  CPPUNIT_TEST(a_mail_undoes_idle);
  CPPUNIT_TEST(what_needs_an_administrator_has_ended);
  CPPUNIT_TEST(knows_when_nothing_was_reached);
  CPPUNIT_TEST(other_trouble_is_retried_until_patience_ends);
  CPPUNIT_TEST(progress_renews_patience);
  CPPUNIT_TEST(trouble_of_a_server_is_that_of_its_mailboxes);
  CPPUNIT_TEST(a_full_disk_is_trouble);
  CPPUNIT_TEST(names_states_and_causes);
  CPPUNIT_TEST_SUITE_END();

  static constexpr std::int64_t kPatience = 100;
  Watch watch_;
  std::size_t server_ = 0, first_ = 0, second_ = 0;

 public:
  void setUp() override {
    server_ = watch_.add_server("Server");
    first_ = watch_.add_mailbox(server_, "First <a@x>");
    second_ = watch_.add_mailbox(server_, "Second <b@x>");
  }

 private:
  bool settled(std::int64_t now) { return watch_.standing(now, kPatience).settled(); }

  void settles_when_every_mailbox_is_idle() {
    CPPUNIT_ASSERT(!settled(0));
    watch_.idle(first_);
    CPPUNIT_ASSERT(!settled(1'000'000));  // the second is only slow
    watch_.idle(second_);
    CPPUNIT_ASSERT(settled(0));
    CPPUNIT_ASSERT(watch_.failures(0, kPatience).empty());
    CPPUNIT_ASSERT(!watch_.nothing_reached(0, kPatience));
  }

  void a_mail_undoes_idle() {
    watch_.idle(first_);
    watch_.idle(second_);
    watch_.message_began(second_);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, watch_.standing(0, kPatience).undecided);
    watch_.message_ended(second_, true, 0);
    CPPUNIT_ASSERT(!settled(0));
    watch_.idle(second_);
    CPPUNIT_ASSERT(settled(0));
  }

  void what_needs_an_administrator_has_ended() {
    watch_.idle(first_);
    watch_.mailbox_health(second_, health(MAILPLUGIN_FAILED, MAILPLUGIN_CAUSE_MAILBOX_FORBIDDEN, "Not yours."), 0);
    CPPUNIT_ASSERT(settled(0));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, watch_.failures(0, kPatience).size());
    CPPUNIT_ASSERT_EQUAL(std::string("Second <b@x>: Not yours."), watch_.failures(0, kPatience)[0]);
    watch_.mailbox_health(second_, health(MAILPLUGIN_READY, MAILPLUGIN_CAUSE_NONE), 1);
    CPPUNIT_ASSERT(!settled(1));  // repaired: it is read now
    watch_.mailbox_health(second_, health(MAILPLUGIN_DEGRADED, MAILPLUGIN_CAUSE_FIRST_FETCH), 2);
    CPPUNIT_ASSERT(settled(2));
  }

  void knows_when_nothing_was_reached() {
    CPPUNIT_ASSERT(!watch_.nothing_reached(0, kPatience));
    watch_.mailbox_health(first_, health(MAILPLUGIN_FAILED, MAILPLUGIN_CAUSE_MAILBOX_UNKNOWN), 0);
    CPPUNIT_ASSERT(!watch_.nothing_reached(0, kPatience));
    watch_.mailbox_health(second_, health(MAILPLUGIN_DEGRADED, MAILPLUGIN_CAUSE_NETWORK), 0);
    CPPUNIT_ASSERT(!watch_.nothing_reached(99, kPatience));
    CPPUNIT_ASSERT(watch_.nothing_reached(100, kPatience));
    watch_.mailbox_health(second_, health(MAILPLUGIN_DEGRADED, MAILPLUGIN_CAUSE_FIRST_FETCH), 0);
    CPPUNIT_ASSERT(!watch_.nothing_reached(100, kPatience));  // it answers, and waits for a choice
    watch_.mailbox_health(second_, health(MAILPLUGIN_FAILED, MAILPLUGIN_CAUSE_NETWORK), 0);
    watch_.message_began(second_);
    watch_.message_ended(second_, true, 0);
    CPPUNIT_ASSERT(!watch_.nothing_reached(1000, kPatience));
  }

  void other_trouble_is_retried_until_patience_ends() {
    watch_.idle(first_);
    watch_.mailbox_health(second_, health(MAILPLUGIN_FAILED, MAILPLUGIN_CAUSE_NETWORK), 1000);
    watch_.mailbox_health(second_, health(MAILPLUGIN_DEGRADED, MAILPLUGIN_CAUSE_SERVICE_FAULT), 1050);
    CPPUNIT_ASSERT(!settled(1099));
    CPPUNIT_ASSERT_EQUAL(std::int64_t{1100}, *watch_.next_change(1099, kPatience));
    CPPUNIT_ASSERT(settled(1100));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, watch_.failures(1100, kPatience).size());
    CPPUNIT_ASSERT(!watch_.next_change(1100, kPatience).has_value());
  }

  void progress_renews_patience() {
    watch_.idle(first_);
    watch_.mailbox_health(second_, health(MAILPLUGIN_DEGRADED, MAILPLUGIN_CAUSE_THROTTLED), 0);
    watch_.message_began(second_);
    watch_.message_ended(second_, true, 90);
    CPPUNIT_ASSERT(!settled(150));
    CPPUNIT_ASSERT(settled(190));
  }

  void trouble_of_a_server_is_that_of_its_mailboxes() {
    watch_.idle(first_);
    watch_.server_health(server_, health(MAILPLUGIN_FAILED, MAILPLUGIN_CAUSE_SECRET_REFUSED, "Wrong secret."), 0);
    CPPUNIT_ASSERT(settled(0));
    CPPUNIT_ASSERT(watch_.server_ended(server_, 0, kPatience));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, watch_.failures(0, kPatience).size());
    CPPUNIT_ASSERT_EQUAL(std::string("Second <b@x>: Server: Wrong secret."), watch_.failures(0, kPatience)[1]);
  }

  void a_full_disk_is_trouble() {
    watch_.idle(first_);
    watch_.message_began(second_);
    watch_.message_ended(second_, false, 0);
    CPPUNIT_ASSERT(!settled(50));
    CPPUNIT_ASSERT(settled(100));
    host_test::assert_contains(watch_.failures(100, kPatience).at(0), "could not be stored");
    watch_.message_began(second_);
    watch_.message_ended(second_, true, 110);
    watch_.idle(second_);
    CPPUNIT_ASSERT(watch_.failures(1000, kPatience).empty());
  }

  void names_states_and_causes() {
    CPPUNIT_ASSERT_EQUAL(std::string("degraded"), runtime::name_of_state(MAILPLUGIN_DEGRADED));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), runtime::name_of_cause(MAILPLUGIN_CAUSE_NONE));
    CPPUNIT_ASSERT_EQUAL(std::string("folder_shared"), runtime::name_of_cause(MAILPLUGIN_CAUSE_FOLDER_SHARED));
    CPPUNIT_ASSERT_EQUAL(std::string("state_disk"), runtime::name_of_cause(MAILPLUGIN_CAUSE_STATE_DISK));
    CPPUNIT_ASSERT_EQUAL(std::string("unknown"), runtime::name_of_cause(999));
    Health now = health(MAILPLUGIN_FAILED, MAILPLUGIN_CAUSE_SECRET_REFUSED, "Refused (AADSTS7000215).");
    now.code = "AADSTS7000215";
    now.request_id = "r-1";
    CPPUNIT_ASSERT_EQUAL(std::string("Refused (AADSTS7000215). (request-id r-1)"), runtime::sentence(now));
    now.retry_after_ms = 5000;
    now.since_unix_ms = 1700000000000;
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"event":"health","time":"2023-11-14T22:13:20Z","server":"S","queue":null,"address":null,)"
                    R"("state":"failed","cause":"secret_refused","text":"Refused (AADSTS7000215).",)"
                    R"("code":"AADSTS7000215","request_id":"r-1","since":"2023-11-14T22:13:20Z","last_success":null,)"
                    R"("retry_at":"2023-11-14T22:13:25Z"})"),
        runtime::health_event(now, "S", "", "", 1700000000000).dump());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(WatchTest);

}  // namespace
