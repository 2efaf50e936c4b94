#include "base/json.h"

#include <cstdint>

#include "base/json_text.h"
#include "host/support.h"

namespace {

using base::Json;
using base::JsonError;

class JsonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(JsonTest);
  CPPUNIT_TEST(reads_every_kind_and_writes_it_again);
  CPPUNIT_TEST(decodes_escapes_and_surrogate_pairs);
  CPPUNIT_TEST(tells_line_and_column);
  CPPUNIT_TEST(refuses_what_is_not_json);
  CPPUNIT_TEST(refuses_a_key_given_twice);
  CPPUNIT_TEST(refuses_deep_nesting);
  CPPUNIT_TEST(writes_invalid_bytes_as_replacement_characters);
  CPPUNIT_TEST(writes_every_byte_at_every_place);
  CPPUNIT_TEST(set_replaces_in_place);
  CPPUNIT_TEST(text_written_piece_by_piece_is_what_a_value_writes);
  CPPUNIT_TEST_SUITE_END();

  static void refuses(const std::string& text) { CPPUNIT_ASSERT_THROW_MESSAGE(text, Json::parse(text), JsonError); }

  void reads_every_kind_and_writes_it_again() {
    const std::string text = R"({"a":[1,-2,9223372036854775807,1.5,true,false,null],"b":{},"c":"x\"\\\n","d":[]})";
    CPPUNIT_ASSERT_EQUAL(text, Json::parse(text).dump());
    CPPUNIT_ASSERT_EQUAL(text, Json::parse(Json::parse("\xef\xbb\xbf \n" + text + "\n").dump_pretty()).dump());
  }

  void decodes_escapes_and_surrogate_pairs() {
    CPPUNIT_ASSERT_EQUAL(std::string("\xc3\xa4 \xf0\x9f\x98\x80/\b\f"),
                         Json::parse(R"("\u00e4 \ud83d\ude00\/\b\f")").as_string());
  }

  void tells_line_and_column() {
    try {
      Json::parse("{\n  \"a\": 1,\n  \"b\": nope\n}");
      CPPUNIT_FAIL("accepted");
    } catch (const JsonError& error) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{3}, error.line());
      CPPUNIT_ASSERT_EQUAL(std::size_t{8}, error.column());
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, Json::parse("{\n\"a\": 1}").find("a")->line());
  }

  void refuses_what_is_not_json() {
    for (const char* text : {"",
                             "  ",
                             "{",
                             "[1",
                             "[1,]",
                             "{\"a\":1,}",
                             "{\"a\" 1}",
                             "{a:1}",
                             "01",
                             "1.",
                             "-",
                             "1e",
                             "\"a",
                             "\"\n\"",
                             "nul",
                             "\"\\x\"",
                             "\"\\u12g4\"",
                             "\"\\ud83d\"",
                             "\"\\ud83d\\u0041\"",
                             "\"\\ude00\"",
                             "\"\xff\"",
                             "\"\xc0\xaf\"",
                             "1 2",
                             "9223372036854775808",
                             "1e999",
                             "// c\n1",
                             "{\"a\":1}}",
                             "\"\x01\""}) {
      refuses(text);
    }
  }

  void refuses_a_key_given_twice() { refuses(R"({"a":1,"b":{"c":1},"a":2})"); }

  void refuses_deep_nesting() {
    refuses(std::string(100'000, '['));
    CPPUNIT_ASSERT(Json::parse(std::string(60, '[') + std::string(60, ']')).is_array());
  }

  void writes_invalid_bytes_as_replacement_characters() {
    CPPUNIT_ASSERT_EQUAL(std::string("\"a\xef\xbf\xbd\\u0001\xc3\xa4\""), Json("a\xff\x01\xc3\xa4").dump());
    CPPUNIT_ASSERT_EQUAL(std::string(R"("\"one\\two\n\u007f")"), Json("\"one\\two\n\x7f").dump());
    // Cut in the middle of a character, then one that is whole.
    CPPUNIT_ASSERT_EQUAL(std::string("\"\xef\xbf\xbdx\xe2\x82\xac\xef\xbf\xbd\xef\xbf\xbd\""),
                         Json("\xc3x\xe2\x82\xac\xe2\x82").dump());
    CPPUNIT_ASSERT_EQUAL(std::string("\"\""), Json("").dump());
    // Bytes are looked at by eights: each that does not stand for itself, at each place among those that do.
    for (int c = 0; c < 256; ++c) {
      const std::string alone = Json(std::string(1, static_cast<char>(c))).dump();
      for (std::size_t before = 0; before < 9; ++before) {
        for (const char filler : {' ', '!', 'a', '~'}) {
          const std::string left(before, filler), right(17 - before, filler);
          const std::string expected = '"' + left + alone.substr(1, alone.size() - 2) + right + '"';
          CPPUNIT_ASSERT_EQUAL(expected, Json(left + static_cast<char>(c) + right).dump());
        }
      }
    }
  }

  void writes_every_byte_at_every_place() {
    for (int c = 0; c < 256; ++c) {
      for (std::size_t place = 0; place < 20; ++place) {
        std::string text(20, 'x');
        text[place] = static_cast<char>(c);
        const std::string written = Json(text).dump();
        if (c >= 0x80) text.replace(place, 1, "\xef\xbf\xbd");
        const bool plain = c >= 0x20 && c != 0x7f && c != '"' && c != '\\';
        CPPUNIT_ASSERT_EQUAL(text, Json::parse(written).as_string());
        CPPUNIT_ASSERT_EQUAL(plain, written == '"' + text + '"');
      }
    }
  }

  void set_replaces_in_place() {
    Json json = Json::object({{"a", 1}, {"b", 2}});
    json.set("a", "x").set("c", nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string(R"({"a":"x","b":2,"c":null})"), json.dump());
  }

  void text_written_piece_by_piece_is_what_a_value_writes() {
    const std::string awkward = "a \"quoted\" \\ line\r\n\twith \x01\x7f, \xc3\xa4\xe2\x82\xac and \xff\xc3 broken";
    const Json value =
        Json::object({{"none", nullptr},
                      {"text", awkward},
                      {"empty", ""},
                      {"numbers", Json::array({0, -1, std::int64_t{INT64_MIN}, std::int64_t{INT64_MAX}})},
                      {"flags", Json::array({true, false})},
                      {"nested", Json::object({{"a", Json::array()}, {"b", Json::object()}})},
                      {"last", Json::array({Json::array(), Json::array({"x"})})}});
    std::string out = "before ";
    base::JsonText json(out);
    json.begin_object().key("none").null().key("text").text(awkward).key("empty").text("");
    json.key("numbers").begin_array().number(0).number(-1).number(INT64_MIN).number(INT64_MAX).end_array();
    json.key("flags").begin_array().flag(true).flag(false).end_array();
    json.key("nested")
        .begin_object()
        .key("a")
        .begin_array()
        .end_array()
        .key("b")
        .begin_object()
        .end_object()
        .end_object();
    json.key("last").begin_array().begin_array().end_array().begin_array().text("x").end_array().end_array();
    json.end_object();
    CPPUNIT_ASSERT_EQUAL("before " + value.dump(), out);
    CPPUNIT_ASSERT(Json::parse(out.substr(7)).text("text").ends_with("\xef\xbf\xbd\xef\xbf\xbd broken"));
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(JsonTest);

}  // namespace
