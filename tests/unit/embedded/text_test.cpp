// Base64, percent coding, UTF-8, JSON and dates.
#include "m365/mime/text.h"

#include <cppunit/extensions/HelperMacros.h>

#include "m365/json.h"
#include "m365/server/clock.h"

namespace embedded {

class TextTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TextTest);
  CPPUNIT_TEST(base64_goes_there_and_back);
  CPPUNIT_TEST(base64_refuses_what_is_none);
  CPPUNIT_TEST(bytes_that_are_no_utf8_are_windows_1252);
  CPPUNIT_TEST(prefix_never_cuts_a_character);
  CPPUNIT_TEST(json_round_trip);
  CPPUNIT_TEST(json_refuses);
  CPPUNIT_TEST(dates_of_mails);
  CPPUNIT_TEST(dates_of_graph);
  CPPUNIT_TEST_SUITE_END();

 public:
  void base64_goes_there_and_back() {
    for (const std::size_t size : {0U, 1U, 2U, 3U, 100U, 5'000'000U}) {
      const std::string bytes = random_bytes(size);
      CPPUNIT_ASSERT(bytes == base64_decode(base64_encode(bytes)));
      CPPUNIT_ASSERT(bytes == base64url_decode(base64url_encode(bytes)));
      CPPUNIT_ASSERT(bytes == base64url_decode(base64url_encode(bytes, true)));
    }
  }

  void base64_refuses_what_is_none() {
    for (const char* bad : {"QUJDRA==QUJD", "QUJ", "QU*D", "QU=D", " QUJD", "QUJD\n", "===="}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !base64_decode(bad));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("ABC"), base64_decode("QU\r\nJD\r\n", true).value());
  }

  void bytes_that_are_no_utf8_are_windows_1252() {
    CPPUNIT_ASSERT_EQUAL(std::string("J\xC3\xBCrgen \xE2\x82\xAC"), to_utf8("J\xFCrgen \x80"));
    CPPUNIT_ASSERT(!is_utf8("\xC0\x80"));
    CPPUNIT_ASSERT(!is_utf8("\xED\xA0\x80"));
    CPPUNIT_ASSERT(is_utf8("\xF0\x9F\x98\x80"));
  }

  void prefix_never_cuts_a_character() {
    CPPUNIT_ASSERT_EQUAL(std::string("a\xC3\xA4"), std::string(utf8_prefix("a\xC3\xA4\xE2\x82\xAC", 2)));
  }

  void json_round_trip() {
    const std::string text = R"({"a":[1,-2.5,true,null,"x\"\\\n"],"b":{"c":"\u00e4\ud83d\ude00"}})";
    const Json value = parse_json(text);
    CPPUNIT_ASSERT_EQUAL(std::string("\xC3\xA4\xF0\x9F\x98\x80"), value.find("b")->text("c"));
    CPPUNIT_ASSERT_EQUAL(value.dump(), parse_json(value.dump()).dump());
    CPPUNIT_ASSERT_EQUAL(value.dump(), parse_json(value.pretty()).dump());
  }

  void json_refuses() {
    for (const char* bad :
         {"", "{", "[1,]", "{\"a\":1,}", "01", "1.", "\"\\ud83d\"", "\"\x01\"", "nul", "1 2", "\"\xFF\"", "{a:1}"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(bad, parse_json(bad), JsonError);
    }
    CPPUNIT_ASSERT_THROW(parse_json(std::string(200, '[') + std::string(200, ']')), JsonError);
  }

  void dates_of_mails() {
    const auto utc = [](const char* text) { return rfc3339(parse_rfc5322_date(text).value()); };
    CPPUNIT_ASSERT_EQUAL(std::string("2026-01-02T00:04:05Z"), utc("Fri, 2 Jan 2026 03:04:05 +0300"));
    CPPUNIT_ASSERT_EQUAL(std::string("2026-01-02T03:04:00Z"), utc("2 Jan 2026 03:04 GMT"));
    CPPUNIT_ASSERT_EQUAL(std::string("1995-09-20T00:12:05Z"), utc("Tue, 19 Sep 95 17:12:05 PDT (afternoon)"));
    CPPUNIT_ASSERT(!parse_rfc5322_date("yesterday"));
    CPPUNIT_ASSERT(!parse_rfc5322_date("31 Feb 2026 00:00:00 +0000"));
  }

  void dates_of_graph() {
    CPPUNIT_ASSERT_EQUAL(std::string("2026-01-02T03:04:05.250Z"),
                         rfc3339_millis(parse_rfc3339("2026-01-02T04:04:05.25+01:00").value()));
    CPPUNIT_ASSERT_EQUAL(std::string("2026-01-02T00:00:00Z"), rfc3339(parse_rfc3339("2026-01-02").value()));
    for (const char* bad : {"2026-13-01", "2026-01-02T", "2026-01-02T03:04:05", "2026-01-02 03:04:05Z", "x"}) {
      CPPUNIT_ASSERT_MESSAGE(bad, !parse_rfc3339(bad));
    }
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TextTest);

}  // namespace embedded
