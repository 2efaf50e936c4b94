// The documented answers of the service, where they lie beside the repository (skipped where they do not): every field
// the product uses comes out, compared with a plain search in the text.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "builder_support.h"
#include "m365/message/message_row.h"

namespace {

// What follows the empty line of an example written as an HTTP answer.
std::string body_of(const std::string& example) {
  if (!example.starts_with("HTTP/")) return example;
  const std::size_t end = example.find("\n\n"), end_crlf = example.find("\r\n\r\n");
  return example.substr(std::min(end == std::string::npos ? example.size() : end + 2,
                                 end_crlf == std::string::npos ? example.size() : end_crlf + 4));
}

std::size_t count(const std::string& text, const std::string& word) {
  std::size_t found = 0;
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) ++found;
  return found;
}

class ExamplesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExamplesTest);
  CPPUNIT_TEST(messages);
  CPPUNIT_TEST(delta_pages);
  CPPUNIT_TEST(attachments);
  CPPUNIT_TEST(folders);
  CPPUNIT_TEST_SUITE_END();

 public:
  void messages() {
    for (const char* name : {"message-get.1", "eventmessage-get.1", "eventmessage-get.2", "message-move.1"}) {
      const auto text = example(name);
      if (!text) return;
      const m365::MessageRow row = m365::decode_message(*text);
      CPPUNIT_ASSERT_MESSAGE(name, row.complete() && row.unreadable.empty());
      CPPUNIT_ASSERT_MESSAGE(name,
                             row.subject && row.internet_message_id && row.conversation_id && row.parent_folder_id);
      CPPUNIT_ASSERT_MESSAGE(name,
                             row.from && row.sender && !row.to.empty() && row.received && row.sent && row.importance);
      CPPUNIT_ASSERT_MESSAGE(name,
                             row.is_read.has_value() && row.is_draft == false && row.read_receipt_requested == false);
      CPPUNIT_ASSERT_MESSAGE(name, row.body_type == "html" && !row.body->empty());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, std::string(name).starts_with("event"),
                                   row.odata_type == "#microsoft.graph.eventMessageRequest");
    }
    const m365::MessageRow get = m365::decode_message(*example("message-get.1"));
    CPPUNIT_ASSERT_EQUAL(std::string("AAMkADhMGAAA="), get.id);
    CPPUNIT_ASSERT_EQUAL(std::string("9/9/2018: concert"), *get.subject);
    CPPUNIT_ASSERT_EQUAL(std::string("2018-09-09T03:15:08Z"), m365::format_time(*get.received));
    CPPUNIT_ASSERT((get.to == std::vector<mail::Address>{{"Alex Wilber", "AlexW@contoso.OnMicrosoft.com"}}));
    const m365::MessageRow headers = m365::decode_message(*example("message-get.2"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, headers.headers.size());
    CPPUNIT_ASSERT_EQUAL(std::string("multipart/report"), headers.headers[1].second);
    const m365::MessageRow text = m365::decode_message(*example("message-get.3"));
    CPPUNIT_ASSERT(text.body_type == "text" && text.body->find("\xF0\x9F\x98\x8A") != std::string::npos);
  }

  void delta_pages() {
    for (const char* name : {"delta-query-messages.1", "delta-query-messages.2", "delta-query-messages.3",
                             "delta-query-messages.4", "message-delta.1"}) {
      const auto text = example(name);
      if (!text) return;
      const m365::MessagePage page = m365::decode_message_page(*text);
      CPPUNIT_ASSERT_MESSAGE(name, !page.broken_links);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, count(*text, "\"subject\"") + count(*text, "\"@removed\""), page.rows.size());
      CPPUNIT_ASSERT_MESSAGE(
          name, std::none_of(page.rows.begin(), page.rows.end(), [](const auto& row) { return row.complete(); }));
    }
    const auto page = m365::decode_message_page(*example("delta-query-messages.4"));
    CPPUNIT_ASSERT(page.rows.at(0).removed && !page.rows.at(1).removed);
    CPPUNIT_ASSERT(page.rows[1].is_read == true);  // "true", as a string
    CPPUNIT_ASSERT((*page.rows[1].sender == mail::Address{"Dana Swope", "danas@contoso.onmicrosoft.com"}));
  }

  void attachments() {
    const auto text = example("message-list-attachments.1");
    if (!text) return;
    const auto page = m365::decode_attachment_page(*text);
    CPPUNIT_ASSERT_EQUAL(std::string("id-value"), page.rows.at(0).id);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{99}, page.rows[0].size);
    using Kind = m365::AttachmentRow::Kind;
    const std::vector<std::pair<const char*, Kind>> single{{"attachment-get.1", Kind::file},
                                                           {"attachment-get.2", Kind::item},
                                                           {"attachment-get.3", Kind::item},
                                                           {"attachment-get.4", Kind::item},
                                                           {"attachment-get.5", Kind::reference}};
    for (const auto& [name, kind] : single) {
      const auto one = m365::decode_attachment_page("{\"value\":[" + *example(name) + "]}").rows.at(0);
      CPPUNIT_ASSERT_MESSAGE(name, one.kind == kind);
      CPPUNIT_ASSERT_MESSAGE(name, !one.id.empty() && !one.name.empty() && one.size > 0);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, kind == Kind::item, one.content_type.empty());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, kind == Kind::reference, one.is_inline);
    }
  }

  void folders() {
    const auto text = example("user-list-mailfolders.1");
    if (!text) return;
    const auto page = m365::decode_folder_page(*text);
    CPPUNIT_ASSERT_EQUAL(count(*text, "\"displayName\""), page.rows.size());
    const m365::FolderRow& inbox = page.rows.at(4);
    CPPUNIT_ASSERT_EQUAL(std::string("Inbox"), inbox.name);
    CPPUNIT_ASSERT(inbox.total == 71 && inbox.unread == 70 && inbox.child_folders == 1);
    const m365::FolderRow one = m365::decode_folder(*example("mailfolder-get.1"));
    CPPUNIT_ASSERT_EQUAL(std::string("AAMkAGVmMDEzI"), one.parent_id);
  }

 private:
  static std::optional<std::string> example(const std::string& name) {
    for (const char* ending : {".http", ".json"}) {
      if (const auto text = support::shared_file("reference/graph-examples/" + name + ending)) return body_of(*text);
    }
    return std::nullopt;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExamplesTest);

}  // namespace
