// A mail leaves as it was given, in the steps that the service documents.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/outgoing/outgoing_world.h"

namespace outgoing {

class OutgoingHappyTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingHappyTest);
  CPPUNIT_TEST(plain_mail_takes_three_requests);
  CPPUNIT_TEST(every_field_arrives);
  CPPUNIT_TEST(html_goes_when_both_are_given);
  CPPUNIT_TEST(reply_to_a_mail_that_stands);
  CPPUNIT_TEST(reply_to_a_mail_that_is_gone);
  CPPUNIT_TEST(reply_with_headers_is_new_mail);
  CPPUNIT_TEST(automatic_mail_is_marked);
  CPPUNIT_TEST(another_author);
  CPPUNIT_TEST(attachments_of_every_size);
  CPPUNIT_TEST(known_key_is_not_sent_again);
  CPPUNIT_TEST(text_that_is_no_utf8);
  CPPUNIT_TEST(ids_are_read_back_where_the_id_changes);
  CPPUNIT_TEST(accepted_without_ids_when_reading_is_forbidden);
  CPPUNIT_TEST_SUITE_END();

  void plain_mail_takes_three_requests() {
    World world;
    const mail::Outcome outcome = world.send(simple_mail());
    assert_accepted(outcome);
    CPPUNIT_ASSERT_EQUAL(std::uint32_t{1}, outcome.attempts);
    const auto sent = world.mailbox.in("sentitems");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sent.size());
    CPPUNIT_ASSERT_EQUAL(std::string("out-1"), sent[0].key);
    CPPUNIT_ASSERT_EQUAL(sent[0].message_id, outcome.internet_message_id);
    CPPUNIT_ASSERT_EQUAL("conv-" + sent[0].id, outcome.conversation_id);
    const std::vector<std::string> expected = {"POST /messages", "POST /messages/m1%3D/send", "GET /messages/m1%3D"};
    CPPUNIT_ASSERT(expected == world.mailbox.asked());
    using store::Step;
    const std::vector<Step> steps = {Step::taken,    Step::draft_wanted, Step::drafted,
                                     Step::attached, Step::send_wanted,  Step::done};
    CPPUNIT_ASSERT(steps == world.store.steps);
  }

  void every_field_arrives() {
    World world;
    mail::Mail mail = simple_mail();
    mail.cc = {{"", "c@example.com"}};
    mail.bcc = {{"B", "b@example.com"}};
    mail.reply_to = {{"Desk", "desk@contoso.com"}};
    mail.importance = mail::Importance::high;
    mail.flags = mail::read_receipt_requested;
    mail.headers = {{"X-Case", "17"}};
    mail.subject = "Übergröße 🙂\r\n folded";
    assert_accepted(world.send(mail));
    const Message sent = world.mailbox.in("sentitems").at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("Übergröße 🙂 folded"), sent.subject);
    CPPUNIT_ASSERT(sent.to == std::vector<std::string>{"zoe@example.com"});
    CPPUNIT_ASSERT(sent.cc == std::vector<std::string>{"c@example.com"});
    CPPUNIT_ASSERT(sent.bcc == std::vector<std::string>{"b@example.com"});
    CPPUNIT_ASSERT(sent.reply_to == std::vector<std::string>{"desk@contoso.com"});
    CPPUNIT_ASSERT_EQUAL(std::string("high"), sent.importance);
    CPPUNIT_ASSERT(sent.read_receipt);
    CPPUNIT_ASSERT_EQUAL(std::string("17"), sent.headers.at("X-Case"));
    CPPUNIT_ASSERT_EQUAL(std::string("text"), sent.body_type);
    CPPUNIT_ASSERT_EQUAL(std::string("Hello Zoë"), sent.body);
    CPPUNIT_ASSERT_EQUAL(std::string(), sent.from);  // the mailbox's own address
  }

  void html_goes_when_both_are_given() {
    World world;
    mail::Mail mail = simple_mail();
    mail.parts.push_back(part(mail::PartKind::html, "", "<p>Hello</p>"));
    assert_accepted(world.send(mail));
    const Message sent = world.mailbox.in("sentitems").at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("html"), sent.body_type);
    CPPUNIT_ASSERT_EQUAL(std::string("<p>Hello</p>"), sent.body);
  }

  void reply_to_a_mail_that_stands() {
    World world;
    world.mailbox.quotes_pictures = true;
    world.mailbox.receive("<q'1+x@example.com>");
    mail::Mail mail = simple_mail();
    mail.in_reply_to = "<q'1+x@example.com>";
    mail.parts.push_back(part(mail::PartKind::attachment, "a.txt", "A"));
    assert_accepted(world.send(mail));
    const Message sent = world.mailbox.in("sentitems").at(0);
    CPPUNIT_ASSERT(sent.reply);
    CPPUNIT_ASSERT_EQUAL(std::string("<q'1+x@example.com>"), sent.in_reply_to);
    CPPUNIT_ASSERT_EQUAL(std::string("out-1"), sent.key);
    CPPUNIT_ASSERT_EQUAL(std::string("Hello Zoë"), sent.body);
    CPPUNIT_ASSERT(sent.to == std::vector<std::string>{"zoe@example.com"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sent.attachments.size());  // and not the picture of the quotation
    CPPUNIT_ASSERT_EQUAL(std::string("a.txt"), sent.attachments[0].name);
  }

  void reply_to_a_mail_that_is_gone() {
    World world;
    mail::Mail mail = simple_mail();
    mail.in_reply_to = "q1@example.com";
    mail.references = {"<first@example.com>"};
    assert_accepted(world.send(mail));
    const Message sent = world.mailbox.in("sentitems").at(0);
    CPPUNIT_ASSERT(!sent.reply);
    CPPUNIT_ASSERT_EQUAL(std::string("<q1@example.com>"), sent.in_reply_to);
    CPPUNIT_ASSERT_EQUAL(std::string("<first@example.com> <q1@example.com>"), sent.references);
  }

  void reply_with_headers_is_new_mail() {
    World world;
    world.mailbox.receive("<q1@example.com>");
    mail::Mail mail = simple_mail();
    mail.in_reply_to = "<q1@example.com>";
    mail.headers = {{"x-case", "1"}};
    assert_accepted(world.send(mail));
    const Message sent = world.mailbox.in("sentitems").at(0);
    CPPUNIT_ASSERT(!sent.reply);
    CPPUNIT_ASSERT_EQUAL(std::string("<q1@example.com>"), sent.in_reply_to);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), sent.headers.at("x-case"));
  }

  void automatic_mail_is_marked() {
    World world;
    mail::Mail mail = simple_mail();
    mail.flags = mail::auto_submitted;
    assert_accepted(world.send(mail));
    CPPUNIT_ASSERT_EQUAL(std::string("All"),
                         world.mailbox.in("sentitems").at(0).headers.at("X-Auto-Response-Suppress"));
  }

  void another_author() {
    World world;
    mail::Mail mail = simple_mail();
    mail.from.address = "sales@contoso.com";
    assert_accepted(world.send(mail));
    CPPUNIT_ASSERT_EQUAL(std::string("sales@contoso.com"), world.mailbox.in("sentitems").at(0).from);
  }

  void attachments_of_every_size() {
    World world;
    mail::Mail mail = simple_mail();
    const std::string small = pattern(10'000, 1), border = pattern(2'950'000, 2), large = pattern(9'000'001, 3);
    mail.parts.push_back(part(mail::PartKind::attachment, "empty.txt", ""));
    mail.parts.push_back(part(mail::PartKind::attachment, "small \"x\".pdf", small));
    mail.parts.push_back(part(mail::PartKind::attachment, "border.bin", border));
    mail.parts.push_back(part(mail::PartKind::attachment, "large.zip", large));
    mail.parts.push_back(part(mail::PartKind::attachment, "spooled.zip", large, false));
    mail.parts.push_back(part(mail::PartKind::attachment, "unknown.txt", small, false));
    mail::Part picture = part(mail::PartKind::inline_part, "logo.png", "PNG");
    picture.content_id = "<logo@1>";
    picture.media_type = "image/png";
    mail.parts.push_back(picture);
    assert_accepted(world.send(mail));
    const auto sent = world.mailbox.in("sentitems").at(0).attachments;
    CPPUNIT_ASSERT_EQUAL(std::size_t{7}, sent.size());
    const std::vector<std::string> names = {"empty.txt",   "small \"x\".pdf", "border.bin", "large.zip",
                                            "spooled.zip", "unknown.txt",     "logo.png"};
    const std::vector<std::string> bytes = {"", small, border, large, large, small, "PNG"};
    for (std::size_t i = 0; i < sent.size(); ++i) {
      CPPUNIT_ASSERT_EQUAL(names[i], sent[i].name);
      CPPUNIT_ASSERT_MESSAGE(names[i], bytes[i] == sent[i].bytes);
      CPPUNIT_ASSERT_EQUAL(i == 6, sent[i].is_inline);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("logo@1"), sent[6].content_id);
    CPPUNIT_ASSERT_EQUAL(std::string("image/png"), sent[6].type);
    CPPUNIT_ASSERT_EQUAL(std::string("application/octet-stream"), sent[0].type);
  }

  void known_key_is_not_sent_again() {
    World world;
    const mail::Outcome first = world.send(simple_mail());
    const std::size_t asked = world.mailbox.asked().size();
    const mail::Outcome second = world.send(simple_mail());
    assert_accepted(second);
    CPPUNIT_ASSERT_EQUAL(first.internet_message_id, second.internet_message_id);
    CPPUNIT_ASSERT_EQUAL(asked, world.mailbox.asked().size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
  }

  void text_that_is_no_utf8() {
    World world;
    mail::Mail mail = simple_mail();
    mail.parts = {part(mail::PartKind::text, "", "a\xff\x01z")};
    assert_accepted(world.send(mail));
    CPPUNIT_ASSERT_EQUAL(std::string("a\xef\xbf\xbd z"), world.mailbox.in("sentitems").at(0).body);
  }

  void ids_are_read_back_where_the_id_changes() {
    World world;
    world.mailbox.ids_change_on_send = true;
    const mail::Outcome outcome = world.send(simple_mail());
    assert_accepted(outcome);
    CPPUNIT_ASSERT_EQUAL(world.mailbox.in("sentitems").at(0).message_id, outcome.internet_message_id);
  }

  void accepted_without_ids_when_reading_is_forbidden() {
    World world;
    world.mailbox.reading_forbidden = true;
    const mail::Outcome outcome = world.send(simple_mail());
    assert_accepted(outcome);
    CPPUNIT_ASSERT_EQUAL(std::string(), outcome.internet_message_id);
    CPPUNIT_ASSERT(world.waited <= std::chrono::seconds(30));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingHappyTest);

}  // namespace outgoing
