// Every exchange broken in every way: the customer gets the reply exactly once all the same.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/outgoing/outgoing_world.h"

namespace outgoing {

class OutgoingFaultTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingFaultTest);
  CPPUNIT_TEST(new_mail);
  CPPUNIT_TEST(reply);
  CPPUNIT_TEST(where_the_id_changes);
  CPPUNIT_TEST(late_work_of_many_lengths);
  CPPUNIT_TEST(a_lost_send_is_looked_up_and_not_repeated);
  CPPUNIT_TEST(a_draft_that_stands_is_sent_again);
  CPPUNIT_TEST(nowhere_is_uncertain);
  CPPUNIT_TEST(outage_of_two_hours);
  CPPUNIT_TEST_SUITE_END();

  // Two pieces of an upload session.
  static const std::string& large() {
    static const std::string bytes = pattern(4'000'000, 7);
    return bytes;
  }

  static mail::Mail mail_with_attachments() {
    mail::Mail mail = simple_mail();
    mail.parts.push_back(part(mail::PartKind::attachment, "a.txt", "AAA"));
    mail.parts.push_back(part(mail::PartKind::attachment, "b.bin", large()));
    return mail;
  }

  // Breaks exchange 1, 2, 3 ... until one run is through untouched.
  template <typename Prepare>
  static void break_each(Break how, const mail::Mail& mail, Prepare prepare) {
    for (int n = 1;; ++n) {
      World world;
      prepare(world);
      world.mailbox.break_exchange(n, how);
      const mail::Outcome outcome = world.send_until_told(mail);
      const std::string where = std::string(name_of(how)) + " at exchange " + std::to_string(n) + ": " + outcome.reason;
      const auto sent = world.mailbox.in("sentitems");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(where, std::size_t{1}, sent.size());
      // Killed in the middle of sending where nothing can be found again: that is what uncertain is for.
      CPPUNIT_ASSERT_EQUAL_MESSAGE(where, static_cast<int>(mail::Verdict::accepted), static_cast<int>(outcome.verdict));
      CPPUNIT_ASSERT_EQUAL_MESSAGE(where, std::size_t{2}, sent[0].attachments.size());
      CPPUNIT_ASSERT_MESSAGE(where, sent[0].attachments[0].bytes == "AAA");
      CPPUNIT_ASSERT_MESSAGE(where, sent[0].attachments[1].bytes == large());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(where, std::string("Hello Zoë"), sent[0].body);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(where, std::string("out-1"), sent[0].key);
      for (const Message& draft : world.mailbox.in("drafts"))
        CPPUNIT_ASSERT_MESSAGE(where + " leaves a draft", draft.key.empty() || how == Break::s504_late);
      if (!world.mailbox.broke()) {
        CPPUNIT_ASSERT(n > 6);
        return;
      }
    }
  }

  void new_mail() {
    const mail::Mail mail = mail_with_attachments();
    for (const Break how : all_breaks()) break_each(how, mail, [](World&) {});
  }

  void reply() {
    mail::Mail mail = mail_with_attachments();
    mail.in_reply_to = "<q1@example.com>";
    for (const Break how : all_breaks())
      break_each(how, mail, [](World& world) { world.mailbox.receive("<q1@example.com>"); });
  }

  void where_the_id_changes() {
    const mail::Mail mail = mail_with_attachments();
    for (const Break how : all_breaks())
      break_each(how, mail, [](World& world) { world.mailbox.ids_change_on_send = true; });
  }

  void late_work_of_many_lengths() {
    const mail::Mail mail = mail_with_attachments();
    for (const int seconds : {1, 10, 18, 50, 120, 400}) {
      break_each(Break::s504_late, mail, [&](World& world) { world.mailbox.late = std::chrono::seconds(seconds); });
    }
  }

  void a_lost_send_is_looked_up_and_not_repeated() {
    World world;
    world.mailbox.break_exchange(2, Break::s504_done);
    assert_accepted(world.send(simple_mail()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1},
                         world.mailbox.asked_for("/send").size() - world.mailbox.asked_for("/sentitems").size());
    CPPUNIT_ASSERT_EQUAL(std::chrono::milliseconds(3'000), world.waited);
  }

  void a_draft_that_stands_is_sent_again() {
    World world;
    world.mailbox.break_exchange(2, Break::cut_before);
    const mail::Outcome outcome = world.send(simple_mail());
    assert_accepted(outcome);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{2}, outcome.attempts);
    CPPUNIT_ASSERT_EQUAL(std::chrono::milliseconds(600'000), world.waited);  // looks over ten minutes
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.asked_for("POST /messages").size() -
                                             world.mailbox.asked_for("POST /messages/").size());  // one draft ever
  }

  void nowhere_is_uncertain() {
    World world;
    world.mailbox.break_exchange(2, Break::cut_before);
    m365::SubmissionRun run(world.context, simple_mail_, "support@contoso.com");
    CPPUNIT_ASSERT(run.advance({}).kind == m365::NextMove::Kind::later);
    world.mailbox.remove("drafts");
    const mail::Outcome outcome = world.send_until_told(simple_mail_);
    assert_verdict(mail::Verdict::uncertain, outcome);
    CPPUNIT_ASSERT(!outcome.reason.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.in("sentitems").size());
    // And it stays so: nobody resubmits.
    assert_verdict(mail::Verdict::uncertain, world.send(simple_mail_));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.in("sentitems").size());
  }

  void outage_of_two_hours() {
    World world;
    bool down = true;
    world.mailbox.answer = [&](const std::string&, const std::string&) -> std::optional<http::Response> {
      if (!down) return std::nullopt;
      mail::Fault fault;
      fault.cause = mail::Cause::network;
      fault.text = "nobody listens";
      throw mail::FaultError(fault);
    };
    const mail::Outcome outcome = world.send(simple_mail());
    assert_verdict(mail::Verdict::retry_later, outcome);
    CPPUNIT_ASSERT_EQUAL(std::string("nobody listens"), outcome.reason);
    CPPUNIT_ASSERT(world.waited >= std::chrono::hours(2));
    CPPUNIT_ASSERT(world.waited <= std::chrono::hours(2) + std::chrono::minutes(10));
    CPPUNIT_ASSERT(world.mailbox.asked().size() < 45);  // backed off
    down = false;
    assert_accepted(world.send(simple_mail()));
  }

  const mail::Mail simple_mail_ = simple_mail();
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingFaultTest);

}  // namespace outgoing
