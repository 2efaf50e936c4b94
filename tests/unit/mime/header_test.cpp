#include "mime/header.h"

#include <cppunit/extensions/HelperMacros.h>

#include <string>

#include "mime/charset.h"
#include "mime/transfer.h"

namespace {

using mime::decode_words;
using mime::parse_parameterised;

class HeaderTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(HeaderTest);
  CPPUNIT_TEST(fields_are_unfolded);
  CPPUNIT_TEST(the_header_ends_where_it_ends);
  CPPUNIT_TEST(encoded_words);
  CPPUNIT_TEST(adjacent_words);
  CPPUNIT_TEST(broken_words_stay);
  CPPUNIT_TEST(raw_bytes_become_utf8);
  CPPUNIT_TEST(parameters);
  CPPUNIT_TEST(extended_parameters);
  CPPUNIT_TEST(message_ids);
  CPPUNIT_TEST(hostile_headers_are_read_in_linear_time);
  CPPUNIT_TEST(charsets);
  CPPUNIT_TEST(transfer_encodings);
  CPPUNIT_TEST(damaged_transfer_encodings);
  CPPUNIT_TEST_SUITE_END();

 public:
  void fields_are_unfolded() {
    mime::Headers headers;
    const std::string text =
        "From someone Thu Jan  1\r\nSubject: one\r\n two\r\n\tthree\r\nReceived: a\nX-Empty:\nreceived : b\n\nbody";
    CPPUNIT_ASSERT_EQUAL(text.find("body"), mime::parse_headers(text, headers));
    CPPUNIT_ASSERT_EQUAL(std::string("one two\tthree"), *headers.find("SUBJECT"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, headers.all().size());
    CPPUNIT_ASSERT_EQUAL(std::string("a"), headers.text("Received"));
    CPPUNIT_ASSERT_EQUAL(std::string("b"), headers.all()[3].second);
    CPPUNIT_ASSERT_EQUAL(std::string(), *headers.find("x-empty"));
    CPPUNIT_ASSERT(headers.find("Missing") == nullptr);
    mime::Headers bare;
    mime::parse_headers("Subject: one\rBcc: two\n", bare);
    CPPUNIT_ASSERT_EQUAL(std::string("one Bcc: two"), bare.text("Subject"));
  }

  void the_header_ends_where_it_ends() {
    mime::Headers headers;
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, mime::parse_headers("A: b\nno header here\n\nx", headers));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, mime::parse_headers("\r\nbody", headers));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, mime::parse_headers("", headers));
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, mime::parse_headers("C: d", headers));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, headers.all().size());
    mime::Headers few;
    CPPUNIT_ASSERT_EQUAL(std::size_t{12}, mime::parse_headers("A: 1\nB: 2\n\n\n", few, 1) + 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, few.all().size());
  }

  void encoded_words() {
    CPPUNIT_ASSERT_EQUAL(std::string("Grüße"), decode_words("=?iso-8859-1?Q?Gr=FC=DFe?="));
    CPPUNIT_ASSERT_EQUAL(std::string("Grüße an €"), decode_words("=?UTF-8?b?R3LDvMOfZQ==?= an =?iso-8859-15?q?=A4?="));
    CPPUNIT_ASSERT_EQUAL(std::string("a b"), decode_words("=?us-ascii*en?Q?a_b?="));
    CPPUNIT_ASSERT_EQUAL(std::string("Undeliverable: にゃーん"),
                         decode_words("=?ISO-2022-JP?B?VW5kZWxpdmVyYWJsZTogGyRCJEskYyE8JHMbKEI==?="));
    CPPUNIT_ASSERT_EQUAL(std::string("\"ä\" <a@b>"), decode_words("\"=?utf-8?Q?=C3=A4?=\" <a@b>"));
  }

  void adjacent_words() {
    CPPUNIT_ASSERT_EQUAL(std::string("ab"), decode_words("=?utf-8?B?YQ==?= =?utf-8?B?Yg==?="));
    CPPUNIT_ASSERT_EQUAL(std::string("ab c"), decode_words("=?utf-8?Q?a?=\r\n =?iso-8859-1?Q?b?= c"));
    CPPUNIT_ASSERT_EQUAL(std::string("ä"),
                         decode_words("=?utf-8?Q?=C3?= =?UTF-8?B?pA==?="));  // one character over two words
    CPPUNIT_ASSERT_EQUAL(std::string("a x b"), decode_words("=?utf-8?Q?a?= x =?utf-8?Q?b?="));
  }

  void broken_words_stay() {
    for (const char* text :
         {"=?", "=?utf-8?Q?a", "=?utf-8?X?a?=", "=??Q?a?=", "=?utf-8?Q?", "a =? b ?= c", "=?utf-8?Qa?="}) {
      CPPUNIT_ASSERT_EQUAL(std::string(text), decode_words(text));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("AutoRespons :Nyaan?"), decode_words("=?UTF-8?Q?AutoRespons?= :Nyaan?"));
    CPPUNIT_ASSERT_EQUAL(std::string("\xEF\xBF\xBD"), decode_words("=?utf-8?Q?=C3?="));
    CPPUNIT_ASSERT_EQUAL(std::string("a=b"), decode_words("=?no-such-charset?Q?a=3Db?="));
  }

  void raw_bytes_become_utf8() {
    CPPUNIT_ASSERT_EQUAL(std::string("Jürgen"), decode_words("J\xFCrgen"));
    CPPUNIT_ASSERT_EQUAL(std::string("Jürgen"), decode_words("J\xC3\xBCrgen"));
  }

  void parameters() {
    const auto type = parse_parameterised(
        " Text/PLAIN (a comment); Charset=\"utf-8\"; name=my file.txt ; x=\"a;\\\"b\\\\c\" ; format = flowed(c)");
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), type.value);
    CPPUNIT_ASSERT_EQUAL(std::string("utf-8"), type.parameter("charset"));
    CPPUNIT_ASSERT_EQUAL(std::string("my file.txt"), type.parameter("name"));
    CPPUNIT_ASSERT_EQUAL(std::string("a;\"b\\c"), type.parameter("x"));
    CPPUNIT_ASSERT_EQUAL(std::string("flowed"), type.parameter("format"));
    CPPUNIT_ASSERT_EQUAL(std::string(), type.parameter("none"));
    CPPUNIT_ASSERT_EQUAL(std::string("C:\\temp\\a.txt"),
                         parse_parameterised("attachment; filename=\"C:\\temp\\a.txt\"").parameter("filename"));
    CPPUNIT_ASSERT_EQUAL(std::string("ä.pdf"),
                         parse_parameterised("a; filename==?utf-8?Q?=C3=A4.pdf?=").parameter("filename"));
    CPPUNIT_ASSERT_EQUAL(std::string(""), parse_parameterised("").value);
    const auto raw = parse_parameterised("text/\xe4; \xf6=1");
    CPPUNIT_ASSERT_EQUAL(std::string("text/ä"), raw.value);
    CPPUNIT_ASSERT_EQUAL(std::string("1"), raw.parameter("ö"));
    CPPUNIT_ASSERT_EQUAL(std::string("open"), parse_parameterised("a; x=\"open").parameter("x"));
  }

  void extended_parameters() {
    const auto name = [](const char* text) { return parse_parameterised(text).parameter("filename"); };
    CPPUNIT_ASSERT_EQUAL(std::string("€ rates"),
                         name("a; filename*=UTF-8''%e2%82%ac%20rates; filename=\"EURO rates\""));
    CPPUNIT_ASSERT_EQUAL(std::string("one two three"),
                         name("a; filename*0=\"one \"; filename*1=\"two \"; filename*2=\"three\""));
    CPPUNIT_ASSERT_EQUAL(std::string("äbc d"),
                         name("a; filename*2=\" d\"; filename*0*=iso-8859-1'de'%E4; filename*1=bc"));
    CPPUNIT_ASSERT_EQUAL(std::string("a'b"), name("a; filename*=utf-8'en'a'b"));
    CPPUNIT_ASSERT_EQUAL(std::string("100%"), name("a; filename*=utf-8''100%"));
    CPPUNIT_ASSERT_EQUAL(std::string("plain"), name("a; filename*=plain"));
  }

  void message_ids() {
    const std::vector<std::string> expected{"<a@b>", "<c@d>"};
    CPPUNIT_ASSERT(expected == mime::parse_message_ids("<a@b>\r\n <c@d>"));
    CPPUNIT_ASSERT(expected == mime::parse_message_ids("your mail <a@b>, <inv alid@x> <> <<c@d> <open"));
    CPPUNIT_ASSERT(mime::parse_message_ids("a@b").empty());
  }

  void hostile_headers_are_read_in_linear_time() {
    std::string words, starts, parameters = "a", ids;
    for (int i = 0; i < 100'000; ++i) {
      words += "=?utf-8?Q?a?= ";
      starts += "=?a?q?x ";
      parameters += ";filename*" + std::to_string(i) + "=x";
      ids += "<a ";
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{100'000}, decode_words(words).size() - 1);
    CPPUNIT_ASSERT_EQUAL(starts, decode_words(starts));
    CPPUNIT_ASSERT(parse_parameterised(parameters).parameter("filename").size() <= 200);
    CPPUNIT_ASSERT(mime::parse_message_ids(ids).empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{100'000}, parse_parameterised(std::string(100'000, '(')).value.size() + 100'000);
  }

  void charsets() {
    CPPUNIT_ASSERT_EQUAL(std::string("日本"), mime::to_utf8("\x1B$BF|K\\\x1B(B", "ISO-2022-JP"));
    CPPUNIT_ASSERT_EQUAL(std::string("日本"), mime::to_utf8("\x93\xFA\x96\x7B", "shift_jis"));
    CPPUNIT_ASSERT_EQUAL(std::string("Привет"), mime::to_utf8("\xF0\xD2\xC9\xD7\xC5\xD4", "koi8-r"));
    CPPUNIT_ASSERT_EQUAL(std::string("€"), mime::to_utf8("\x80", "iso-8859-1"));  // sent as that, meant as windows-1252
    CPPUNIT_ASSERT_EQUAL(std::string("a\xEF\xBF\xBD"
                                     "b"),
                         mime::to_utf8("a\xC3"
                                       "b",
                                       "utf-8"));
    CPPUNIT_ASSERT_EQUAL(std::string("ü"), mime::to_utf8("\xFC", "no-such"));
    CPPUNIT_ASSERT_EQUAL(std::string("ü"), mime::to_utf8("\xC3\xBC", "us-ascii"));
    CPPUNIT_ASSERT_EQUAL(std::string("x"), mime::to_utf8("x", "../../etc/passwd//TRANSLIT"));
    CPPUNIT_ASSERT_EQUAL(std::string("A"), mime::to_utf8(std::string("A\0", 2), "utf-16le"));
    CPPUNIT_ASSERT(!mime::is_utf8("\xED\xA0\x80") && !mime::is_utf8("\xC0\x80") && !mime::is_utf8("\xF4\x90\x80\x80"));
    CPPUNIT_ASSERT(mime::is_utf8("\xF4\x8F\xBF\xBF") && mime::is_utf8(""));
  }

  void transfer_encodings() {
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), mime::decode_transfer("aGVs\r\nbG8=\r\n", " Base64 "));
    CPPUNIT_ASSERT_EQUAL(std::string("a=b\r\nlong line\r\n"),
                         mime::decode_transfer("a=3Db  \r\nlong =\r\nline\r\n", "QUOTED-PRINTABLE"));
    CPPUNIT_ASSERT_EQUAL(std::string("Cat"),
                         mime::decode_transfer("text\nbegin 644 a\n#0V%T\n`\nend\nmore", "x-uuencode"));
    CPPUNIT_ASSERT_EQUAL(std::string("=41"), mime::decode_transfer("=41", "8bit"));
    CPPUNIT_ASSERT_EQUAL(std::string("=41"), mime::decode_transfer("=41", ""));
  }

  void damaged_transfer_encodings() {
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), mime::decode_base64("aGV sb!G8"));  // no padding, foreign characters
    CPPUNIT_ASSERT_EQUAL(std::string("ABCDABC"), mime::decode_base64("QUJDRA==QUJD"));  // two encodings in a row
    CPPUNIT_ASSERT_EQUAL(std::string(), mime::decode_base64("Q"));
    CPPUNIT_ASSERT_EQUAL(std::string("=ZZ=4"), mime::decode_transfer("=ZZ=4", "quoted-printable"));
    CPPUNIT_ASSERT_EQUAL(std::string("a"), mime::decode_transfer("a=", "quoted-printable"));
    CPPUNIT_ASSERT_EQUAL(std::string(), mime::decode_transfer("no begin", "uuencode"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, mime::decode_transfer("begin 644 a\n#0V\n", "uuencode").size());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(HeaderTest);

}  // namespace
