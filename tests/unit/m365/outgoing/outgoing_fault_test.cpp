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
  CPPUNIT_TEST(a_lost_record_is_made_good_by_a_look);
  CPPUNIT_TEST(nowhere_is_uncertain);
  CPPUNIT_TEST(a_search_that_heeds_no_filter_proves_nothing);
  CPPUNIT_TEST(a_filter_is_enough_where_properties_are_not_shown);
  CPPUNIT_TEST(a_draft_that_does_not_say_so_has_not_left);
  CPPUNIT_TEST(flags_as_text);
  CPPUNIT_TEST(replies_answered_otherwise);
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

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  static constexpr int step = 3;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  static constexpr int step = 3;
#else
  static constexpr int step = 1;
#endif
#else
  static constexpr int step = 1;
#endif

  // Breaks exchange 1, 2, 3 ... until one run is through untouched; under sanitizers, which make megabytes slow, every
  // third.
  template <typename Prepare>
  static void break_each(Break how, const mail::Mail& mail, Prepare prepare) {
    for (int n = 1;; n += step) {
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

  // The state file was damaged and begun anew, and the host submits again what it had no answer for.
  void a_lost_record_is_made_good_by_a_look() {
    for (const bool sent : {true, false}) {
      World world;
      if (!sent) world.mailbox.break_exchange(2, Break::cut_before);
      if (sent) {
        assert_accepted(world.send(simple_mail_));
      } else {
        m365::SubmissionRun run(world.context, simple_mail_, "support@contoso.com");
        CPPUNIT_ASSERT(run.advance({}).kind == m365::NextMove::Kind::later);
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("drafts").size());
      }
      world.clock.advance(std::chrono::hours(30));
      world.store.lose();
      world.waited = {};
      assert_accepted(world.send(simple_mail_));
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.in("drafts").size());
      const mail::Mail other = simple_mail("out-2");  // of which nothing is there: no wait, one mail
      assert_accepted(world.send(other));
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.mailbox.in("sentitems").size());
      CPPUNIT_ASSERT(world.waited < std::chrono::seconds(3));
    }
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

  // Any mail in Sent Items would pass for this one: the customer would get no reply, and nobody would know.
  void a_search_that_heeds_no_filter_proves_nothing() {
    for (const bool shows : {true, false}) {
      for (const Break how : {Break::cut_before, Break::cut_after, Break::s504_done}) {
        World world;
        world.mailbox.heeds_filters = false;
        world.mailbox.shows_properties = shows;
        world.mailbox.file_sent("");
        world.mailbox.break_exchange(2, how);
        assert_accepted(world.send_until_told(simple_mail_));
        std::size_t ours = 0;
        for (const Message& message : world.mailbox.in("sentitems")) ours += message.key == "out-1" ? 1 : 0;
        CPPUNIT_ASSERT_EQUAL_MESSAGE(name_of(how), std::size_t{1}, ours);
      }
    }
    // Where the id changes as well nothing can be found: that is told, and nothing is sent a second time.
    World world;
    world.mailbox.heeds_filters = world.mailbox.shows_properties = false;
    world.mailbox.ids_change_on_send = true;
    world.mailbox.file_sent("");
    world.mailbox.break_exchange(2, Break::cut_after);
    assert_verdict(mail::Verdict::uncertain, world.send_until_told(simple_mail_));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.mailbox.in("sentitems").size());
  }

  void a_filter_is_enough_where_properties_are_not_shown() {
    World world;
    world.mailbox.shows_properties = false;
    world.mailbox.ids_change_on_send = true;
    world.mailbox.file_sent("somebody else's");
    world.mailbox.break_exchange(2, Break::cut_after);
    assert_accepted(world.send(simple_mail_));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.mailbox.in("sentitems").size());
  }

  void a_draft_that_does_not_say_so_has_not_left() {
    World world;
    world.mailbox.shows_drafts = false;
    world.mailbox.break_exchange(2, Break::cut_before);
    assert_accepted(world.send(simple_mail_));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
  }

  void flags_as_text() {
    for (const Break how : {Break::cut_before, Break::cut_after}) {
      World world;
      world.mailbox.flags_as_text = true;
      world.mailbox.break_exchange(2, how);
      assert_accepted(world.send(simple_mail_));
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
    }
  }

  // 200 is what one sample of the documents has; 501 is a service that has no createReply.
  void replies_answered_otherwise() {
    for (const int status : {200, 400, 405, 501}) {
      World world;
      world.mailbox.status_of_reply = status;
      world.mailbox.receive("<q1@example.com>");
      mail::Mail mail = simple_mail();
      mail.in_reply_to = "<q1@example.com>";
      assert_accepted(world.send(mail));
      const auto sent = world.mailbox.in("sentitems");
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sent.size());
      CPPUNIT_ASSERT_EQUAL(std::string("<q1@example.com>"), sent[0].in_reply_to);
      CPPUNIT_ASSERT_EQUAL(status == 200, sent[0].reply);
      CPPUNIT_ASSERT_EQUAL(std::chrono::milliseconds(0), world.waited);
      CPPUNIT_ASSERT(world.mailbox.in("drafts").empty());
    }
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
