// MIME -> what Graph shows, and back.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/mime/mime_header.h"
#include "m365/mime/mime_read.h"
#include "m365/mime/mime_write.h"
#include "m365/mime/text.h"
#include "simulated.h"

namespace embedded {

using testing::simple_mail;

class MimeTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MimeTest);
  CPPUNIT_TEST(padded_neighbour_words_are_both_kept);
  CPPUNIT_TEST(a_character_cut_between_words);
  CPPUNIT_TEST(address_lists);
  CPPUNIT_TEST(parameters_out_of_order);
  CPPUNIT_TEST(headers_stand_in_wire_order);
  CPPUNIT_TEST(html_is_preferred_and_inline_is_no_attachment);
  CPPUNIT_TEST(second_text_of_a_mixed_mail_is_an_attachment);
  CPPUNIT_TEST(a_text_outside_of_the_alternative_stays);
  CPPUNIT_TEST(enclosed_mail_is_an_item);
  CPPUNIT_TEST(delivery_report);
  CPPUNIT_TEST(read_receipt);
  CPPUNIT_TEST(clear_signed_shows_one_attachment);
  CPPUNIT_TEST(meeting_request);
  CPPUNIT_TEST(receipt_and_importance);
  CPPUNIT_TEST(line_ends_become_crlf);
  CPPUNIT_TEST(rubbish_is_survived);
  CPPUNIT_TEST(what_is_written_is_read_again);
  CPPUNIT_TEST(header_injection_is_not_possible);
  CPPUNIT_TEST_SUITE_END();

 public:
  void padded_neighbour_words_are_both_kept() {
    CPPUNIT_ASSERT_EQUAL(std::string("ab"), decode_words("=?utf-8?B?YQ==?= =?utf-8?B?Yg==?="));
    CPPUNIT_ASSERT_EQUAL(std::string("a b c"), decode_words("a =?utf-8?Q?b?= c"));
    CPPUNIT_ASSERT_EQUAL(std::string("=?utf-8?X?b?="), decode_words("=?utf-8?X?b?="));
    const Content mail =
        read_mime(simple_mail("Subject: =?ISO-2022-JP?B?GyRCJF4kXxsoQg==?= =?ISO-2022-JP?B?GyRCJGAbKEI=?=\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::string("\xE3\x81\xBE\xE3\x81\xBF\xE3\x82\x80"), mail.subject.value());
  }

  void a_character_cut_between_words() {
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\xA4"), decode_words("=?utf-8?Q?=C3?=\r\n =?utf-8?Q?=A4?="));
  }

  void address_lists() {
    const auto list = parse_addresses(
        "\"Smith, J\" <j@a.example>, k@b.example (Kay), Team: =?utf-8?Q?=C3=84?= <l@c.example>, m@d.example;, Nobody");
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, list.size());
    CPPUNIT_ASSERT_EQUAL(std::string("Smith, J"), list[0].name);
    CPPUNIT_ASSERT_EQUAL(std::string("Kay"), list[1].name);
    CPPUNIT_ASSERT_EQUAL(std::string("k@b.example"), list[1].address);
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\x84"), list[2].name);
    CPPUNIT_ASSERT_EQUAL(std::string("m@d.example"), list[3].address);
    CPPUNIT_ASSERT_EQUAL(std::string("Nobody"), list[4].name);
    CPPUNIT_ASSERT(list[4].address.empty());
    CPPUNIT_ASSERT(parse_addresses("undisclosed recipients: ;").empty());
  }

  void parameters_out_of_order() {
    const auto value = parse_parameters("attachment; filename*1*=%E2%82%AC.txt; filename*0*=utf-8'en'%C3%A4; size=3");
    CPPUNIT_ASSERT_EQUAL(std::string("attachment"), value.value);
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\xA4\xE2\x82\xAC.txt"), value.parameters.at("filename"));
    CPPUNIT_ASSERT_EQUAL(std::string("3"), value.parameters.at("size"));
  }

  void headers_stand_in_wire_order() {
    const Content mail =
        read_mime(simple_mail("Received: one\r\nX-A: =?utf-8?Q?=C3=A4?=\r\nReceived: two\r\n\tfolded\r\nEmpty:\r\n"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, transport_headers(mail).size());
    CPPUNIT_ASSERT_EQUAL(std::string("=?utf-8?Q?=C3=A4?="), transport_headers(mail)[1].second);
    CPPUNIT_ASSERT_EQUAL(std::string("two folded"), transport_headers(mail)[2].second);
    CPPUNIT_ASSERT_EQUAL(std::string(), transport_headers(mail)[3].second);
  }

  void html_is_preferred_and_inline_is_no_attachment() {
    const Content mail = read_mime(
        "Subject: s\r\nContent-Type: multipart/related; boundary=r\r\n\r\n--r\r\nContent-Type: multipart/alternative; "
        "boundary=a\r\n\r\n"
        "--a\r\nContent-Type: text/plain\r\n\r\nplain\r\n--a\r\nContent-Type: text/html; "
        "charset=iso-8859-1\r\n\r\n<img src=\"cid:p@x\">\xE4\r\n"
        "--a--\r\n--r\r\nContent-Type: image/png; name=p.png\r\nContent-ID: <p@x>\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\nAAEC\r\n--r--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("plain"), mail.text.value());
    CPPUNIT_ASSERT_EQUAL(std::string("<img src=\"cid:p@x\">\xC3\xA4"), mail.html.value());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, mail.attachments.size());
    CPPUNIT_ASSERT(mail.attachments[0].is_inline);
    CPPUNIT_ASSERT_EQUAL(std::string("p@x"), mail.attachments[0].content_id.value());
    CPPUNIT_ASSERT_EQUAL(std::string("\0\1\2", 3), *mail.attachments[0].bytes);
    Message message;
    static_cast<Content&>(message) = mail;
    CPPUNIT_ASSERT(!message.has_real_attachments());
  }

  void second_text_of_a_mixed_mail_is_an_attachment() {
    const Content mail = read_mime(
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: "
        "text/plain\r\n\r\none\r\n--m\r\nContent-Type: image/jpeg\r\n\r\n"
        "x\r\n--m\r\nContent-Type: text/plain\r\n\r\ntwo\r\n--m--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("one"), mail.text.value());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, mail.attachments.size());
    CPPUNIT_ASSERT_EQUAL(std::string("ATT00001.jpg"), mail.attachments[0].name.value());
    CPPUNIT_ASSERT_EQUAL(std::string("ATT00002.txt"), mail.attachments[1].name.value());
  }

  void a_text_outside_of_the_alternative_stays() {
    const Content mail = read_mime(
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\nbefore\r\n"
        "--m\r\nContent-Type: multipart/alternative; boundary=a\r\n\r\n--a\r\n\r\nplain\r\n"
        "--a\r\nContent-Type: text/html\r\n\r\n<p>rich</p>\r\n--a--\r\n--m--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("before"), mail.text.value());
    CPPUNIT_ASSERT(!mail.html);  // it would hide the text
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, mail.attachments.size());
    CPPUNIT_ASSERT_EQUAL(std::string("plain"), *mail.attachments[0].bytes);
    CPPUNIT_ASSERT_EQUAL(std::string("ATT00002.htm"), mail.attachments[1].name.value());
  }

  void enclosed_mail_is_an_item() {
    const Content mail = read_mime(
        "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\nContent-Type: "
        "text/plain\r\n\r\nsee\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n"
        "Subject: =?utf-8?Q?inner_=C3=A4?=\r\n\r\ninside\r\n--m--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, mail.attachments.size());
    CPPUNIT_ASSERT(mail.attachments[0].kind == AttachmentKind::item);
    CPPUNIT_ASSERT_EQUAL(std::string("inner \xC3\xA4"), mail.attachments[0].name.value());
    CPPUNIT_ASSERT(mail.attachments[0].bytes->find("inside") != std::string::npos);
  }

  void delivery_report() {
    const auto report = [](const std::string& action) {
      return read_mime(
          "Content-Type: multipart/report; report-type=delivery-status; boundary=m\r\n\r\n--m\r\n\r\nsorry\r\n--m\r\n"
          "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;x\r\n\r\nFinal-Recipient: "
          "rfc822;a@b\r\nAction: " +
          action + "\r\nStatus: 5.1.1\r\n--m--\r\n");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("REPORT.IPM.Note.NDR"), report("failed").message_class);
    CPPUNIT_ASSERT_EQUAL(std::string("REPORT.IPM.Note.Delayed"), report("delayed").message_class);
    CPPUNIT_ASSERT_EQUAL(std::string("REPORT.IPM.Note.DR"), report("delivered").message_class);
    CPPUNIT_ASSERT_EQUAL(std::string("sorry"), report("failed").text.value());
    CPPUNIT_ASSERT(report("failed").attachments.empty());
  }

  void read_receipt() {
    const Content mail = read_mime(
        "Content-Type: multipart/report; report-type=disposition-notification; "
        "boundary=m\r\n\r\n--m\r\n\r\nread\r\n--m\r\n"
        "Content-Type: message/disposition-notification\r\n\r\nDisposition: manual-action/MDN-sent-manually; "
        "displayed\r\n--m--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("REPORT.IPM.Note.IPNRN"), mail.message_class);
  }

  void clear_signed_shows_one_attachment() {
    const Content mail = read_mime(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
        "boundary=s\r\n\r\n--s\r\nContent-Type: text/plain\r\n\r\n" +
        std::string(500, 'x') +
        "\r\n--s\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\n\r\nsig\r\n--s--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("IPM.Note.SMIME.MultipartSigned"), mail.message_class);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, mail.attachments.size());
    CPPUNIT_ASSERT_EQUAL(std::string("smime.p7m"), mail.attachments[0].name.value());
    CPPUNIT_ASSERT(mail.text->size() < 500);
    CPPUNIT_ASSERT_EQUAL(
        std::string("IPM.Note.SMIME"),
        read_mime("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nx").message_class);
  }

  void meeting_request() {
    const Content mail = read_mime(
        "Content-Type: multipart/alternative; boundary=m\r\n\r\n--m\r\nContent-Type: text/plain\r\n\r\ncome\r\n--m\r\n"
        "Content-Type: text/calendar; method=REQUEST\r\n\r\nBEGIN:VCALENDAR\r\n--m--\r\n");
    CPPUNIT_ASSERT_EQUAL(std::string("IPM.Schedule.Meeting.Request"), mail.message_class);
    CPPUNIT_ASSERT_EQUAL(std::string("REQUEST"), mail.meeting_method);
    CPPUNIT_ASSERT(mail.attachments.empty());
  }

  void receipt_and_importance() {
    const Content mail =
        read_mime(simple_mail("Disposition-Notification-To: <a@b.example>\r\nX-Priority: 1 (Highest)\r\n"));
    CPPUNIT_ASSERT(mail.read_receipt_requested);
    CPPUNIT_ASSERT_EQUAL(std::string("a@b.example"), mail.receipt_to.at(0));
    CPPUNIT_ASSERT_EQUAL(std::string("high"), mail.importance);
  }

  void line_ends_become_crlf() {
    const Content mail = read_mime("From user Mon Jan  1\nSubject: a\n\nb\nc\n");
    CPPUNIT_ASSERT_EQUAL(std::string("Subject: a\r\n\r\nb\r\nc\r\n"), *mail.mime);
    CPPUNIT_ASSERT_EQUAL(std::string("b\r\nc\r\n"), mail.text.value());
  }

  void rubbish_is_survived() {
    std::string deep;
    for (int i = 0; i < 3000; ++i)
      deep +=
          "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\r\n\r\n--b" + std::to_string(i) + "\r\n";
    for (const std::string& bad :
         {std::string(), std::string("\0\0", 2), std::string("\r\n\r\n"), std::string(1000, ':'), random_bytes(5000),
          deep, std::string("Content-Type: multipart/mixed\r\n\r\n--x"),
          std::string("Content-Type: /;;==\"\r\nSubject: =?utf-8?B?=?=\r\n\r\n"),
          std::string("From: <<<>>> , ; : ( ( \"\r\n\r\n"),
          std::string("Content-Type: text/plain; charset=utf-7\r\n\r\n+ABC")}) {
      const Content mail = read_mime(bad);
      CPPUNIT_ASSERT(is_utf8(mail.subject.value_or("")));
      CPPUNIT_ASSERT(is_utf8(mail.text.value_or("")));
    }
  }

  void what_is_written_is_read_again() {
    Message message;
    message.subject = "T\xC3\xA4rke\xC3\xA4 \xE2\x82\xAC " + std::string(120, 'x') + " \xE3\x81\xBE\xE3\x81\xBF";
    message.from = Address{"J\xC3\xBCrgen \"J\"", "j@contoso.example"};
    message.to = {{"A, B", "a@fabrikam.example"}, {"", "b@fabrikam.example"}};
    message.bcc = {{"", "secret@fabrikam.example"}};
    message.html = "<p>\xC3\xA4</p>";
    message.internet_message_id = "<id@x>";
    message.in_reply_to = "<a@b>";
    message.references = "<r@b> <a@b>";
    message.own_headers = {{"X-One", "\xC3\xA4"}};
    Attachment file;
    file.name = "p\xC3\xA4iv\xC3\xA4 \"1\".txt";
    file.content_type = "text/plain";
    file.bytes = std::make_shared<const std::string>(random_bytes(10'000));
    message.attachments = {file};
    Attachment picture = file;
    picture.is_inline = true;
    picture.content_id = "pic";
    picture.name = "p.png";
    message.attachments.push_back(picture);
    const std::string mime = write_mime(message);
    CPPUNIT_ASSERT(mime.find("secret@") == std::string::npos);
    const Content again = read_mime(mime);
    CPPUNIT_ASSERT_EQUAL(*message.subject, again.subject.value());
    CPPUNIT_ASSERT_EQUAL(message.from->name, again.from->name);
    CPPUNIT_ASSERT_EQUAL(std::string("A, B"), again.to.at(0).name);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, again.to.size());
    CPPUNIT_ASSERT_EQUAL(*message.html, std::string(trim(*again.html)));
    CPPUNIT_ASSERT_EQUAL(std::string("<a@b>"), again.in_reply_to);
    CPPUNIT_ASSERT_EQUAL(message.references, again.references);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, again.attachments.size());
    for (const auto& attachment : again.attachments) {
      CPPUNIT_ASSERT(*attachment.bytes == *file.bytes);
      CPPUNIT_ASSERT_EQUAL(attachment.is_inline ? *picture.name : *file.name, attachment.name.value());
    }
  }

  void header_injection_is_not_possible() {
    Message message;
    message.subject = "a\r\nBcc: victim@x.example";
    message.own_headers = {{"X-A", "b\r\nBcc: victim@x.example"}};
    message.text = "";
    const Content again = read_mime(write_mime(message));
    CPPUNIT_ASSERT(again.bcc.empty());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(MimeTest);

}  // namespace embedded
