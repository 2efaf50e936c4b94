// Drafts, uploads, sending, delivery.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/mime/mime_read.h"
#include "simulated.h"

namespace embedded {

using testing::Answer;
using testing::kSupport;
using testing::numbered_mail;
using testing::simple_mail;
using testing::Simulated;

class SendingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SendingTest);
  CPPUNIT_TEST(a_draft_arrives);
  CPPUNIT_TEST(the_property_survives_sending);
  CPPUNIT_TEST(immutable_id_may_change_on_send);
  CPPUNIT_TEST(headers_of_a_draft);
  CPPUNIT_TEST(replies_stay_in_the_thread);
  CPPUNIT_TEST(send_mail_forms);
  CPPUNIT_TEST(mime_upload);
  CPPUNIT_TEST(refusals_of_sending);
  CPPUNIT_TEST(content_length_is_required);
  CPPUNIT_TEST(unknown_recipient_bounces);
  CPPUNIT_TEST(other_domains_leave);
  CPPUNIT_TEST(transport_takes_its_time);
  CPPUNIT_TEST(upload_session);
  CPPUNIT_TEST(upload_refusals);
  CPPUNIT_TEST(work_done_after_a_504);
  CPPUNIT_TEST_SUITE_END();

  static constexpr const char* kTo =
      R"("toRecipients":[{"emailAddress":{"address":"customer@fabrikam.example","name":"Casey"}}])";
  static constexpr const char* kKey = "String {8ecce264-6880-4ebe-992f-8888d2eeaa1d} Name MailJobId";

  std::string support(const std::string& rest) const { return kSupport + rest; }

  std::string draft(const std::string& more = {}) {
    const Answer answer =
        s_.ask("POST", support("/messages"), "{" + std::string(kTo) + (more.empty() ? "" : ",") + more + "}",
               {{"Prefer", "IdType=\"ImmutableId\""}});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.text, 201, answer.status);
    return answer.body.text("id");
  }

  Answer send(const std::string& id) { return s_.ask("POST", support("/messages/" + id + "/send")); }

  // A copy of the only message of a folder.
  Message only(const std::string& address, const char* folder) {
    auto& mailbox = s_.mailbox(address);
    const auto lock = mailbox.lock();
    const auto& all = mailbox.well_known(folder)->by_received;
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, all.size());
    return *all.front();
  }

  std::size_t count(const std::string& address, const char* folder) {
    auto& mailbox = s_.mailbox(address);
    const auto lock = mailbox.lock();
    return mailbox.well_known(folder)->by_received.size();
  }

  HttpRequest piece(const std::string& url, std::string bytes, const std::string& range) {
    HttpRequest request;
    request.method = "PUT";
    request.target = url.substr(url.find('/', 8));
    request.headers.add("Content-Length", std::to_string(bytes.size()));
    request.headers.add("Content-Range", range);
    request.body = std::move(bytes);
    return request;
  }

  std::string open_session(const std::string& id, std::size_t size) {
    const Answer answer =
        s_.ask("POST", support("/messages/" + id + "/attachments/createUploadSession"),
               R"({"AttachmentItem":{"attachmentType":"file","name":"big.bin","size":)" + std::to_string(size) + "}}");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(answer.text, 201, answer.status);
    CPPUNIT_ASSERT_EQUAL(std::string("0-"), answer.body.find("nextExpectedRanges")->array().at(0).string());
    return answer.body.text("uploadUrl");
  }

 public:
  void a_draft_arrives() {
    const std::string id = draft(R"("subject":"Hei \u20ac","body":{"contentType":"html","content":"<b>x</b>"},
      "bccRecipients":[{"emailAddress":{"address":"sales@contoso.example"}}],
      "attachments":[{"@odata.type":"#microsoft.graph.fileAttachment","name":"a.txt","contentType":"text/plain","contentBytes":"SGVsbG8="}])");
    const Answer sent = send(id);
    CPPUNIT_ASSERT_EQUAL(202, sent.status);
    CPPUNIT_ASSERT(sent.text.empty());
    const Message there = only("customer@fabrikam.example", "inbox");
    CPPUNIT_ASSERT_EQUAL(std::string("Hei \xE2\x82\xAC"), there.subject.value());
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.example"), there.from->address);
    CPPUNIT_ASSERT(!there.is_read);
    CPPUNIT_ASSERT(there.bcc.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("Hello"), *there.attachments.at(0).bytes);
    CPPUNIT_ASSERT_EQUAL(std::string("Received"), transport_headers(there).at(0).first);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count("sales@contoso.example", "inbox"));
    const Message copy = only("support@contoso.example", "sentitems");
    CPPUNIT_ASSERT(!copy.is_draft);
    CPPUNIT_ASSERT_EQUAL(there.internet_message_id, copy.internet_message_id);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, count("support@contoso.example", "drafts"));
    // A second send of the same id is refused: the message is no draft any more.
    CPPUNIT_ASSERT_EQUAL(400, send(id).status);
  }

  void the_property_survives_sending() {
    const std::string id = draft(
        R"("singleValueExtendedProperties":[{"id":"String {8ECCE264-6880-4EBE-992F-8888D2EEAA1D} Name MailJobId","value":"job-7"}])");
    const std::string search = support("/messages?$select=isDraft&$filter=" +
                                       percent_encode("singleValueExtendedProperties/Any(ep: ep/id eq '" +
                                                      std::string(kKey) + "' and ep/value eq 'job-7')"));
    CPPUNIT_ASSERT(s_.get(search).value().at(0).boolean("isDraft", false));
    CPPUNIT_ASSERT_EQUAL(202, send(id).status);
    const auto found = s_.get(search, {{"Prefer", "IdType=\"ImmutableId\""}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.value().size());
    CPPUNIT_ASSERT(!found.value()[0].boolean("isDraft", true));
    CPPUNIT_ASSERT_EQUAL(id, found.value()[0].text("id"));
    // Not echoed unless expanded.
    CPPUNIT_ASSERT(found.text.find("job-7") == std::string::npos);
  }

  void immutable_id_may_change_on_send() {
    s_.world.behaviour.immutable_id_changes_on_send = true;
    const std::string id = draft();
    CPPUNIT_ASSERT_EQUAL(202, send(id).status);
    CPPUNIT_ASSERT_EQUAL(404, s_.get(support("/messages/" + id)).status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count("support@contoso.example", "sentitems"));
  }

  void headers_of_a_draft() {
    const auto headers = [](const std::string& name, int times) {
      std::string all = R"("internetMessageHeaders":[)";
      for (int i = 0; i < times; ++i)
        all += (i > 0 ? "," : "") + std::string("{\"name\":\"") + name + std::to_string(i) + R"(","value":"v"})";
      return "{" + all + "]}";
    };
    CPPUNIT_ASSERT_EQUAL(201, s_.ask("POST", support("/messages"), headers("X-My-", 5)).status);
    CPPUNIT_ASSERT_EQUAL(std::string("InvalidInternetMessageHeaderCollection"),
                         s_.ask("POST", support("/messages"), headers("x-my-", 6)).code());
    CPPUNIT_ASSERT_EQUAL(std::string("InvalidInternetMessageHeader"),
                         s_.ask("POST", support("/messages"), headers("Auto-Submitted", 1)).code());
    const std::string id = draft(R"("internetMessageHeaders":[{"name":"X-Auto-Response-Suppress","value":"All"}],
      "singleValueExtendedProperties":[{"id":"String 0x1042","value":"<q@x>"},{"id":"String 0x1039","value":"<p@x> <q@x>"}])");
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("PATCH", support("/messages/" + id), R"({"internetMessageHeaders":[]})").status);
    send(id);
    const Message there = only("customer@fabrikam.example", "inbox");
    CPPUNIT_ASSERT_EQUAL(std::string("<q@x>"), there.in_reply_to);
    CPPUNIT_ASSERT_EQUAL(std::string("<p@x> <q@x>"), there.references);
    bool found = false;
    for (const auto& header : transport_headers(there))
      found = found || (header.first == "X-Auto-Response-Suppress" && header.second == "All");
    CPPUNIT_ASSERT(found);
  }

  void replies_stay_in_the_thread() {
    const std::string id = s_.put(simple_mail(
        "From: Casey <customer@fabrikam.example>\r\nReply-To: customer@fabrikam.example\r\nTo: "
        "support@contoso.example\r\n"
        "Subject: Re: Order\r\nMessage-ID: <o@fabrikam.example>\r\nReferences: <first@fabrikam.example>\r\n"));
    const Answer reply = s_.ask("POST", support("/messages/" + id + "/createReply"));
    CPPUNIT_ASSERT_EQUAL(201, reply.status);
    CPPUNIT_ASSERT_EQUAL(std::string("RE: Order"), reply.body.text("subject"));
    CPPUNIT_ASSERT_EQUAL(s_.get(support("/messages/" + id)).body.text("conversationId"),
                         reply.body.text("conversationId"));
    const std::string url = support("/messages/" + reply.body.text("id"));
    CPPUNIT_ASSERT_EQUAL(200, s_.ask("PATCH", url, R"({"body":{"contentType":"text","content":"Coming"}})").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", url + "/createReply").status);  // of a draft
    CPPUNIT_ASSERT_EQUAL(202, s_.ask("POST", url + "/send").status);
    const Message there = only("customer@fabrikam.example", "inbox");
    CPPUNIT_ASSERT_EQUAL(std::string("<o@fabrikam.example>"), there.in_reply_to);
    CPPUNIT_ASSERT_EQUAL(std::string("<first@fabrikam.example> <o@fabrikam.example>"), there.references);
    CPPUNIT_ASSERT_EQUAL(202, s_.ask("POST", support("/messages/" + id + "/reply"), R"({"comment":"yes"})").status);
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/messages/" + id + "/reply"),
                                     R"({"comment":"yes","message":{"body":{"contentType":"text","content":"x"}}})")
                                  .status);
  }

  void send_mail_forms() {
    const std::string message = "\"message\":{" + std::string(kTo) + "}";
    CPPUNIT_ASSERT_EQUAL(202,
                         s_.ask("POST", support("/sendMail"), "{" + message + ",\"saveToSentItems\":false}").status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, count("support@contoso.example", "sentitems"));
    CPPUNIT_ASSERT_EQUAL(202,
                         s_.ask("POST", support("/sendMail"), "{" + message + ",\"saveToSentItems\":\"true\"}").status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count("support@contoso.example", "sentitems"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, count("customer@fabrikam.example", "inbox"));
    CPPUNIT_ASSERT_EQUAL(400, s_.ask("POST", support("/sendMail"), "{}").status);
  }

  void mime_upload() {
    const std::string mime = simple_mail(
        "From: someone@else.example\r\nTo: customer@fabrikam.example\r\nBcc: sales@contoso.example\r\nSubject: m\r\n"
        "X-Mine: 1\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: <a@b>\r\nMessage-ID: <mine@x>\r\n",
        "hello\r\n");
    const Answer sent = s_.ask("POST", support("/sendMail"), base64_encode(mime), {{"Content-Type", "text/plain"}});
    CPPUNIT_ASSERT_EQUAL_MESSAGE(sent.text, 202, sent.status);
    const Message there = only("customer@fabrikam.example", "inbox");
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.example"), there.from->address);
    CPPUNIT_ASSERT_EQUAL(std::string("<mine@x>"), there.internet_message_id);
    CPPUNIT_ASSERT_EQUAL(std::string("<a@b>"), there.in_reply_to);
    CPPUNIT_ASSERT(there.mime->find("Auto-Submitted") == std::string::npos);
    CPPUNIT_ASSERT(there.mime->find("Bcc") == std::string::npos);
    CPPUNIT_ASSERT(there.mime->find("X-Mine: 1") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count("sales@contoso.example", "inbox"));
    const Answer bad = s_.ask("POST", support("/messages"), "%%%", {{"Content-Type", "text/plain"}});
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorMimeContentInvalidBase64String"), bad.code());
  }

  void refusals_of_sending() {
    CPPUNIT_ASSERT_EQUAL(400, send(s_.ask("POST", support("/messages"), "{}").body.text("id")).status);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorInvalidRecipients"),
                         s_.ask("POST", support("/sendMail"),
                                R"({"message":{"toRecipients":[{"emailAddress":{"address":"no address"}}]}})")
                             .code());
    const Answer other =
        s_.ask("POST", support("/sendMail"),
               "{\"message\":{" + std::string(kTo) + R"(,"from":{"emailAddress":{"address":"ceo@contoso.example"}}}})");
    CPPUNIT_ASSERT_EQUAL(403, other.status);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorSendAsDenied"), other.code());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1},
                         count("support@contoso.example", "drafts"));  // only the first; sendMail leaves nothing behind
    auto& mailbox = s_.mailbox("support@contoso.example");
    const auto set = [&](auto change) {
      const auto lock = mailbox.lock();
      mailbox.options = MailboxOptions();
      change(mailbox.options);
    };
    const std::string mail =
        "{\"message\":{" + std::string(kTo) + ",\"body\":{\"content\":\"" + std::string(2000, 'x') + "\"}}}";
    set([](MailboxOptions& options) { options.max_send_size = 1000; });
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorMessageSizeExceeded"), s_.ask("POST", support("/sendMail"), mail).code());
    set([](MailboxOptions& options) { options.quota_exceeded = true; });
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorQuotaExceeded"), s_.ask("POST", support("/sendMail"), mail).code());
    set([](MailboxOptions& options) { options.daily_recipient_limit = 1; });
    CPPUNIT_ASSERT_EQUAL(202, s_.ask("POST", support("/sendMail"), mail).status);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorExceededMessageLimit"), s_.ask("POST", support("/sendMail"), mail).code());
  }

  void content_length_is_required() {
    HttpRequest request;
    request.method = "POST";
    request.target = "/v1.0" + support("/messages/" + draft() + "/send");
    request.headers.add("Authorization", "Bearer " + s_.bearer);
    CPPUNIT_ASSERT_EQUAL(411, s_.graph.handle(request).status);
    request.has_length = true;
    CPPUNIT_ASSERT_EQUAL(202, s_.graph.handle(request).status);
  }

  void unknown_recipient_bounces() {
    CPPUNIT_ASSERT_EQUAL(
        202,
        s_.ask(
              "POST", support("/sendMail"),
              R"({"message":{"subject":"x","internetMessageId":"<lost@x>","toRecipients":[{"emailAddress":{"address":"nobody@fabrikam.example"}}]}})")
            .status);
    const Message report = only("support@contoso.example", "inbox");
    CPPUNIT_ASSERT_EQUAL(std::string("REPORT.IPM.Note.NDR"), report.message_class);
    CPPUNIT_ASSERT_EQUAL(std::string("Undeliverable: x"), report.subject.value());
    CPPUNIT_ASSERT(report.mime->find("Final-Recipient: rfc822;nobody@fabrikam.example") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::string("<lost@x>"), read_mime(*report.attachments.at(0).bytes).internet_message_id);
  }

  void other_domains_leave() {
    s_.ask("POST", support("/sendMail"),
           R"({"message":{"toRecipients":[{"emailAddress":{"address":"a@far.example"}}]}})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s_.world.transport.left().size());
    CPPUNIT_ASSERT_EQUAL(std::string("a@far.example"), s_.world.transport.left().at(0).to);
  }

  void transport_takes_its_time() {
    s_.world.behaviour.transport_delay_ms = 3'600'000;
    CPPUNIT_ASSERT_EQUAL(202, send(draft()).status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count("support@contoso.example", "outbox"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, count("customer@fabrikam.example", "inbox"));
  }

  void upload_session() {
    const std::string id = draft();
    const std::string bytes = random_bytes(3'000'000);
    const std::string url = open_session(id, bytes.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, url.find(s_.world.upload_origin));
    const Answer first =
        Simulated::read(s_.world.uploads.handle(piece(url, bytes.substr(0, 2'000'000), "bytes 0-1999999/3000000")));
    CPPUNIT_ASSERT_EQUAL(200, first.status);
    CPPUNIT_ASSERT_EQUAL(std::string("2000000"), first.body.find("NextExpectedRanges")->array().at(0).string());
    const Answer last =
        Simulated::read(s_.world.uploads.handle(piece(url, bytes.substr(2'000'000), "bytes 2000000-2999999/3000000")));
    CPPUNIT_ASSERT_EQUAL(201, last.status);
    CPPUNIT_ASSERT(last.text.empty());
    CPPUNIT_ASSERT(last.headers.get("Location").find("/Attachments('") != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(202, send(id).status);
    CPPUNIT_ASSERT(bytes == *only("customer@fabrikam.example", "inbox").attachments.at(0).bytes);
  }

  void upload_refusals() {
    const std::string id = draft();
    const auto session = [&](const std::string& item) {
      return s_.ask("POST", support("/messages/" + id + "/attachments/createUploadSession"),
                    "{\"AttachmentItem\":" + item + "}");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorAttachmentSizeShouldNotBeLessThanMinimumSize"),
                         session(R"({"attachmentType":"file","name":"a","size":1000})").code());
    CPPUNIT_ASSERT_EQUAL(400, session(R"({"attachmentType":"file","size":4000000})").status);
    CPPUNIT_ASSERT_EQUAL(400, session("[]").status);
    const std::string url = open_session(id, 3'000'000);
    const auto put = [&](const std::string& to, const std::string& bytes, const std::string& range) {
      return s_.world.uploads.handle(piece(to, bytes, range)).status;
    };
    const std::string thousand(1000, 'x');
    CPPUNIT_ASSERT_EQUAL(416, put(url, thousand, "bytes 1000-1999/3000000"));
    CPPUNIT_ASSERT_EQUAL(400, put(url, thousand, "bytes 0-998/3000000"));
    CPPUNIT_ASSERT_EQUAL(400, put(url, thousand, "bytes 0-999/4000000"));
    CPPUNIT_ASSERT_EQUAL(400, put(url, thousand, "0-999/3000000"));
    CPPUNIT_ASSERT_EQUAL(401, put(url + "x", thousand, "bytes 0-999/3000000"));
    CPPUNIT_ASSERT_EQUAL(
        404, put(replace_all(url, "AttachmentSessions('", "AttachmentSessions('x"), thousand, "bytes 0-999/3000000"));
    HttpRequest with_token = piece(url, thousand, "bytes 0-999/3000000");
    with_token.headers.add("Authorization", "Bearer " + s_.bearer);
    CPPUNIT_ASSERT_EQUAL(401, s_.world.uploads.handle(with_token).status);
    CPPUNIT_ASSERT_EQUAL(200, put(url, thousand, "bytes 0-999/3000000"));
    CPPUNIT_ASSERT_EQUAL(416, put(url, thousand, "bytes 0-999/3000000"));  // a piece twice
    s_.world.clock.advance(std::chrono::hours(2));
    CPPUNIT_ASSERT_EQUAL(404, put(url, thousand, "bytes 1000-1999/3000000"));
  }

  void work_done_after_a_504() {
    const std::string id = draft();
    s_.world.faults.add(
        parse_json(R"({"match":{"operation":"messages.send","nth":1},"effect":{"work_done_ms_later":3600000}})"));
    CPPUNIT_ASSERT_EQUAL(504, send(id).status);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, count("support@contoso.example", "drafts"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, count("customer@fabrikam.example", "inbox"));
  }

 private:
  Simulated s_;
};
CPPUNIT_TEST_SUITE_REGISTRATION(SendingTest);

}  // namespace embedded
