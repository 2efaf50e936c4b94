#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "m365/message/message_row.h"
#include "mail/fault.h"

namespace {

class RowPartsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RowPartsTest);
  CPPUNIT_TEST(times_as_graph_writes_them);
  CPPUNIT_TEST(what_is_no_time);
  CPPUNIT_TEST(times_come_back_as_they_went);
  CPPUNIT_TEST(attachments_of_every_kind);
  CPPUNIT_TEST(attachment_fields_may_be_anything);
  CPPUNIT_TEST(folders);
  CPPUNIT_TEST(extended_properties);
  CPPUNIT_TEST_SUITE_END();

 public:
  void times_as_graph_writes_them() {
    const auto zero = mail::WallTime{};
    CPPUNIT_ASSERT(m365::parse_time("1970-01-01T00:00:00Z") == zero);
    CPPUNIT_ASSERT(m365::parse_time("1970-01-01T00:00:01.5Z") == zero + std::chrono::milliseconds(1500));
    CPPUNIT_ASSERT(m365::parse_time("1970-01-01T00:00:00.1234567Z") == zero + std::chrono::milliseconds(123));
    CPPUNIT_ASSERT(m365::parse_time("1970-01-01T02:30:00+02:30") == zero);
    CPPUNIT_ASSERT(m365::parse_time("1969-12-31T23:00:00-01:00") == zero);
    CPPUNIT_ASSERT(m365::parse_time("2024-02-29T00:00:00Z").has_value());
    CPPUNIT_ASSERT(m365::parse_time("0001-01-01T00:00:00Z").has_value());
  }

  void what_is_no_time() {
    for (const char* text :
         {"", "now", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z", "2023-02-29T00:00:00Z",
          "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx",
          "2026-01-01 00:00:00Z", "2026-01-01T00:00:00+2:00", "2026-01-01T00:00:00+24:00", "datetime-value"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !m365::parse_time(text));
    }
  }

  void times_come_back_as_they_went() {
    for (const char* text : {"2026-01-01T00:00:00Z", "1999-12-31T23:59:59.007Z", "1969-07-20T20:17:40.120Z"}) {
      CPPUNIT_ASSERT_EQUAL(std::string(text), m365::format_time(*m365::parse_time(text)));
    }
  }

  void attachments_of_every_kind() {
    const auto page = m365::decode_attachment_page(R"({"value":[
      {"@odata.type":"#microsoft.graph.fileAttachment","id":"1","name":"a","contentType":"t/x","size":"17","isInline":"true","contentId":"c"},
      {"@odata.type":"microsoft.graph.itemAttachment","id":"2"},
      {"@odata.type":"#microsoft.graph.referenceAttachment","id":"3","sourceUrl":"https://x"}],"@odata.nextLink":"n"})");
    using Kind = m365::AttachmentRow::Kind;
    CPPUNIT_ASSERT(page.rows.at(0).kind == Kind::file && page.rows[0].size == 17 && page.rows[0].is_inline);
    CPPUNIT_ASSERT_EQUAL(std::string("c"), page.rows[0].content_id);
    CPPUNIT_ASSERT(page.rows.at(1).kind == Kind::item && page.rows[1].size == -1);
    CPPUNIT_ASSERT(page.rows.at(2).kind == Kind::reference && page.rows[2].source_url == "https://x");
    CPPUNIT_ASSERT_EQUAL(std::string("n"), page.next_link);
  }

  void attachment_fields_may_be_anything() {
    for (const char* wrong : {"null", "[]", "{\"a\":[1]}", "-1e400", "\"\\ud800\"", "99999999999999999999"}) {
      std::string row = R"({"@odata.type":)" + std::string(wrong);
      for (const char* name : {"name", "contentType", "contentId", "size", "isInline", "sourceUrl"}) {
        row += ",\"" + std::string(name) + "\":" + wrong;
      }
      const auto page = m365::decode_attachment_page("{\"value\":[" + row + ",\"id\":\"I\"},7]}");
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wrong, std::size_t{2}, page.rows.size());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wrong, std::string("I"), page.rows[0].id);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(wrong, std::int64_t{-1}, page.rows[0].size);
    }
    CPPUNIT_ASSERT_THROW(m365::decode_attachment_page("{}"), mail::FaultError);
  }

  void folders() {
    const auto folder = m365::decode_folder(
        R"({"id":"F","displayName":"Saapuneet \u2603","parentFolderId":"P","totalItemCount":60,"unreadItemCount":59,"childFolderCount":2})");
    CPPUNIT_ASSERT_EQUAL(std::string("Saapuneet ☃"), folder.name);
    CPPUNIT_ASSERT(folder.id == "F" && folder.parent_id == "P");
    CPPUNIT_ASSERT(folder.total == 60 && folder.unread == 59 && folder.child_folders == 2);
    CPPUNIT_ASSERT_THROW(m365::decode_folder("[]"), mail::FaultError);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, m365::decode_folder_page(R"({"value":[{"id":"F"}]})").rows.size());
  }

  void extended_properties() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("IPM.Note"),
        m365::decode_extended_property(
            R"({"id":"1","singleValueExtendedProperties":[{"id":"String 0x1a","value":"IPM.Note"}]})"));
    CPPUNIT_ASSERT_EQUAL(std::string(), m365::decode_extended_property(R"({"id":"1"})"));
    CPPUNIT_ASSERT_EQUAL(std::string(), m365::decode_extended_property(R"({"singleValueExtendedProperties":null})"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RowPartsTest);

}  // namespace
