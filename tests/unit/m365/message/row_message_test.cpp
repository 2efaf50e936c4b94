#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <string>

#include "m365/message/message_row.h"
#include "mail/fault.h"

namespace {

using m365::MessageRow;

bool listed(const MessageRow& row, const std::string& name) {
  return std::count(row.unreadable.begin(), row.unreadable.end(), name) == 1;
}

class MessageRowTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MessageRowTest);
  CPPUNIT_TEST(reads_a_whole_message);
  CPPUNIT_TEST(every_property_may_be_missing);
  CPPUNIT_TEST(every_property_may_be_null);
  CPPUNIT_TEST(every_property_may_be_of_another_type);
  CPPUNIT_TEST(a_flag_as_string_is_understood);
  CPPUNIT_TEST(a_lone_surrogate_costs_only_its_place);
  CPPUNIT_TEST(a_lone_surrogate_in_a_header_or_name_keeps_the_others);
  CPPUNIT_TEST(a_removed_row_is_known);
  CPPUNIT_TEST(a_row_of_a_changed_flag_is_not_complete);
  CPPUNIT_TEST(a_row_that_is_no_object_costs_only_itself);
  CPPUNIT_TEST(keys_are_compared_exactly);
  CPPUNIT_TEST(unknown_members_are_ignored_however_deep);
  CPPUNIT_TEST(ten_megabytes_in_one_field_survive);
  CPPUNIT_TEST(links_are_taken_over_and_checked);
  CPPUNIT_TEST(what_is_no_page_is_refused);
  CPPUNIT_TEST(bytes_that_are_not_utf8_fail_a_page_and_not_a_message);
  CPPUNIT_TEST(addresses_without_address_are_kept);
  CPPUNIT_TEST_SUITE_END();

 public:
  void reads_a_whole_message() {
    const MessageRow row = m365::decode_message(R"({"@odata.context":"x","@odata.type":"#microsoft.graph.eventMessage",
      "id":"AAMk=","isRead":true,"isDraft":false,"hasAttachments":true,"isReadReceiptRequested":false,
      "subject":"Äö \u4f60 \ud83d\ude00","internetMessageId":"<a@b>","conversationId":"AAQ=","parentFolderId":"F=",
      "importance":"high","receivedDateTime":"2018-09-09T03:15:08Z","sentDateTime":"2018-09-09T03:15:06.5Z",
      "from":{"emailAddress":{"name":"A","address":"a@x"}},"sender":{"emailAddress":{"name":"S","address":"s@x"}},
      "toRecipients":[{"emailAddress":{"name":"T","address":"t@x"}},{"emailAddress":{"address":"u@x"}}],
      "ccRecipients":[{"emailAddress":{"name":"C","address":"c@x"}}],"bccRecipients":[],
      "replyTo":[{"emailAddress":{"name":"R","address":"r@x"}}],
      "internetMessageHeaders":[{"name":"Received","value":"one"},{"name":"Received","value":"two"}],
      "body":{"contentType":"html","content":"<p>\r\n</p>"}})");
    CPPUNIT_ASSERT_EQUAL(std::string("AAMk="), row.id);
    CPPUNIT_ASSERT_EQUAL(std::string("#microsoft.graph.eventMessage"), row.odata_type);
    CPPUNIT_ASSERT(row.is_read == true && row.is_draft == false && row.has_attachments == true);
    CPPUNIT_ASSERT(row.read_receipt_requested == false);
    CPPUNIT_ASSERT_EQUAL(std::string("Äö 你 😀"), *row.subject);
    CPPUNIT_ASSERT_EQUAL(std::string("<a@b>"), *row.internet_message_id);
    CPPUNIT_ASSERT_EQUAL(std::string("AAQ="), *row.conversation_id);
    CPPUNIT_ASSERT_EQUAL(std::string("F="), *row.parent_folder_id);
    CPPUNIT_ASSERT_EQUAL(std::string("high"), *row.importance);
    CPPUNIT_ASSERT_EQUAL(std::string("2018-09-09T03:15:08Z"), m365::format_time(*row.received));
    CPPUNIT_ASSERT_EQUAL(std::string("2018-09-09T03:15:06.500Z"), m365::format_time(*row.sent));
    CPPUNIT_ASSERT((*row.from == mail::Address{"A", "a@x"}));
    CPPUNIT_ASSERT((*row.sender == mail::Address{"S", "s@x"}));
    CPPUNIT_ASSERT((row.to == std::vector<mail::Address>{{"T", "t@x"}, {"", "u@x"}}));
    CPPUNIT_ASSERT((row.cc == std::vector<mail::Address>{{"C", "c@x"}}));
    CPPUNIT_ASSERT(row.bcc.empty());
    CPPUNIT_ASSERT((row.reply_to == std::vector<mail::Address>{{"R", "r@x"}}));
    CPPUNIT_ASSERT(row.has_headers);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, row.headers.size());
    CPPUNIT_ASSERT_EQUAL(std::string("two"), row.headers[1].second);
    CPPUNIT_ASSERT_EQUAL(std::string("html"), *row.body_type);
    CPPUNIT_ASSERT_EQUAL(std::string("<p>\r\n</p>"), *row.body);
    CPPUNIT_ASSERT(row.unreadable.empty());
    CPPUNIT_ASSERT(row.complete());
  }

  void every_property_may_be_missing() {
    const MessageRow row = m365::decode_message("{}");
    CPPUNIT_ASSERT(row.id.empty() && !row.removed && !row.has_headers && row.unreadable.empty());
    CPPUNIT_ASSERT(!row.complete());
  }

  void every_property_may_be_null() {
    const MessageRow row = m365::decode_message(with_all("null"));
    CPPUNIT_ASSERT(row.unreadable.empty());
    CPPUNIT_ASSERT(!row.subject && !row.is_read && !row.from && !row.received && !row.body && row.to.empty());
    CPPUNIT_ASSERT(!row.has_headers && !row.removed);
  }

  void every_property_may_be_of_another_type() {
    for (const char* wrong :
         {"17", "\"x\"", "[]", "{}", "[1,{\"a\":[2]}]", "{\"a\":{\"b\":[null]}}", "true", "-1.5e3"}) {
      const MessageRow row = m365::decode_message(R"({"id":"I",)" + members(wrong) + R"(,"conversationId":"last"})");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wrong, std::string("I"), row.id);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wrong, std::string("last"), row.conversation_id.value_or(""));
    }
    const MessageRow row = m365::decode_message(R"({"id":"I","subject":7,"isRead":"maybe","receivedDateTime":"now"})");
    CPPUNIT_ASSERT(listed(row, "subject") && listed(row, "isRead") && listed(row, "receivedDateTime"));
    CPPUNIT_ASSERT(!row.subject && !row.is_read && !row.received);
  }

  void a_flag_as_string_is_understood() {
    const MessageRow row = m365::decode_message(R"({"id":"I","isRead":"true","isDraft":"false"})");
    CPPUNIT_ASSERT(row.is_read == true && row.is_draft == false && row.unreadable.empty());
  }

  void a_lone_surrogate_costs_only_its_place() {
    const auto page = m365::decode_message_page(
        R"({"value":[{"id":"1","subject":"a\ud83d b","conversationId":"c1"},
                     {"id":"2","subject":"\ude00\n\u00e4\"","conversationId":"c2"},
                     {"id":"3","subject":"\ud83d\ud83d\ude00 fine","conversationId":"c3"}],"@odata.deltaLink":"d"})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, page.rows.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a\xEF\xBF\xBD b"), *page.rows[0].subject);
    CPPUNIT_ASSERT_EQUAL(std::string("\xEF\xBF\xBD\nä\""), *page.rows[1].subject);
    CPPUNIT_ASSERT_EQUAL(std::string("\xEF\xBF\xBD😀 fine"), *page.rows[2].subject);
    for (const MessageRow& row : page.rows) {
      CPPUNIT_ASSERT(listed(row, "subject"));
      CPPUNIT_ASSERT_EQUAL("c" + row.id, *row.conversation_id);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("d"), page.delta_link);
  }

  void a_lone_surrogate_in_a_header_or_name_keeps_the_others() {
    const MessageRow row = m365::decode_message(
        R"({"id":"1","internetMessageHeaders":[{"name":"A","value":"\udc00"},{"name":"B","value":"b"}],
            "from":{"emailAddress":{"name":"\ud800","address":"a@x"}}})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, row.headers.size());
    CPPUNIT_ASSERT_EQUAL(std::string("b"), row.headers[1].second);
    CPPUNIT_ASSERT_EQUAL(std::string("a@x"), row.from->address);
    CPPUNIT_ASSERT(listed(row, "internetMessageHeaders") && listed(row, "from"));
  }

  void a_removed_row_is_known() {
    const auto page = m365::decode_message_page(
        R"({"value":[{"@odata.type":"#microsoft.graph.message","id":"1","@removed":{"reason":"deleted"}}],"@odata.nextLink":"n"})");
    CPPUNIT_ASSERT(page.rows.at(0).removed);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), page.rows[0].id);
    CPPUNIT_ASSERT(!page.rows[0].complete());
  }

  void a_row_of_a_changed_flag_is_not_complete() {
    CPPUNIT_ASSERT(!m365::decode_message(R"({"id":"1","isRead":true,"parentFolderId":"F"})").complete());
    CPPUNIT_ASSERT(m365::decode_message(R"({"id":"1","receivedDateTime":"2026-01-01T00:00:00Z","hasAttachments":false,
      "body":{"contentType":"text","content":""}})")
                       .complete());
    // There, though not as documented: asking again would give the same.
    CPPUNIT_ASSERT(m365::decode_message(R"({"id":"1","receivedDateTime":"2026-01-01T00:00:00Z","hasAttachments":false,
      "body":17})")
                       .complete());
  }

  void a_row_that_is_no_object_costs_only_itself() {
    const auto page =
        m365::decode_message_page(R"({"value":[1,null,"x",[{"id":"no"}],{"id":"5"}],"@odata.nextLink":"n"})");
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, page.rows.size());
    CPPUNIT_ASSERT_EQUAL(std::string("5"), page.rows[4].id);
    CPPUNIT_ASSERT(page.rows[0].id.empty() && page.rows[3].id.empty());
  }

  void keys_are_compared_exactly() {
    const MessageRow row = m365::decode_message(R"({"ID":"no","id2":"no","i":"no","Subject":"no","subject":"yes"})");
    CPPUNIT_ASSERT(row.id.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), *row.subject);
    CPPUNIT_ASSERT_EQUAL(std::string("esc"), m365::decode_message(R"({"\u0069d":"esc"})").id);
  }

  void unknown_members_are_ignored_however_deep() {
    std::string deep(20'000, '[');
    deep += std::string(20'000, ']');
    const auto page = m365::decode_message_page(R"({"@microsoft.graph.tips":)" + deep + R"(,"value":[{"x":)" + deep +
                                                R"(,"id":"1","event":{"id":"other"}}],"@odata.deltaLink":"d"})");
    CPPUNIT_ASSERT_EQUAL(std::string("1"), page.rows.at(0).id);
    const MessageRow row = m365::decode_message(R"({"toRecipients":)" + deep + R"(,"id":"2"})");
    CPPUNIT_ASSERT_EQUAL(std::string("2"), row.id);
    CPPUNIT_ASSERT(row.to.empty());
  }

  void ten_megabytes_in_one_field_survive() {
    const std::string big(10'000'000, 'x');
    const auto page = m365::decode_message_page(R"({"value":[{"id":"1","body":{"contentType":"html","content":")" +
                                                big + R"("}},{"id":"2"}],"@odata.deltaLink":"d"})");
    CPPUNIT_ASSERT_EQUAL(big.size(), page.rows.at(0).body->size());
    CPPUNIT_ASSERT_EQUAL(std::string("2"), page.rows.at(1).id);
    CPPUNIT_ASSERT_EQUAL(std::string("3"), m365::decode_message(R"({"id":"3"})").id);
  }

  void links_are_taken_over_and_checked() {
    const auto next = m365::decode_message_page(R"({"value":[],"@odata.nextLink":"https://g/x?$skiptoken=a\u0026b"})");
    CPPUNIT_ASSERT_EQUAL(std::string("https://g/x?$skiptoken=a&b"), next.next_link);
    CPPUNIT_ASSERT(!next.broken_links);
    CPPUNIT_ASSERT(m365::decode_message_page(R"({"value":[]})").broken_links);
    CPPUNIT_ASSERT(
        m365::decode_message_page(R"({"value":[],"@odata.nextLink":"a","@odata.deltaLink":"b"})").broken_links);
  }

  void what_is_no_page_is_refused() {
    for (const char* text :
         {"", "   ", "null", "17", "\"x\"", "[]", "{}", "{\"value\":null", "{\"value\":{}}", "{\"value\":\"x\"}",
          "<html>", "{\"value\":[{\"id\":\"1\"}", "{\"value\":[{\"id\":\"1\"},", "{\"value\":[{\"id\":\"1",
          "{\"value\":[{\"id\" \"1\"}]}", "{\"error\":{\"code\":\"x\"}}"}) {
      try {
        m365::decode_message_page(text);
        CPPUNIT_FAIL(std::string("taken: ") + text);
      } catch (const mail::FaultError& error) {
        CPPUNIT_ASSERT(error.fault().cause == mail::Cause::service_fault);
        CPPUNIT_ASSERT(!error.fault().text.empty());
      }
    }
    CPPUNIT_ASSERT_THROW(m365::decode_message("[]"), mail::FaultError);
    CPPUNIT_ASSERT_THROW(m365::decode_message("{\"id\":"), mail::FaultError);
  }

  void bytes_that_are_not_utf8_fail_a_page_and_not_a_message() {
    CPPUNIT_ASSERT_THROW(
        m365::decode_message_page("{\"value\":[{\"id\":\"1\",\"subject\":\"\xE4\"}],\"@odata.deltaLink\":\"d\"}"),
        mail::FaultError);
    const MessageRow row = m365::decode_message("{\"id\":\"1\",\"subject\":\"gr\xFC\xDF\",\"isRead\":true}");
    CPPUNIT_ASSERT_EQUAL(std::string("gr\xEF\xBF\xBD\xEF\xBF\xBD"), *row.subject);
    CPPUNIT_ASSERT(row.is_read == true && listed(row, "encoding"));
  }

  void addresses_without_address_are_kept() {
    const MessageRow row = m365::decode_message(
        R"({"id":"1","from":{"emailAddress":{"name":"Only Name"}},"sender":{"emailAddress":{"name":null,"address":null}},
            "toRecipients":[null,{"emailAddress":null},{"emailAddress":{"address":"/O=EX/CN=A"}}]})");
    CPPUNIT_ASSERT((*row.from == mail::Address{"Only Name", ""}));
    CPPUNIT_ASSERT(!row.sender);
    CPPUNIT_ASSERT((row.to == std::vector<mail::Address>{{"", "/O=EX/CN=A"}}));
    CPPUNIT_ASSERT(row.unreadable.empty());
  }

 private:
  static std::string members(const std::string& value) {
    std::string text;
    for (const char* name : {"@odata.type",
                             "@removed",
                             "subject",
                             "body",
                             "internetMessageHeaders",
                             "toRecipients",
                             "ccRecipients",
                             "bccRecipients",
                             "replyTo",
                             "from",
                             "sender",
                             "receivedDateTime",
                             "sentDateTime",
                             "isRead",
                             "isDraft",
                             "hasAttachments",
                             "isReadReceiptRequested",
                             "internetMessageId",
                             "parentFolderId",
                             "importance"}) {
      if (!text.empty()) text += ",";
      text += "\"" + std::string(name) + "\":" + value;
    }
    return text;
  }
  static std::string with_all(const std::string& value) { return "{" + members(value) + "}"; }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MessageRowTest);

}  // namespace
