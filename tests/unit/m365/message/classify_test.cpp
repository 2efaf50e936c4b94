#include "m365/message/classify.h"

#include <cppunit/extensions/HelperMacros.h>

#include <string>
#include <vector>

#include "m365/message/delivered_to.h"

namespace {

using m365::classify;
using m365::MessageRow;
using Headers = std::vector<std::pair<std::string, std::string>>;

MessageRow with(Headers headers) {
  MessageRow row;
  row.id = "1";
  row.from = mail::Address{"Ann", "ann@customer.example"};
  row.headers = std::move(headers);
  row.has_headers = true;
  return row;
}

std::uint32_t flags(Headers headers) {
  return classify(with(std::move(headers)), {}).flags;
}

m365::AttachmentRow attachment(const std::string& name, const std::string& type) {
  m365::AttachmentRow row;
  row.name = name;
  row.content_type = type;
  return row;
}

class ClassifyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ClassifyTest);
  CPPUNIT_TEST(automatic_mail_by_its_headers);
  CPPUNIT_TEST(exchange_out_of_office_without_auto_submitted);
  CPPUNIT_TEST(a_mail_forwarded_by_a_rule_is_not_automatic);
  CPPUNIT_TEST(suppressing_replies_is_no_evidence);
  CPPUNIT_TEST(exchange_ndr_with_an_empty_mark);
  CPPUNIT_TEST(bounces_without_report_type);
  CPPUNIT_TEST(a_postmaster_can_be_a_person);
  CPPUNIT_TEST(an_abuse_report_is_no_bounce);
  CPPUNIT_TEST(precedence_counts_for_real_mail_only);
  CPPUNIT_TEST(receipts_and_requests_for_them);
  CPPUNIT_TEST(signed_and_encrypted);
  CPPUNIT_TEST(meetings);
  CPPUNIT_TEST(without_headers_the_class_is_asked_for);
  CPPUNIT_TEST(message_classes);
  CPPUNIT_TEST(status_codes_in_text);
  CPPUNIT_TEST(the_address_a_mail_came_by);
  CPPUNIT_TEST_SUITE_END();

 public:
  void automatic_mail_by_its_headers() {
    for (const auto& header : Headers{{"Auto-Submitted", "auto-replied (vacation)"},
                                      {"auto-submitted", "Auto-Generated"},
                                      {"Auto-Submitted", "auto-notified; x=1"},
                                      {"X-Autoreply", "yes"},
                                      {"X-Autorespond", "Away"},
                                      {"Precedence", "auto_reply"},
                                      {"X-MS-Exchange-Generated-Message-Source", "Mailbox Rules Agent"}}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(header.first + header.second, static_cast<std::uint32_t>(mail::auto_submitted),
                                   flags({header}));
    }
    CPPUNIT_ASSERT_EQUAL(0u, flags({{"Auto-Submitted", "no"}}));
    CPPUNIT_ASSERT_EQUAL(0u, flags({{"Auto-Submitted", " No (a person)"}}));
    CPPUNIT_ASSERT_EQUAL(0u, flags({{"Auto-Submitted", ""}}));
  }

  void exchange_out_of_office_without_auto_submitted() {
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::auto_submitted),
                         flags({{"Return-path", "<>"},
                                {"X-Auto-Response-Suppress", "All"},
                                {"X-MS-Exchange-Inbox-Rules-Loop", "ann@customer.example"}}));
  }

  void a_mail_forwarded_by_a_rule_is_not_automatic() {
    CPPUNIT_ASSERT_EQUAL(0u, flags({{"Return-Path", "<ann@customer.example>"},
                                    {"X-Auto-Response-Suppress", "All"},
                                    {"X-MS-Exchange-Inbox-Rules-Loop", "ann@customer.example"}}));
  }

  void suppressing_replies_is_no_evidence() { CPPUNIT_ASSERT_EQUAL(0u, flags({{"X-Auto-Response-Suppress", "All"}})); }

  void exchange_ndr_with_an_empty_mark() {
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::bounce | mail::auto_submitted),
                         flags({{"Content-Type", "multipart/report; report-type=delivery-status"},
                                {"X-MS-Exchange-Message-Is-Ndr", ""},
                                {"Auto-Submitted", "auto-replied"},
                                {"Precedence", "bulk"}}));
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::bounce), flags({{"X-MS-Exchange-Message-Is-Ndr", ""}}));
  }

  void bounces_without_report_type() {
    MessageRow row = with({{"Content-Type", "multipart/report"}});
    CPPUNIT_ASSERT(classify(row, {}).report);  // its parts decide
    CPPUNIT_ASSERT_EQUAL(0u, classify(row, {}).flags);
    row.from =
        mail::Address{"Microsoft Outlook", "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@contoso.onmicrosoft.com"};
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::bounce), classify(row, {}).flags);
    row = with({{"Return-Path", "<>"}});
    for (const char* subject :
         {"Undeliverable: order", "Non remis : commande", "Non recapitabile: ordine", "RE: 配信不能: x",
          "Unzustellbar: Auftrag", "Не удается доставить: x", "UNDELIVERED MAIL"}) {
      row.subject = subject;
      CPPUNIT_ASSERT_EQUAL_MESSAGE(subject, static_cast<std::uint32_t>(mail::bounce), classify(row, {}).flags);
    }
    row = with({{"X-Failed-Recipients", "a@b"}});
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::bounce), classify(row, {}).flags);
  }

  void a_postmaster_can_be_a_person() {
    MessageRow row = with({{"Content-Type", "text/plain"}});
    row.from = mail::Address{"", "Postmaster@customer.example"};
    row.subject = "Question about your invoice";
    row.body = "Which version, 1.2.3 or 10.5.1.1?";
    CPPUNIT_ASSERT_EQUAL(0u, classify(row, {}).flags);
    row.body = "Remote Server returned '550 5.1.1 RESOLVER.ADR.RecipNotFound; not found'";
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::bounce), classify(row, {}).flags);
    row = with({});
    row.subject = "Undeliverable: is what my other mail was";  // a customer's words
    CPPUNIT_ASSERT_EQUAL(0u, classify(row, {}).flags);
  }

  void an_abuse_report_is_no_bounce() {
    MessageRow row = with({{"Content-Type", "multipart/report; report-type=feedback-report; boundary=x"}});
    row.from = mail::Address{"", "mailer-daemon@isp.example"};
    CPPUNIT_ASSERT_EQUAL(0u, classify(row, {}).flags);
  }

  void precedence_counts_for_real_mail_only() {
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::bulk), flags({{"Precedence", "Bulk"}}));
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::bulk), flags({{"List-Unsubscribe", "<mailto:x@y>"}}));
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::auto_submitted),
                         flags({{"Auto-Submitted", "auto-replied"}, {"Precedence", "bulk"}}));
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::auto_submitted | mail::bulk),
                         flags({{"Auto-Submitted", "auto-generated"}, {"List-Id", "<news.example>"}}));
    CPPUNIT_ASSERT_EQUAL(0u, flags({{"Precedence", "first-class"}}));
  }

  void receipts_and_requests_for_them() {
    const auto kind = classify(with({{"Content-Type", "multipart/report; report-type=\"disposition-notification\""},
                                     {"Disposition-Notification-To", "a@b"}}),
                               {});
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::read_receipt), kind.flags);
    CPPUNIT_ASSERT(kind.report);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::read_receipt_requested),
                         flags({{"disposition-notification-to", "a@b"}}));
    MessageRow row = with({});
    row.read_receipt_requested = true;
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::read_receipt_requested), classify(row, {}).flags);
  }

  void signed_and_encrypted() {
    const auto clear =
        classify(with({{"Content-Type", "multipart/signed; protocol=\"application/pkcs7-signature\""}}), {});
    CPPUNIT_ASSERT(clear.clear_signed && clear.flags == mail::signed_mail);
    const auto pgp = classify(with({{"Content-Type", "multipart/signed; protocol=\"application/pgp-signature\""}}), {});
    CPPUNIT_ASSERT(!pgp.clear_signed && pgp.flags == mail::signed_mail);
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::encrypted),
                         flags({{"Content-Type", "multipart/encrypted; protocol=x"}}));
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::encrypted),
                         flags({{"Content-Type", "application/pkcs7-mime"}}));
    CPPUNIT_ASSERT_EQUAL(0u, flags({{"Content-Type", "application/pkcs7-mime; smime-type=certs-only"}}));
    const auto shown = classify(with({}), {attachment("smime.p7m", "multipart/signed")});
    CPPUNIT_ASSERT(shown.clear_signed && shown.flags == mail::signed_mail);
    const auto unknown = classify(with({}), {attachment("smime.p7m", "application/octet-stream")});
    CPPUNIT_ASSERT(unknown.ask_class && unknown.flags == mail::encrypted);
    CPPUNIT_ASSERT(classify(with({}), {attachment("a.txt", "text/plain"), attachment("smime.p7s", "")}).flags ==
                   mail::signed_mail);
    CPPUNIT_ASSERT_EQUAL(0u, classify(with({}), {attachment("a.p7m.txt", "text/plain")}).flags);
  }

  void meetings() {
    for (const char* type : {"#microsoft.graph.eventMessage", "#microsoft.graph.eventMessageResponse"}) {
      MessageRow row = with({});
      row.odata_type = type;
      CPPUNIT_ASSERT(classify(row, {}).meeting_details && classify(row, {}).flags == mail::meeting);
    }
    MessageRow row = with({});
    for (const char* type : {"#microsoft.graph.message", "#microsoft.graph.calendarSharingMessage", ""}) {
      row.odata_type = type;
      CPPUNIT_ASSERT_EQUAL(0u, classify(row, {}).flags);
    }
    CPPUNIT_ASSERT_EQUAL(static_cast<std::uint32_t>(mail::meeting),
                         flags({{"Content-Class", "urn:content-classes:calendarmessage"}}));
  }

  void without_headers_the_class_is_asked_for() {
    MessageRow row = with({});
    CPPUNIT_ASSERT(!classify(row, {}).ask_class);
    row.has_headers = false;
    CPPUNIT_ASSERT(classify(row, {}).ask_class);
    row.odata_type = "#microsoft.graph.eventMessageRequest";  // says it without
    CPPUNIT_ASSERT(!classify(row, {}).ask_class);
  }

  void message_classes() {
    const auto after = [](const char* name) {
      m365::Classification kind;
      m365::apply_message_class(name, kind);
      return kind;
    };
    CPPUNIT_ASSERT(after("REPORT.IPM.Note.NDR").flags == mail::bounce && after("REPORT.IPM.Note.NDR").report);
    CPPUNIT_ASSERT(after("REPORT.IPM.Note.DR").flags == 0 && after("report.ipm.note.dr").report);
    CPPUNIT_ASSERT(after("REPORT.IPM.Note.IPNRN").flags == mail::read_receipt);
    CPPUNIT_ASSERT(after("REPORT.IPM.Note.IPNNRN").flags == mail::read_receipt);
    CPPUNIT_ASSERT(after("IPM.Note.Rules.OofTemplate.Microsoft").flags == mail::auto_submitted);
    CPPUNIT_ASSERT(after("IPM.Schedule.Meeting.Request").meeting_details);
    CPPUNIT_ASSERT(after("IPM.Note").flags == 0 && !after("IPM.Note").report);
    m365::Classification kind;
    kind.flags = mail::encrypted;
    kind.ask_class = true;
    m365::apply_message_class("IPM.Note.SMIME.MultipartSigned", kind);
    CPPUNIT_ASSERT(kind.flags == mail::signed_mail && kind.clear_signed && !kind.ask_class);
  }

  void status_codes_in_text() {
    CPPUNIT_ASSERT_EQUAL(std::string("5.1.10"), m365::find_status_code("'550 5.1.10 RESOLVER.ADR'"));
    CPPUNIT_ASSERT_EQUAL(std::string("4.4.7"), m365::find_status_code("(4.4.7)"));
    CPPUNIT_ASSERT_EQUAL(std::string("5.7.1"), m365::find_status_code("see 192.5.4.1, then #5.7.1."));
    for (const char* none : {"", "5.", "5.1", "5.1.", "15.1.1", "5.1.1.1", "2.1.5", "v5.1234.1", "10.4.1.2"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(none, std::string(), m365::find_status_code(none));
    }
  }

  void the_address_a_mail_came_by() {
    MessageRow row = with({{"Received", "from a by b for <second@x>; Thu, 1 Jan 2026 00:00:00 +0000"},
                           {"Received", "from c by d for <third@x>; Thu, 1 Jan 2026 00:00:00 +0000"}});
    const auto came_by = [&row] { return m365::delivered_to(row, "support@contoso.com", "box@contoso.com"); };
    CPPUNIT_ASSERT_EQUAL(std::string("second@x"), came_by());
    row.headers.emplace_back("Envelope-to", "alias@contoso.com");
    CPPUNIT_ASSERT_EQUAL(std::string("alias@contoso.com"), came_by());
    row.headers.emplace_back("X-Original-To", "<original@contoso.com>");
    CPPUNIT_ASSERT_EQUAL(std::string("original@contoso.com"), came_by());
    row.cc = {{"", "BOX@contoso.com"}};
    CPPUNIT_ASSERT_EQUAL(std::string("box@contoso.com"), came_by());
    row.to = {{"", "Support@Contoso.COM"}};
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com"), came_by());
    row = with({{"Received", "from forge by b with ESMTP id for4; waiting for it"}, {"Delivered-To", "nobody"}});
    CPPUNIT_ASSERT_EQUAL(std::string(), came_by());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ClassifyTest);

}  // namespace
