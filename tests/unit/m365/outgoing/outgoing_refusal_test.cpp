// What is refused, forbidden or limited, and what the host is told of it.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/outgoing/outgoing_world.h"

namespace outgoing {

namespace {

http::Response refusal(int status, const std::string& code) {
  return {status, {{"request-id", "req-9"}}, "{\"error\":{\"code\":\"" + code + "\",\"message\":\"secret text\"}}"};
}

}  // namespace

class OutgoingRefusalTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingRefusalTest);
  CPPUNIT_TEST(bad_recipient_is_rejected_and_its_draft_removed);
  CPPUNIT_TEST(too_large_for_the_mailbox);
  CPPUNIT_TEST(send_as_denied_is_given_back);
  CPPUNIT_TEST(only_read_write_granted);
  CPPUNIT_TEST(only_send_granted);
  CPPUNIT_TEST(one_call_is_never_repeated);
  CPPUNIT_TEST(one_call_is_looked_up_when_reading_is_allowed);
  CPPUNIT_TEST(too_large_for_one_call);
  CPPUNIT_TEST(daily_limit_pauses_the_mailbox);
  CPPUNIT_TEST(draft_removed_by_somebody);
  CPPUNIT_TEST(draft_sent_by_somebody);
  CPPUNIT_TEST(full_disk_sends_nothing);
  CPPUNIT_TEST(host_cannot_give_an_attachment);
  CPPUNIT_TEST(keys_that_differ_in_case);
  CPPUNIT_TEST(secrets_stay_out_of_the_log);
  CPPUNIT_TEST_SUITE_END();

  static void refuse(World& world, const std::string& what, int status, const std::string& code) {
    world.mailbox.answer = [=](const std::string&, const std::string& path) -> std::optional<http::Response> {
      if (path.size() < what.size() || path.compare(path.size() - what.size(), what.size(), what) != 0)
        return std::nullopt;
      return refusal(status, code);
    };
  }

  void bad_recipient_is_rejected_and_its_draft_removed() {
    World world;
    refuse(world, "/send", 400, "ErrorInvalidRecipients");
    const mail::Outcome outcome = world.send(simple_mail());
    assert_verdict(mail::Verdict::rejected, outcome);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{1}, outcome.attempts);
    CPPUNIT_ASSERT(outcome.reason.find("ErrorInvalidRecipients") != std::string::npos);
    CPPUNIT_ASSERT(outcome.reason.find("req-9") != std::string::npos);
    CPPUNIT_ASSERT(outcome.reason.find("secret text") == std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.in("drafts").size());
    world.mailbox.answer = nullptr;
    assert_verdict(mail::Verdict::accepted,
                   world.send(simple_mail()));  // it had not left: put right, the key may come again
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
  }

  void too_large_for_the_mailbox() {
    World world;
    refuse(world, "(upload)", 400, "ErrorMessageSizeExceeded");
    mail::Mail mail = simple_mail();
    mail.parts.push_back(part(mail::PartKind::attachment, "big", std::string(3'000'000, 'x')));
    const mail::Outcome outcome = world.send(mail);
    assert_verdict(mail::Verdict::rejected, outcome);
    CPPUNIT_ASSERT(outcome.reason.find("ErrorMessageSizeExceeded") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.in("drafts").size());
  }

  void send_as_denied_is_given_back() {
    World world;
    refuse(world, "/send", 403, "ErrorSendAsDenied");
    const mail::Outcome outcome = world.send(simple_mail());
    assert_verdict(mail::Verdict::retry_later, outcome);
    CPPUNIT_ASSERT(outcome.retry_after >= std::chrono::minutes(5));
    CPPUNIT_ASSERT(world.last_fault && world.last_fault->cause == mail::Cause::sender_forbidden);
    CPPUNIT_ASSERT_MESSAGE(outcome.reason, outcome.reason.ends_with("from " + simple_mail().from.address + "."));
    CPPUNIT_ASSERT(world.waited <= std::chrono::seconds(10));  // nobody waits for hours without a word
    world.mailbox.answer = nullptr;
    assert_accepted(world.send(simple_mail()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.in("drafts").size());  // it was continued, not begun anew
  }

  void only_read_write_granted() {
    World world;
    world.tokens->granted = "Mail.ReadWrite";
    world.mailbox.sending_forbidden = true;
    const mail::Outcome outcome = world.send(simple_mail());
    assert_verdict(mail::Verdict::retry_later, outcome);
    CPPUNIT_ASSERT_MESSAGE(outcome.reason, outcome.reason.find("Mail.Send") != std::string::npos);
  }

  void only_send_granted() {
    World world;
    world.tokens->granted = "Mail.Send";
    world.mailbox.drafts_forbidden = world.mailbox.reading_forbidden = true;
    mail::Mail mail = simple_mail();
    mail.in_reply_to = "<q1@example.com>";
    mail.parts.push_back(part(mail::PartKind::attachment, "a.txt", "AAA"));
    assert_accepted(world.send(mail));
    const Message sent = world.mailbox.in("sentitems").at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("out-1"), sent.key);
    CPPUNIT_ASSERT_EQUAL(std::string("<q1@example.com>"), sent.in_reply_to);
    CPPUNIT_ASSERT_EQUAL(std::string("AAA"), sent.attachments.at(0).bytes);
    // Remembered for a while: the next one does not try a draft.
    assert_accepted(world.send(simple_mail("out-2")));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.asked_for("POST /messages").size());
  }

  void one_call_is_never_repeated() {
    World world;
    world.tokens->granted = "Mail.Send";
    world.mailbox.drafts_forbidden = world.mailbox.reading_forbidden = true;
    world.mailbox.break_exchange(2, Break::s504_done);
    assert_verdict(mail::Verdict::uncertain, world.send(simple_mail()));
    assert_verdict(mail::Verdict::uncertain, world.send(simple_mail()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.asked_for("/sendMail").size());
  }

  void one_call_is_looked_up_when_reading_is_allowed() {
    World world;
    world.tokens->granted = "Mail.Send Mail.Read";
    world.mailbox.drafts_forbidden = true;
    world.mailbox.break_exchange(2, Break::s504_done);
    assert_accepted(world.send(simple_mail()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.asked_for("/sendMail").size());
  }

  void too_large_for_one_call() {
    World world;
    world.tokens->granted = "Mail.Send";
    world.mailbox.drafts_forbidden = true;
    mail::Mail mail = simple_mail();
    mail.parts.push_back(part(mail::PartKind::attachment, "big", std::string(3'500'000, 'x')));
    const mail::Outcome outcome = world.send(mail);
    assert_verdict(mail::Verdict::retry_later, outcome);
    CPPUNIT_ASSERT(outcome.reason.find("Mail.ReadWrite") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.asked_for("/sendMail").size());
  }

  void daily_limit_pauses_the_mailbox() {
    World world;
    refuse(world, "/send", 403, "ErrorExceededMessageLimit");
    const mail::Outcome first = world.send(simple_mail());
    assert_verdict(mail::Verdict::retry_later, first);
    CPPUNIT_ASSERT(first.retry_after == std::chrono::hours(1));
    CPPUNIT_ASSERT(world.last_fault && world.last_fault->cause == mail::Cause::send_limit);
    const std::size_t asked = world.mailbox.asked().size();
    world.clock.advance(std::chrono::minutes(20));
    const mail::Outcome other = world.send(simple_mail("out-2"));
    assert_verdict(mail::Verdict::retry_later, other);
    CPPUNIT_ASSERT(other.retry_after == std::chrono::minutes(40));
    CPPUNIT_ASSERT_EQUAL(asked, world.mailbox.asked().size());  // no request while it pauses
    world.clock.advance(std::chrono::minutes(40));
    refuse(world, "/send", 429, "ErrorExceededMessageLimit");  // the other status it was seen with
    CPPUNIT_ASSERT(world.send(simple_mail()).retry_after == std::chrono::hours(2));  // doubled
    world.clock.advance(std::chrono::hours(2));
    world.mailbox.answer = nullptr;
    assert_accepted(world.send(simple_mail()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
  }

  void draft_removed_by_somebody() {
    World world;
    int sends = 0;
    world.mailbox.answer = [&](const std::string&, const std::string& path) -> std::optional<http::Response> {
      if (path.find("/send") != std::string::npos && sends++ == 0) world.mailbox.remove("drafts");
      return std::nullopt;
    };
    assert_accepted(world.send(simple_mail()));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
  }

  void draft_sent_by_somebody() {
    World world;
    int sends = 0;
    world.mailbox.answer = [&](const std::string&, const std::string& path) -> std::optional<http::Response> {
      if (path.find("/send") != std::string::npos && sends++ == 0) {
        world.mailbox.remove("drafts");
        world.mailbox.file_sent("out-1");
      }
      return std::nullopt;
    };
    const mail::Outcome outcome = world.send(simple_mail());
    assert_accepted(outcome);
    CPPUNIT_ASSERT_EQUAL(std::string("<by-hand@contoso.com>"), outcome.internet_message_id);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
  }

  void full_disk_sends_nothing() {
    World world;
    m365::SubmissionRun run(world.context, simple_, "support@contoso.com");
    world.store.broken = true;
    const m365::NextMove move = run.advance({});
    CPPUNIT_ASSERT(move.kind == m365::NextMove::Kind::later);
    CPPUNIT_ASSERT(move.fault && move.fault->cause == mail::Cause::state_disk);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.asked().size());
    world.store.broken = false;
    CPPUNIT_ASSERT(run.advance({}).outcome.verdict == mail::Verdict::accepted);
  }

  void host_cannot_give_an_attachment() {
    World world;
    mail::Mail mail = simple_mail();
    mail.parts.push_back(part(mail::PartKind::attachment, "a.txt", "AAA"));
    const auto open = mail.parts.back().open;
    mail.parts.back().open = [] { return std::unique_ptr<mail::ByteSource>(); };
    const mail::Outcome outcome = world.send(mail);
    assert_verdict(mail::Verdict::retry_later, outcome);
    CPPUNIT_ASSERT(outcome.reason.find("a.txt") != std::string::npos);
    mail.parts.back().open = open;
    assert_accepted(world.send(mail));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").at(0).attachments.size());
  }

  void keys_that_differ_in_case() {
    World world;
    assert_accepted(world.send(simple_mail("KEY")));
    world.mailbox.break_exchange(1, Break::cut_before);  // its looks must not take the other one for it
    assert_accepted(world.send(simple_mail("key")));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.mailbox.in("sentitems").size());
  }

  void secrets_stay_out_of_the_log() {
    World world;
    mail::Mail mail = simple_mail("k\n2026 forged line");
    mail.parts.push_back(part(mail::PartKind::attachment, "big", std::string(3'000'000, 'x')));
    world.mailbox.break_exchange(4, Break::s503);
    world.send(mail);
    CPPUNIT_ASSERT(world.mailbox.broke());
    CPPUNIT_ASSERT(!world.log.lines().empty());
    for (const auto& line : world.log.lines()) {
      CPPUNIT_ASSERT(line.text.find("t0psecret") == std::string::npos);
      CPPUNIT_ASSERT(line.text.find("Hello") == std::string::npos);
      CPPUNIT_ASSERT(line.text.find('\n') == std::string::npos);
    }
  }

  const mail::Mail simple_ = simple_mail();
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingRefusalTest);

}  // namespace outgoing
