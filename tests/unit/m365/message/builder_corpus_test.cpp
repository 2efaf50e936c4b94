// Real mails from the corpus beside the repository (skipped where it is not), as Graph would show them: headers and
// text in the row, everything else in "$value".
#include <cppunit/extensions/HelperMacros.h>

#include "builder_support.h"
#include "mime/outline.h"

namespace {

using mail::ReportKind;

struct Expected {
  const char* file;
  std::uint32_t flags;
  bool report = false;
  ReportKind kind = ReportKind::failed;
  const char* recipient = "";
  const char* status = "";
  const char* original = "";
};

const std::vector<Expected> expectations{
    {"01-ndr-office365-generic-report-no-status.eml", mail::bounce | mail::auto_submitted, true, ReportKind::failed,
     "kijitora@example.com", "5.1.10", "<FFFFFFFF.EEEEEEEE@example.ed.jp>"},
    {"02-ndr-office365-plain-text.eml", mail::bounce, true, ReportKind::failed, "kijitora@example.onmicrosoft.com",
     "5.1.1", "<c302b7e8-9b97-40ef-90eb-313cc6c25133@NYAAAAN.example.org>"},
    {"04-ndr-office365-full-headers.eml", mail::bounce | mail::auto_submitted, true, ReportKind::failed,
     "kijitora@example.jp", "5.1.8", "<SLXP216MB0381016D56DE89DBC2139287A96B0@SLXP216MB0381.KORP216.PROD.OUTLOOK.COM>"},
    {"06-ndr-office365-iso2022jp.eml", mail::bounce | mail::auto_submitted, true, ReportKind::failed,
     "kijitora-nyaan@neko.kyoto.example.jp", "5.1.10", ""},
    {"07-ndr-exchange2007-french.eml", mail::bounce | mail::auto_submitted, true, ReportKind::failed,
     "transports@agglo-saumur.fr", "5.1.1", "<1513177790.ha3dsljxgizc2mjrgq2dkobx@mb.newsletter-autos.fr>"},
    {"09-ndr-exchange2003-nonstandard.eml", mail::bounce, true, ReportKind::failed, "kijitora@example.co.jp", "",
     "<000000000000000.0000000@example.jp>"},
    {"10-dsn-hotmail-delay-utf7.eml", mail::bounce, true, ReportKind::delayed, "kijitora@example.com", "4.4.7",
     "<BAY182-W4180385B0DABF89EB94B34A9300@phx.gbl>"},
    {"11-dsn-mailru-cyrillic.eml", mail::bounce | mail::auto_submitted, true, ReportKind::failed, "kijitora@example.jp",
     "5.1.1", "<8F3CE2D8-D60E-48C3-B9AF-BED628EE2CA5@mail.example.ru>"},
    {"13-dsn-as-multipart-mixed.eml", mail::bounce, true, ReportKind::delayed, "kijitora-cat@mx4.gr3.example.jp",
     "4.3.0", "<00000000000000000000000000000000000000000@example.org>"},
    {"14-autoreply-precedence.eml", mail::auto_submitted},
    {"15-autoreply-exchange-ooo.eml", mail::auto_submitted},
    {"17-autoreply-html-broken-subject.eml", mail::auto_submitted},
    {"18-arf-feedback-report.eml", 0},
    {"19-calendar-part-minimal.eml", 0},
    {"21-ndr-office365-real-65k.eml", mail::bounce | mail::auto_submitted, true, ReportKind::failed,
     "noname@example.com", "5.1.10", "<20171013111011.20866.254C2F3A4D7AA526@ninomail.com>"},
    {"22-huge-header.eml", 0},
    {"23-smime-signed-small.eml", mail::signed_mail},
    {"28-malformed-headers.eml", 0},
    {"29-false-multipart.eml", 0},
    {"30-iphone-jpeg.eml", 0},
    {"33-spam-broken-headers.eml", 0},
    {"35-rfc822-attachment-with-pdf.eml", 0},
    {"38-attachment-only.eml", 0},
    {"53-reply-in-reply-to.eml", 0},
    {"54-dsn-many-recipients.eml", mail::bounce | mail::auto_submitted, true, ReportKind::failed,
     "bbbbvhvbbvkjbhfbvbvjhb@gmail.com", "5.1.1", "<118707422.15521266992174819.JavaMail.root@lvmail01>"},
    {"55-deep-structure-rfc8621.eml", 0},
    {"58-mdn-read-receipt.eml", mail::read_receipt, true, ReportKind::read, "Joe_Recipient@example.com", "displayed",
     "<199509192301.23456@example.org>"},
    {"59-tnef-winmail.eml", 0},
};

class CorpusTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(CorpusTest);
  CPPUNIT_TEST(real_mails_are_what_they_are);
  CPPUNIT_TEST(a_signed_mail_shows_what_is_inside);
  CPPUNIT_TEST_SUITE_END();

 public:
  void real_mails_are_what_they_are() {
    for (const Expected& expected : expectations) {
      const auto text = support::shared_file(std::string("mail-corpus/") + expected.file);
      if (!text) return;
      support::BuilderFixture f;
      show(f, *text);
      const mail::Mail mail = f.build().mail;
      CPPUNIT_ASSERT_EQUAL_MESSAGE(expected.file, expected.flags, mail.flags);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(expected.file, expected.report, mail.report.has_value());
      if (!expected.report) continue;
      const mail::Report& report = *mail.report;
      CPPUNIT_ASSERT_MESSAGE(expected.file, report.kind == expected.kind);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(expected.file, std::string(expected.recipient), report.recipient);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(expected.file, std::string(expected.status), report.status);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(expected.file, std::string(expected.original), report.original_message_id);
    }
  }

  void a_signed_mail_shows_what_is_inside() {
    const auto text = support::shared_file("mail-corpus/23-smime-signed-small.eml");
    if (!text) return;
    support::BuilderFixture f;
    show(f, *text);
    const mail::Mail mail = f.build().mail;
    const auto attachments = support::parts_of(mail, mail::PartKind::attachment);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, attachments.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a p\xC3\xB6stal sign of our times"), support::read_all(*attachments[0]));
    CPPUNIT_ASSERT_EQUAL(std::string("smime.p7s"), attachments[1]->file_name);
    CPPUNIT_ASSERT_EQUAL('\x30', support::read_all(*attachments[1]).at(0));  // an ASN.1 sequence
  }

 private:
  // "Name <a@b>" or "a@b (Name)"
  static std::string address(const std::string& header) {
    const auto bracketed = mime::parse_message_ids(header);
    return bracketed.empty() ? header.substr(0, header.find(' ')) : bracketed[0].substr(1, bracketed[0].size() - 2);
  }

  static void show(support::BuilderFixture& f, const std::string& text) {
    mime::Headers headers;
    mime::parse_headers(text, headers);
    f.row.headers = headers.all();
    f.row.subject = headers.text("Subject");
    f.row.from = mail::Address{"", address(headers.text("From"))};
    f.row.to = {{"", address(headers.text("To"))}};
    const auto parts = mime::read_outline(text, [](const mime::Entity&) { return mime::Keep{SIZE_MAX, false}; });
    for (const mime::Entity& part : parts) {
      if (part.is("text/html") || part.is("text/plain")) {
        f.row.body_type = part.is("text/html") ? "html" : "text";
        f.row.body = part.text();
        break;
      }
    }
    f.graph.on("/$value", {200, text});
    f.graph.on("x001A%27)", {200, R"({"id":"AAMk="})"});
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(CorpusTest);

}  // namespace
