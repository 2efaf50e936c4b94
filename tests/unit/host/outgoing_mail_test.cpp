#include "runtime/outgoing_mail.h"

#include "host/support.h"
#include "runtime/text.h"

namespace {

using runtime::LeavingMail;
using runtime::MessageError;
using runtime::OutgoingMail;
using runtime::parse_addresses;

std::string read_all(const mailplugin_part& part) {
  const mailplugin_stream* stream = part.open(&part);
  CPPUNIT_ASSERT(stream != nullptr);
  std::string all;
  char buffer[3];
  int64_t n = 0;
  while ((n = stream->read(stream, buffer, sizeof buffer)) > 0) all.append(buffer, static_cast<std::size_t>(n));
  CPPUNIT_ASSERT_EQUAL(int64_t{0}, n);
  stream->close(stream);
  return all;
}

class OutgoingMailTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingMailTest);
  CPPUNIT_TEST(reads_addresses);
  CPPUNIT_TEST(refuses_what_is_no_address);
  CPPUNIT_TEST(knows_media_types);
  CPPUNIT_TEST(survives_being_kept);
  CPPUNIT_TEST(shows_itself_to_the_plugin);
  CPPUNIT_TEST(marks_what_the_html_shows);
  CPPUNIT_TEST_SUITE_END();

  void reads_addresses() {
    const auto people = parse_addresses(" a@x , Bea B <b@x>,\"C, D\" <c@x>,");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, people.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a@x"), people[0].address);
    CPPUNIT_ASSERT_EQUAL(std::string(), people[0].name);
    CPPUNIT_ASSERT_EQUAL(std::string("Bea B"), people[1].name);
    CPPUNIT_ASSERT_EQUAL(std::string("C, D"), people[2].name);
    CPPUNIT_ASSERT_EQUAL(std::string("c@x"), people[2].address);
    CPPUNIT_ASSERT(parse_addresses("").empty());
  }

  void refuses_what_is_no_address() {
    for (const char* text : {"a", "@x", "a@", "a b@x", "a@x\r\nBcc: b@x", "<a@x", "a@x;b@x", "Name <a>"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(text, parse_addresses(text), MessageError);
    }
  }

  void knows_media_types() {
    CPPUNIT_ASSERT_EQUAL(std::string("application/pdf"), runtime::media_type_of("a.b.PDF"));
    CPPUNIT_ASSERT_EQUAL(std::string("application/octet-stream"), runtime::media_type_of("noending"));
    CPPUNIT_ASSERT_EQUAL(std::string("application/octet-stream"), runtime::media_type_of("a.unknown"));
  }

  static OutgoingMail sample() {
    OutgoingMail mail;
    mail.from = "me@x";
    mail.mailbox = "box@x";
    mail.to = {{"Ann", "ann@y"}};
    mail.bcc = {{"", "b@y"}, {"", "c@y"}};
    mail.subject = "S";
    mail.text = "plain";
    mail.html = "<img src=\"cid:logo.png\">";
    mail.in_reply_to = "<1@y>";
    mail.references = {"<0@y>", "<1@y>"};
    mail.automatic = true;
    return mail;
  }

  void survives_being_kept() {
    OutgoingMail mail = sample();
    mail.attachments.push_back({"a.txt", "text/plain", "cid", "/tmp/a"});
    const base::Json kept = base::Json::parse(to_json(mail).dump());
    CPPUNIT_ASSERT_EQUAL(to_json(mail).dump(), to_json(runtime::outgoing_mail_from(kept)).dump());
    mail.text = std::nullopt;
    CPPUNIT_ASSERT(!runtime::outgoing_mail_from(to_json(mail)).text.has_value());
  }

  void shows_itself_to_the_plugin() {
    const base::ScratchFolder scratch("outgoing-mail-test");
    host_test::write_file(scratch.path() / "kept", "picture");
    OutgoingMail mail = sample();
    mail.attachments.push_back({"logo.png", "image/png", "", scratch.path() / "kept"});
    mail.attachments.push_back({"gone.txt", "text/plain", "", scratch.path() / "gone"});
    mark_inline(mail);
    const LeavingMail leaving(mail, "key-1");
    const mailplugin_message& view = leaving.view();
    CPPUNIT_ASSERT_EQUAL(std::string_view("key-1"), runtime::as_view(view.stable_id));
    CPPUNIT_ASSERT_EQUAL(std::string_view("box@x"), runtime::as_view(view.mailbox));
    CPPUNIT_ASSERT_EQUAL(std::string_view("me@x"), runtime::as_view(view.from.address));
    CPPUNIT_ASSERT_EQUAL(std::string_view("Ann"), runtime::as_view(view.to[0].name));
    CPPUNIT_ASSERT_EQUAL(2u, view.bcc_count);
    CPPUNIT_ASSERT_EQUAL(2u, view.reference_count);
    CPPUNIT_ASSERT_EQUAL(std::string_view("<1@y>"), runtime::as_view(view.references[1]));
    CPPUNIT_ASSERT((view.flags & MAILPLUGIN_AUTO_SUBMITTED) != 0);
    CPPUNIT_ASSERT_EQUAL(4u, view.part_count);
    CPPUNIT_ASSERT_EQUAL(std::string("plain"), read_all(*view.parts[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("plain"), read_all(*view.parts[0]));  // open gives a fresh stream
    CPPUNIT_ASSERT_EQUAL(uint32_t{MAILPLUGIN_PART_HTML}, view.parts[1]->kind);
    CPPUNIT_ASSERT_EQUAL(uint32_t{MAILPLUGIN_PART_INLINE}, view.parts[2]->kind);
    CPPUNIT_ASSERT_EQUAL(std::string_view("logo.png"), runtime::as_view(view.parts[2]->content_id));
    CPPUNIT_ASSERT_EQUAL(int64_t{7}, view.parts[2]->size_hint);
    CPPUNIT_ASSERT_EQUAL(std::string("picture"), read_all(*view.parts[2]));
    CPPUNIT_ASSERT(view.parts[3]->open(view.parts[3]) == nullptr);
    CPPUNIT_ASSERT_EQUAL(int64_t{-1}, view.parts[3]->size_hint);
  }

  void marks_what_the_html_shows() {
    OutgoingMail mail = sample();
    mail.attachments = {{"logo.png", "image/png", "", "/a"}, {"other.png", "image/png", "", "/b"}};
    mark_inline(mail);
    CPPUNIT_ASSERT_EQUAL(std::string("logo.png"), mail.attachments[0].content_id);
    CPPUNIT_ASSERT_EQUAL(std::string(), mail.attachments[1].content_id);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingMailTest);

}  // namespace
