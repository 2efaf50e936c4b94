#include <cppunit/extensions/HelperMacros.h>

#include "builder_support.h"

namespace {

using mail::PartKind;
using support::has;
using support::parts_of;
using support::read_all;

const char* const list_end =
    "/attachments?$select=id,name,contentType,size,isInline,microsoft.graph.fileAttachment/contentId";

class MailBuilderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MailBuilderTest);
  CPPUNIT_TEST(a_plain_mail_costs_no_request);
  CPPUNIT_TEST(the_envelope_is_taken_over);
  CPPUNIT_TEST(attachments_of_all_three_kinds);
  CPPUNIT_TEST(inline_pictures_are_found_without_has_attachments);
  CPPUNIT_TEST(the_list_is_read_over_its_pages);
  CPPUNIT_TEST(content_ids_are_asked_for_in_more_than_one_way);
  CPPUNIT_TEST(a_list_without_end_is_refused);
  CPPUNIT_TEST(a_stream_that_breaks_at_once_is_opened_again);
  CPPUNIT_TEST(a_stream_that_breaks_later_is_a_fault);
  CPPUNIT_TEST(the_exchange_is_given_back_at_the_last_byte);
  CPPUNIT_TEST(a_part_can_be_opened_again_from_its_start);
  CPPUNIT_TEST(an_oversize_mail_is_named_and_closed);
  CPPUNIT_TEST(placeholders_are_pending_and_the_digest_tells_them_from_the_files);
  CPPUNIT_TEST(a_damaged_body_is_left_out);
  CPPUNIT_TEST(damaged_attachments_are_left_out_and_other_refusals_are_not);
  CPPUNIT_TEST(rewritten_links_are_told_and_the_body_stays);
  CPPUNIT_TEST(our_own_mail_is_known);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_plain_mail_costs_no_request() {
    support::BuilderFixture f;
    const auto built = f.build();
    CPPUNIT_ASSERT(f.graph.asked().empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, built.mail.parts.size());
    CPPUNIT_ASSERT(built.mail.parts[0].kind == PartKind::text);
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), read_all(built.mail.parts[0]));
    CPPUNIT_ASSERT(built.mail.parts[1].kind == PartKind::original);
    CPPUNIT_ASSERT(f.graph.asked().empty());
    f.graph.on("/messages/AAMk%3D/$value", {200, "From: a\r\n\r\nx"});
    CPPUNIT_ASSERT_EQUAL(std::string("From: a\r\n\r\nx"), read_all(built.mail.parts[1]));
    CPPUNIT_ASSERT_EQUAL(0u, built.mail.flags);
    CPPUNIT_ASSERT(!built.scan_pending);
  }

  void the_envelope_is_taken_over() {
    support::BuilderFixture f;
    f.row.subject = "Hi";
    f.row.importance = "High";
    f.row.internet_message_id = "<m@x>";
    f.row.conversation_id = "C";
    f.row.cc = {{"C", "c@x"}};
    f.row.headers = {
        {"In-Reply-To", "your mail of today <p@x>"}, {"REFERENCES", "<a@x> <bad id> <b@x>"}, {"references", "<b@x>"}};
    const mail::Mail mail = f.build().mail;
    CPPUNIT_ASSERT_EQUAL(std::string("stable"), mail.stable_id);
    CPPUNIT_ASSERT_EQUAL(std::string("AAMk="), mail.service_id);
    CPPUNIT_ASSERT_EQUAL(std::string("Inbox"), mail.folder);
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), mail.mailbox);
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), mail.delivered_to);
    CPPUNIT_ASSERT_EQUAL(std::string("<p@x>"), mail.in_reply_to);
    CPPUNIT_ASSERT((mail.references == std::vector<std::string>{"<a@x>", "<b@x>"}));
    CPPUNIT_ASSERT(mail.importance == mail::Importance::high);
    CPPUNIT_ASSERT_EQUAL(std::string("<m@x>"), mail.internet_message_id);
    CPPUNIT_ASSERT_EQUAL(std::string("C"), mail.conversation_id);
    CPPUNIT_ASSERT_EQUAL(std::string("Hi"), mail.subject);
    CPPUNIT_ASSERT((mail.from == mail::Address{"Ann", "ann@customer.example"}));
    CPPUNIT_ASSERT((mail.cc == f.row.cc && mail.to == f.row.to && mail.headers == f.row.headers));
    CPPUNIT_ASSERT(mail.received == *f.row.received);
    CPPUNIT_ASSERT(mail.sent == mail::WallTime{});
  }

  void attachments_of_all_three_kinds() {
    support::BuilderFixture f;
    f.row.has_attachments = true;
    f.graph.on(list_end, {200, R"({"value":[
      {"@odata.type":"#microsoft.graph.fileAttachment","id":"F/1=","name":"a.pdf","contentType":"application/pdf","size":9,"isInline":false},
      {"@odata.type":"#microsoft.graph.itemAttachment","id":"I","name":"Fwd","contentType":null,"size":100,"isInline":false},
      {"@odata.type":"#microsoft.graph.itemAttachment","id":"V","name":"Ann","contentType":null,"size":100},
      {"@odata.type":"#microsoft.graph.referenceAttachment","id":"R","name":"plan.docx","contentType":"x/y","size":1,"isInline":false},
      {"@odata.type":"#microsoft.graph.fileAttachment","id":"N","name":null,"contentType":null,"size":null}]})"});
    f.graph.on("/attachments/F%2F1%3D/$value", {200, std::string("%PDF\0\r\n", 7)});
    f.graph.on("/attachments/I/$value", {200, "Subject: inner\r\n\r\n"});
    f.graph.on("/attachments/V/$value", {200, "\xEF\xBB\xBF\r\nbegin:vcard\r\nEND:VCARD\r\n"});
    const mail::Mail mail = f.build().mail;
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, f.graph.asked().size());  // the list, and a look at each item
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, f.graph.open_exchanges());
    const auto files = parts_of(mail, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, files.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a.pdf"), files[0]->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("application/pdf"), files[0]->media_type);
    CPPUNIT_ASSERT_EQUAL(std::string("%PDF\0\r\n", 7), read_all(*files[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("message/rfc822"), files[1]->media_type);
    CPPUNIT_ASSERT_EQUAL(std::string("Fwd.eml"), files[1]->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("Subject: inner\r\n\r\n"), read_all(*files[1]));
    CPPUNIT_ASSERT_EQUAL(std::string("text/vcard"), files[2]->media_type);
    CPPUNIT_ASSERT_EQUAL(std::string("Ann.vcf"), files[2]->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("application/octet-stream"), files[3]->media_type);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{-1}, files[3]->size_hint);
    const auto links = parts_of(mail, PartKind::link);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, links.size());
    CPPUNIT_ASSERT(read_all(*links[0]).find("plan.docx") != std::string::npos);
  }

  void inline_pictures_are_found_without_has_attachments() {
    support::BuilderFixture f;
    f.row.body_type = "html";
    f.row.body = R"(<img src="cid:Pic%201@x"><img src='CID:two'><p>acid:rain</p>)";
    f.graph.on(list_end, {200, R"({"value":[
      {"@odata.type":"#microsoft.graph.fileAttachment","id":"1","name":"p.png","contentType":"image/png","contentId":"pic 1@x","isInline":false},
      {"@odata.type":"#microsoft.graph.fileAttachment","id":"2","name":"q.png","contentType":"image/png","contentId":"<two>","isInline":true},
      {"@odata.type":"#microsoft.graph.fileAttachment","id":"3","name":"r.png","contentType":"image/png","contentId":"rain","isInline":true}]})"});
    const mail::Mail mail = f.build().mail;
    const auto shown = parts_of(mail, PartKind::inline_part);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, shown.size());
    CPPUNIT_ASSERT_EQUAL(std::string("pic 1@x"), shown[0]->content_id);
    CPPUNIT_ASSERT_EQUAL(std::string("two"), shown[1]->content_id);
    // Marked inline, shown nowhere: the reader would never see it.
    CPPUNIT_ASSERT_EQUAL(std::string("r.png"), parts_of(mail, PartKind::attachment).at(0)->file_name);
    CPPUNIT_ASSERT(mail.parts[0].kind == PartKind::html);
  }

  void the_list_is_read_over_its_pages() {
    support::BuilderFixture f;
    f.row.has_attachments = std::nullopt;
    f.graph.on(
        list_end,
        {200, R"({"value":[{"id":"1","name":"a","size":1}],"@odata.nextLink":"https://graph.test/v1.0/next?x=1"})"});
    f.graph.on("https://graph.test/v1.0/next?x=1", {200, R"({"value":[{"id":"2","name":"b","size":2}]})"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, parts_of(f.build().mail, PartKind::attachment).size());
  }

  // The cast is known from threads alone: a service that refuses it must not cost the mail.
  void content_ids_are_asked_for_in_more_than_one_way() {
    const std::string plain_end = "/attachments?$select=id,name,contentType,size,isInline";
    const std::string answer = R"({"value":[{"id":"1","name":"p.png","contentType":"image/png","contentId":"a@x"}]})";
    for (const bool flat : {true, false}) {
      support::BuilderFixture f;
      f.row.body_type = "html";
      f.row.body = R"(<img src="cid:a@x">)";
      f.graph.on(list_end, {400, "BadRequest"});
      f.graph.on(plain_end + ",contentId", flat ? support::FakeGraph::Answer{200, answer}
                                                : support::FakeGraph::Answer{400, "RequestBroker--ParseUri"});
      f.graph.on(plain_end, {200, R"({"value":[{"id":"1","name":"p.png","contentType":"image/png"}]})"});
      const mail::Mail mail = f.build().mail;
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, parts_of(mail, flat ? PartKind::inline_part : PartKind::attachment).size());
      CPPUNIT_ASSERT_EQUAL(flat ? std::size_t{2} : std::size_t{3}, f.graph.asked().size());
    }
    support::BuilderFixture f;
    f.row.has_attachments = true;
    f.graph.on(list_end, {503, "ServiceUnavailable"});
    CPPUNIT_ASSERT_THROW(f.build(), m365::GraphError);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, f.graph.asked().size());
  }

  void a_list_without_end_is_refused() {
    support::BuilderFixture f;
    f.row.has_attachments = true;
    f.graph.on(list_end, {200, R"({"value":[],"@odata.nextLink":"https://graph.test/v1.0/next"})"});
    f.graph.on("/next", {200, R"({"value":[],"@odata.nextLink":"https://graph.test/v1.0/next"})"});
    CPPUNIT_ASSERT_THROW(f.build(), mail::FaultError);
    CPPUNIT_ASSERT(f.graph.asked().size() <= 100);
  }

  void a_stream_that_breaks_at_once_is_opened_again() {
    support::BuilderFixture f;
    const auto part = one_file(f);
    f.graph.on("/1/$value", {200, "content", 0});
    f.graph.on("/1/$value", {200, "content"});
    CPPUNIT_ASSERT_EQUAL(std::string("content"), read_all(part.mail.parts[1]));
    f.graph.on("/1/$value", {200, "content", 0});  // the last answer stays: every try breaks
    CPPUNIT_ASSERT_EQUAL(std::string("content"), read_all(part.mail.parts[1]));
    CPPUNIT_ASSERT_THROW(read_all(part.mail.parts[1]), mail::FaultError);
  }

  void a_stream_that_breaks_later_is_a_fault() {
    support::BuilderFixture f;
    const auto part = one_file(f);
    f.graph.on("/1/$value", {200, "content of the file", 9});
    const auto source = part.mail.parts[1].open();
    char block[9];
    CPPUNIT_ASSERT_EQUAL(std::size_t{9}, source->read(block, sizeof block));
    CPPUNIT_ASSERT_THROW(source->read(block, sizeof block), mail::FaultError);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, f.graph.open_exchanges());
  }

  void the_exchange_is_given_back_at_the_last_byte() {
    support::BuilderFixture f;
    const auto part = one_file(f);
    f.graph.on("/1/$value", {200, "abc"});
    const auto source = part.mail.parts[1].open();
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, f.graph.open_exchanges());
    char block[9];
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, source->read(block, sizeof block));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, f.graph.open_exchanges());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, source->read(block, sizeof block));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, f.graph.open_exchanges());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, source->read(block, sizeof block));
  }

  void a_part_can_be_opened_again_from_its_start() {
    support::BuilderFixture f;
    const auto built = f.build();
    CPPUNIT_ASSERT_EQUAL(read_all(built.mail.parts[0]), read_all(built.mail.parts[0]));
    const mail::Mail copy = built.mail;
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), read_all(copy.parts[0]));
  }

  void an_oversize_mail_is_named_and_closed() {
    support::BuilderFixture f;
    f.mailbox.max_email_size_kb = 10;
    f.row.has_attachments = true;
    f.graph.on(list_end, {200, R"({"value":[{"id":"1","name":"big.bin","size":10240}]})"});
    const mail::Mail mail = f.build().mail;
    CPPUNIT_ASSERT(has(mail, mail::oversize));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), read_all(mail.parts.at(0)));
    CPPUNIT_ASSERT_EQUAL(std::string("big.bin"), mail.parts.at(1).file_name);
    for (const std::size_t closed : {1u, 2u}) {
      try {
        mail.parts.at(closed).open();
        CPPUNIT_FAIL("opened");
      } catch (const mail::FaultError& error) {
        CPPUNIT_ASSERT(error.fault().text.find("max_email_size_kb") != std::string::npos);
        CPPUNIT_ASSERT(error.fault().remedy == mail::Remedy::item);
      }
    }
    f.row.body = std::string(10'241, 'x');  // the body alone is too large
    const mail::Mail larger = f.build().mail;
    CPPUNIT_ASSERT(parts_of(larger, PartKind::text).empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, f.graph.asked().size() - 1);
  }

  void placeholders_are_pending_and_the_digest_tells_them_from_the_files() {
    support::BuilderFixture f;
    f.row.has_attachments = true;
    f.graph.on(list_end, {200, R"({"value":[{"id":"1","name":"ATP Scan In Progress","size":100}]})"});
    f.graph.on(list_end, {200, R"({"value":[{"id":"1","name":"report.pdf","size":100}]})"});
    const auto before = f.build(), after = f.build(), again = f.build();
    CPPUNIT_ASSERT(before.scan_pending && has(before.mail, mail::scan_pending));
    CPPUNIT_ASSERT(!after.scan_pending && !has(after.mail, mail::scan_pending));
    CPPUNIT_ASSERT(before.attachments_digest != after.attachments_digest);
    CPPUNIT_ASSERT_EQUAL(after.attachments_digest, again.attachments_digest);
    f.row.body = "Your file: Safe Attachments Scan In Progress.";
    CPPUNIT_ASSERT(f.build().scan_pending);
    f.row.body = "Our Scan In Progress report";
    CPPUNIT_ASSERT(!f.build().scan_pending);
  }

  void a_damaged_body_is_left_out() {
    support::BuilderFixture f;
    f.graph.on("internetMessageHeaders,body", {500, "ErrorItemCorrupt"});
    f.graph.on("internetMessageHeaders",
               {200, R"({"id":"AAMk=","subject":"s","receivedDateTime":"2026-01-01T00:00:00Z","hasAttachments":false,)"
                     R"("internetMessageHeaders":[{"name":"Received","value":"x"}]})"});
    f.row = m365::fetch_message(f.graph, f.mailbox, "AAMk=", {});
    CPPUNIT_ASSERT(f.row.complete());
    const mail::Mail mail = f.build().mail;
    CPPUNIT_ASSERT_EQUAL(std::string("s"), mail.subject);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, mail.parts.size());
    CPPUNIT_ASSERT(mail.parts[0].kind == PartKind::original);
  }

  void damaged_attachments_are_left_out_and_other_refusals_are_not() {
    support::BuilderFixture f;
    f.row.has_attachments = true;
    f.graph.on(list_end, {500, "ErrorCorruptData"});
    f.graph.on(list_end, {404, "ErrorItemNotFound"});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, f.build().mail.parts.size());
    CPPUNIT_ASSERT_THROW(f.build(), m365::GraphError);
  }

  void rewritten_links_are_told_and_the_body_stays() {
    support::BuilderFixture f;
    f.row.body_type = "html";
    const std::string body =
        R"(<a href="https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fshop.example%2Fa%3Fb%3D1&amp;data=05%7C01&amp;reserved=0">x</a>)";
    f.row.body = body;
    const mail::Mail mail = f.build().mail;
    CPPUNIT_ASSERT(has(mail, mail::links_rewritten));
    CPPUNIT_ASSERT_EQUAL(std::string("https://shop.example/a?b=1"), mail.links.at(0).second);
    CPPUNIT_ASSERT_EQUAL(body, read_all(mail.parts[0]));
  }

  void our_own_mail_is_known() {
    support::BuilderFixture f;
    f.row.from = mail::Address{"", "SUPPORT@contoso.com"};
    CPPUNIT_ASSERT(has(f.build().mail, mail::own_mail));
    f.row.from = mail::Address{"", "sales@contoso.com"};
    f.row.internet_message_id = "<left@contoso>";
    CPPUNIT_ASSERT(!has(f.build().mail, mail::own_mail));
    f.sent["<left@contoso>"] = "key";
    CPPUNIT_ASSERT(has(f.build().mail, mail::own_mail));
    f.row.from = mail::Address{"", "thief@customer.example"};
    CPPUNIT_ASSERT(!has(f.build().mail, mail::own_mail));
  }

 private:
  static m365::BuiltMail one_file(support::BuilderFixture& f) {
    f.row.has_attachments = true;
    f.graph.on(list_end, {200, R"({"value":[{"id":"1","name":"a.txt","size":7}]})"});
    return f.build();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MailBuilderTest);

}  // namespace
