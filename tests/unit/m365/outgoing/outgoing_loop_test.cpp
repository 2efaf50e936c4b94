// Two answering machines that answer each other: the guard ends it (exchange-admin.md, section 13).
#include <cppunit/extensions/HelperMacros.h>

#include "m365/outgoing/outgoing_world.h"
#include "m365/outgoing/reply_guard.h"

namespace outgoing {

class OutgoingLoopTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingLoopTest);
  CPPUNIT_TEST(the_eleventh_automatic_answer_in_ten_minutes_is_refused);
  CPPUNIT_TEST(what_a_person_writes_is_never_refused);
  CPPUNIT_TEST(each_queue_and_each_correspondent_counts_alone);
  CPPUNIT_TEST(every_recipient_counts);
  CPPUNIT_TEST(a_key_counts_once);
  CPPUNIT_TEST(what_was_begun_is_ended);
  CPPUNIT_TEST(the_limit_is_the_administrators);
  CPPUNIT_TEST(machines_that_change_their_address);
  CPPUNIT_TEST(without_a_record_nothing_leaves);
  CPPUNIT_TEST_SUITE_END();

  static mail::Mail automatic(int number, const std::string& to = "machine@example.com") {
    mail::Mail mail = simple_mail("auto-" + std::to_string(number));
    mail.flags = mail::auto_submitted;
    mail.to = {{"", to}};
    return mail;
  }
  static void send_ten(World& world) {
    for (int i = 0; i < 10; ++i) assert_accepted(world.send(automatic(i)));
  }
  static void assert_refused(const mail::Outcome& outcome) {
    assert_verdict(mail::Verdict::rejected, outcome);
    CPPUNIT_ASSERT_MESSAGE(outcome.reason, outcome.reason.find("automatic_replies_limit") != std::string::npos);
  }

  void the_eleventh_automatic_answer_in_ten_minutes_is_refused() {
    World world;
    send_ten(world);
    const std::size_t asked = world.mailbox.asked().size();
    const mail::Outcome refused = world.send(automatic(10));
    assert_refused(refused);
    CPPUNIT_ASSERT(refused.reason.find("10 automatic answers went from support@contoso.com to machine@example.com") !=
                   std::string::npos);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no draft was made", asked, world.mailbox.asked().size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{10}, world.mailbox.in("sentitems").size());
    CPPUNIT_ASSERT(world.log.has("machine@example.com"));
    world.clock.advance(std::chrono::minutes(10));
    assert_accepted(world.send(automatic(10)));  // it had not left: the same key may come again
  }

  void what_a_person_writes_is_never_refused() {
    World world;
    send_ten(world);
    mail::Mail by_hand = automatic(10);
    by_hand.flags = 0;
    assert_accepted(world.send(by_hand));
  }

  void each_queue_and_each_correspondent_counts_alone() {
    World world;
    send_ten(world);
    assert_accepted(world.send(automatic(10, "other@example.com")));
    mail::Mail of_sales = automatic(11);
    of_sales.from = {"Sales", "sales@contoso.com"};
    assert_accepted(world.send(of_sales));
    assert_refused(world.send(automatic(12, "Machine@EXAMPLE.com")));
  }

  void every_recipient_counts() {
    World world;
    send_ten(world);
    mail::Mail copied = automatic(10, "other@example.com");
    copied.cc = {{"", "third@example.com"}};
    copied.bcc = {{"", "machine@example.com"}};
    assert_refused(world.send(copied));
  }

  void a_key_counts_once() {
    World world;
    for (int i = 0; i < 15; ++i) assert_accepted(world.send(automatic(0)));
    for (int i = 1; i < 10; ++i) assert_accepted(world.send(automatic(i)));
    assert_refused(world.send(automatic(10)));
  }

  void what_was_begun_is_ended() {
    World world;
    for (int i = 0; i < 9; ++i) assert_accepted(world.send(automatic(i)));
    world.mailbox.break_exchange(2, Break::kill_after);  // of the tenth, whose next life goes on
    assert_accepted(world.send(automatic(9)));
    CPPUNIT_ASSERT_EQUAL(1, world.deaths);
    assert_refused(world.send(automatic(10)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{10}, world.mailbox.in("sentitems").size());
  }

  void the_limit_is_the_administrators() {
    World world;
    world.context.automatic = {2, std::chrono::minutes(60)};
    assert_accepted(world.send(automatic(0)));
    assert_accepted(world.send(automatic(1)));
    world.clock.advance(std::chrono::minutes(50));
    assert_refused(world.send(automatic(2)));
    world.context.automatic = {0, std::chrono::minutes(60)};
    for (int i = 3; i < 20; ++i) assert_accepted(world.send(automatic(i)));
  }

  void machines_that_change_their_address() {
    World world;
    for (int i = 0; i < 10; ++i) {
      assert_accepted(world.send(automatic(i, "case-" + std::to_string(10'293 + i) + "@helpdesk.example")));
    }
    assert_refused(world.send(automatic(10, "case-20000@helpdesk.example")));
    const auto same = [](const char* expected, const char* address) {
      CPPUNIT_ASSERT_EQUAL(std::string(expected), m365::correspondent_of(address));
    };
    same("reply@helpdesk.example", "Reply+a8f3c9@helpdesk.example");
    same("case-#-b@helpdesk.example", "case-17-b@helpdesk.example");
    same("#.ticket@helpdesk.example", "0017.ticket@helpdesk.example");
    // People.
    same("anna1985@example.com", "Anna1985@example.com");
    same("anna.smith@example.com", "anna.smith@example.com");
    same("123456789@qq.example", "123456789@qq.example");
    same("+491711234@example.com", "+491711234@example.com");
    same("a-@example.com", "a-@example.com");
    same("nothing", "Nothing");
    same("@", "@");
  }

  void without_a_record_nothing_leaves() {
    World world;
    const mail::Mail mail = automatic(0);
    m365::SubmissionRun run(world.context, mail, "support@contoso.com");
    world.store.broken = true;
    CPPUNIT_ASSERT(run.advance({}).kind == m365::NextMove::Kind::later);
    CPPUNIT_ASSERT(world.mailbox.asked().empty());
    world.store.broken = false;
    CPPUNIT_ASSERT(run.advance({}).outcome.verdict == mail::Verdict::accepted);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingLoopTest);

}  // namespace outgoing
