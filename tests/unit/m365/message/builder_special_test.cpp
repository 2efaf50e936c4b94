// The few mails whose JSON hides what is inside, and those that need a second look.
#include <cppunit/extensions/HelperMacros.h>

#include "builder_support.h"

namespace {

using mail::PartKind;
using support::has;
using support::parts_of;
using support::read_all;

const char* const list_end = "microsoft.graph.fileAttachment/contentId";
const char* const class_end = "String%200x001A%27)";

std::string signed_mail(const std::string& attachment) {
  return "From: a@x\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=S\r\n\r\n"
         "--S\r\nContent-Type: multipart/mixed; boundary=M\r\n\r\n"
         "--M\r\nContent-Type: multipart/alternative; boundary=A\r\n\r\n"
         "--A\r\nContent-Type: text/plain; charset=iso-8859-1\r\nContent-Transfer-Encoding: "
         "quoted-printable\r\n\r\ngr=FC=DFe\r\n"
         "--A\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<img src=\"cid:pic\">\r\n--A--\r\n"
         "--M\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <Pic>\r\nContent-Transfer-Encoding: "
         "base64\r\n\r\niVBO\r\n"
         "--M\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; "
         "filename=\"=?utf-8?Q?=C3=A4.pdf?=\"\r\n\r\n" +
         attachment +
         "\r\n--M\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\n\r\nbody\r\n--M--\r\n"
         "--S\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: "
         "base64\r\n\r\nMAAB\r\n--S--\r\n";
}

const char* const p7m_list =
    R"({"value":[{"@odata.type":"#microsoft.graph.fileAttachment","id":"1","name":"smime.p7m","contentType":"multipart/signed","size":3000}]})";

std::string report_mail(const std::string& recipients) {
  return "Content-Type: multipart/report; report-type=delivery-status; boundary=R\r\n\r\n--R\r\n\r\ntext\r\n"
         "--R\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx\r\n" +
         recipients +
         "\r\n--R\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID:\r\n <sent@contoso>\r\n\r\n--R--\r\n";
}

class SpecialMailTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SpecialMailTest);
  CPPUNIT_TEST(a_clear_signed_mail_shows_its_parts);
  CPPUNIT_TEST(large_parts_of_a_signed_mail_are_read_again);
  CPPUNIT_TEST(a_signed_mail_above_the_limit_is_closed);
  CPPUNIT_TEST(an_encrypted_mail_keeps_its_p7m);
  CPPUNIT_TEST(a_meeting_request_has_its_invitation);
  CPPUNIT_TEST(a_rights_protected_mail_is_flagged);
  CPPUNIT_TEST(a_report_names_the_key_of_what_was_sent);
  CPPUNIT_TEST(the_first_failed_recipient_is_told);
  CPPUNIT_TEST(a_delivered_report_is_no_bounce);
  CPPUNIT_TEST(a_deleted_mail_was_not_read);
  CPPUNIT_TEST(a_damaged_original_leaves_the_text);
  CPPUNIT_TEST(a_report_whose_html_is_empty_is_read_from_its_text);
  CPPUNIT_TEST(a_network_fault_while_reading_inside_is_thrown);
  CPPUNIT_TEST(the_message_class_is_asked_for_when_it_decides);
  CPPUNIT_TEST(a_report_without_headers_is_known_by_its_class);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_clear_signed_mail_shows_its_parts() {
    const Fixture f = signed_fixture(signed_mail("%PDF"));
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::signed_mail), mail.flags);
    CPPUNIT_ASSERT_EQUAL(std::string("grüße"), read_all(*parts_of(mail, PartKind::text).at(0)));
    CPPUNIT_ASSERT_EQUAL(std::string("<img src=\"cid:pic\">"), read_all(*parts_of(mail, PartKind::html).at(0)));
    CPPUNIT_ASSERT_EQUAL(std::string("p.png"), parts_of(mail, PartKind::inline_part).at(0)->file_name);
    const auto files = parts_of(mail, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, files.size());
    CPPUNIT_ASSERT_EQUAL(std::string("ä.pdf"), files[0]->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("%PDF"), read_all(*files[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("inner.eml"), files[1]->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("Subject: inner\r\n\r\nbody"), read_all(*files[1]));
    CPPUNIT_ASSERT_EQUAL(std::string("smime.p7s"), files[2]->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("0\0\1", 3), read_all(*files[2]));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, f->graph.asked().size());  // the list and the MIME form, once
    CPPUNIT_ASSERT_EQUAL(static_cast<std::int64_t>(signed_mail("%PDF").size()), mail.size_bytes);
  }

  void large_parts_of_a_signed_mail_are_read_again() {
    const std::string large(300'000, 'L');
    const Fixture f = signed_fixture(signed_mail(large));
    const mail::Mail mail = f->build().mail;
    const auto files = parts_of(mail, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{300'000}, files.at(0)->size_hint);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, f->graph.asked().size());
    CPPUNIT_ASSERT_EQUAL(large, read_all(*files[0]));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, f->graph.asked().size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, read_all(*files[2]).size());  // small: kept
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, f->graph.asked().size());
  }

  void a_signed_mail_above_the_limit_is_closed() {
    const Fixture f = signed_fixture(signed_mail(std::string(20'000, 'x')));
    f->mailbox.max_email_size_kb = 10;
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT(has(mail, mail::oversize) && has(mail, mail::signed_mail));
    const auto files = parts_of(mail, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::string("smime.p7m"), files.at(0)->file_name);
    CPPUNIT_ASSERT_THROW(files[0]->open(), mail::FaultError);
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), read_all(*parts_of(mail, PartKind::text).at(0)));
  }

  void an_encrypted_mail_keeps_its_p7m() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.has_attachments = true;
    f->row.headers = {{"Content-Type", "application/x-pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"}};
    f->graph.on(
        list_end,
        {200, R"({"value":[{"id":"1","name":"smime.p7m","contentType":"application/x-pkcs7-mime","size":3}]})"});
    mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::encrypted), mail.flags);
    CPPUNIT_ASSERT_EQUAL(std::string("smime.p7m"), parts_of(mail, PartKind::attachment).at(0)->file_name);
    f->row.headers = {{"Content-Type", "application/pkcs7-mime; smime-type=signed-data"}};
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::signed_mail), f->build().mail.flags);
  }

  void a_meeting_request_has_its_invitation() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.odata_type = "#microsoft.graph.eventMessageRequest";
    f->graph.on("/$value", {200,
                            "Content-Type: multipart/alternative; boundary=B\r\n\r\n--B\r\n\r\ntext\r\n"
                            "--B\r\nContent-Type: text/calendar; charset=utf-8; method=REQUEST\r\n"
                            "Content-Transfer-Encoding: base64\r\n\r\nQkVHSU46VkNBTEVOREFSDQo=\r\n--B--\r\n"});
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::meeting), mail.flags);
    const auto files = parts_of(mail, PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::string("invite.ics"), files.at(0)->file_name);
    CPPUNIT_ASSERT_EQUAL(std::string("text/calendar"), files[0]->media_type);
    CPPUNIT_ASSERT_EQUAL(std::string("BEGIN:VCALENDAR\r\n"), read_all(*files[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), read_all(*parts_of(mail, PartKind::text).at(0)));
  }

  void a_rights_protected_mail_is_flagged() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.headers = {{"content-class", "rpmsg.message"}};
    CPPUNIT_ASSERT(has(f->build().mail, mail::rights_protected));
    f->row.headers.clear();
    f->row.has_attachments = true;
    f->graph.on(list_end, {200, R"({"value":[{"id":"1","name":"message_v2.rpmsg","size":3}]})"});
    CPPUNIT_ASSERT(has(f->build().mail, mail::rights_protected));
  }

  void a_report_names_the_key_of_what_was_sent() {
    const Fixture f = report_fixture("\r\nFinal-Recipient: rfc822; b@y\r\nAction: failed\r\nStatus: 5.1.1\r\n");
    f->sent["<sent@contoso>"] = "ticket-17";
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT(has(mail, mail::bounce) && !has(mail, mail::auto_submitted));
    CPPUNIT_ASSERT_EQUAL(std::string("ticket-17"), mail.report->key);
    CPPUNIT_ASSERT_EQUAL(std::string("<sent@contoso>"), mail.report->original_message_id);
    CPPUNIT_ASSERT_EQUAL(std::string("b@y"), mail.report->recipient);
    CPPUNIT_ASSERT_EQUAL(std::string("5.1.1"), mail.report->status);
    // The id of the returned copy is not known, that of In-Reply-To is.
    f->sent = {{"<draft@contoso>", "ticket-18"}};
    f->row.headers.emplace_back("In-Reply-To", "<draft@contoso>");
    CPPUNIT_ASSERT_EQUAL(std::string("ticket-18"), f->build().mail.report->key);
  }

  void the_first_failed_recipient_is_told() {
    const Fixture f = report_fixture(
        "\r\nFinal-Recipient: rfc822; ok@y\r\nAction: relayed\r\nStatus: 2.1.5\r\n"
        "\r\nFinal-Recipient: rfc822; slow@y\r\nAction: delayed\r\nStatus: 4.4.7\r\n"
        "\r\nFinal-Recipient: rfc822; bad@y\r\nAction: failed\r\nStatus: 5.2.2 (mailbox full)\r\n");
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT_EQUAL(std::string("bad@y"), mail.report->recipient);
    CPPUNIT_ASSERT_EQUAL(std::string("5.2.2"), mail.report->status);
    CPPUNIT_ASSERT(mail.report->kind == mail::ReportKind::failed);
  }

  void a_delivered_report_is_no_bounce() {
    const Fixture f = report_fixture("\r\nFinal-Recipient: rfc822; ok@y\r\nAction: delivered\r\nStatus: 2.1.5\r\n");
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT(!has(mail, mail::bounce));
    CPPUNIT_ASSERT(mail.report->kind == mail::ReportKind::delivered);
  }

  void a_deleted_mail_was_not_read() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.headers = {{"Content-Type", "multipart/report; report-type=disposition-notification; boundary=R"}};
    const auto receipt = [](const std::string& type) {
      return "Content-Type: multipart/report; boundary=R\r\n\r\n--R\r\nContent-Type: "
             "message/disposition-notification\r\n\r\n"
             "Final-Recipient: rfc822; b@y\r\nOriginal-Message-ID: <o@x>\r\n"
             "Disposition: automatic-action/MDN-sent-automatically; " +
             type + "\r\n--R--\r\n";
    };
    f->graph.on("/$value", {200, receipt("deleted")});
    f->graph.on("/$value", {200, receipt("Displayed")});
    const mail::Mail deleted = f->build().mail, displayed = f->build().mail;
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::read_receipt), deleted.flags);
    CPPUNIT_ASSERT(deleted.report->kind == mail::ReportKind::delivered);
    CPPUNIT_ASSERT_EQUAL(std::string("deleted"), deleted.report->status);
    CPPUNIT_ASSERT(displayed.report->kind == mail::ReportKind::read);
    CPPUNIT_ASSERT_EQUAL(std::string("<o@x>"), displayed.report->original_message_id);
  }

  void a_damaged_original_leaves_the_text() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.headers = {{"Content-Type", "multipart/report; report-type=delivery-status"}};
    f->row.body = "Delivery has failed to c@z.example\r\n550 5.1.10 not found\r\nMessage-ID: <gone@contoso>\r\n";
    f->graph.on("/$value", {500, "ErrorItemCorrupt"});
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT(has(mail, mail::bounce));
    CPPUNIT_ASSERT_EQUAL(std::string("c@z.example"), mail.report->recipient);
    CPPUNIT_ASSERT_EQUAL(std::string("5.1.10"), mail.report->status);
    CPPUNIT_ASSERT_EQUAL(std::string("<gone@contoso>"), mail.report->original_message_id);
  }

  void a_report_whose_html_is_empty_is_read_from_its_text() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.headers = {{"Content-Type", "multipart/report; report-type=delivery-status"}};
    f->row.body_type = "html";
    f->row.body = "";
    f->graph.on("/$value",
                {200,
                 "Content-Type: multipart/report; boundary=R\r\n\r\n--R\r\n\r\nDelivery to c@z.example failed\r\n"
                 "550 5.1.10 not found\r\n--R\r\nContent-Type: text/html\r\n\r\n--R--\r\n"});
    const mail::Mail mail = f->build().mail;
    CPPUNIT_ASSERT_EQUAL(std::string("c@z.example"), mail.report->recipient);
    CPPUNIT_ASSERT_EQUAL(std::string("5.1.10"), mail.report->status);
  }

  void a_network_fault_while_reading_inside_is_thrown() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.odata_type = "#microsoft.graph.eventMessage";
    f->graph.on("/$value", {200, "Content-Type: text/calendar\r\n\r\nBEGIN", 30});
    CPPUNIT_ASSERT_THROW(f->build(), mail::FaultError);
  }

  void the_message_class_is_asked_for_when_it_decides() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.headers = {{"Return-Path", "<>"}};
    f->graph.on(
        class_end,
        {200,
         R"({"id":"1","singleValueExtendedProperties":[{"id":"String 0x1a","value":"IPM.Note.Rules.OofTemplate.Microsoft"}]})"});
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::auto_submitted), f->build().mail.flags);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, f->graph.asked().size());
    f->row.headers.emplace_back("Auto-Submitted", "auto-replied");  // decided: nothing to ask
    f->build();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, f->graph.asked().size());
  }

  void a_report_without_headers_is_known_by_its_class() {
    const auto f = std::make_unique<support::BuilderFixture>();
    f->row.has_headers = false;
    f->graph.on(class_end,
                {200, R"({"singleValueExtendedProperties":[{"id":"String 0x1a","value":"REPORT.IPM.Note.NDR"}]})"});
    f->graph.on("/$value",
                {200, report_mail("\r\nFinal-Recipient: rfc822; a@x\r\nAction: failed\r\nStatus: 5.1.1\r\n")});
    CPPUNIT_ASSERT(has(f->build().mail, mail::bounce));
    // Where properties are not to be had, the mail comes all the same.
    for (const int status : {400, 501}) {
      const auto g = std::make_unique<support::BuilderFixture>();
      g->row.has_headers = false;
      g->graph.on(class_end, {status, "NotSupported"});
      CPPUNIT_ASSERT_EQUAL(std::uint32_t{0}, g->build().mail.flags);
    }
  }

 private:
  using Fixture = std::unique_ptr<support::BuilderFixture>;

  static Fixture signed_fixture(const std::string& mime) {
    auto f = std::make_unique<support::BuilderFixture>();
    f->row.has_attachments = true;
    f->row.headers = {{"Content-Type", "multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256"}};
    f->graph.on(list_end, {200, p7m_list});
    f->graph.on("/messages/AAMk%3D/$value", {200, mime});
    return f;
  }

  static Fixture report_fixture(const std::string& recipients) {
    auto f = std::make_unique<support::BuilderFixture>();
    f->row.headers = {{"Content-Type", "multipart/report; report-type=delivery-status; boundary=R"}};
    f->graph.on("/$value", {200, report_mail(recipients)});
    return f;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SpecialMailTest);

}  // namespace
