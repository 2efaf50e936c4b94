#include "mime/outline.h"

#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "mime/part_reader.h"
#include "mime/report.h"

namespace {

using mime::Entity;

mime::Keep all(const Entity&) {
  return {SIZE_MAX, false};
}

std::vector<Entity> read(const std::string& text) {
  return mime::read_outline(text, all);
}

// As read(), fed in pieces of `piece` bytes.
std::vector<Entity> read_in_pieces(std::string_view text, std::size_t piece) {
  mime::OutlineReader reader(all);
  for (std::size_t at = 0; at < text.size(); at += piece) reader.feed(text.substr(at, piece));
  reader.finish();
  return reader.entities();
}

std::string content(std::string_view text, std::size_t index, std::size_t piece) {
  mime::PartReader reader(index);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += piece) reader.feed(text.substr(at, piece), out);
  reader.finish(out);
  CPPUNIT_ASSERT(reader.complete());
  return out;
}

std::string nested(std::size_t depth) {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) {
    const std::string boundary = "b" + std::to_string(i);
    text.append("Content-Type: multipart/mixed; boundary=").append(boundary).append("\n\n--").append(boundary) += '\n';
  }
  return text;
}

class OutlineTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutlineTest);
  CPPUNIT_TEST(a_mail_is_told);
  CPPUNIT_TEST(missing_pieces_are_tolerated);
  CPPUNIT_TEST(headers_that_are_none);
  CPPUNIT_TEST(inner_multiparts_end_where_outer_ones_go_on);
  CPPUNIT_TEST(only_what_is_asked_for_is_kept);
  CPPUNIT_TEST(limits_hold);
  CPPUNIT_TEST(hostile_mails_are_read_in_bounded_time);
  CPPUNIT_TEST(a_part_is_found_again);
  CPPUNIT_TEST(pieces_may_be_cut_anywhere);
  CPPUNIT_TEST(the_corpus_is_read_alike_in_any_pieces);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_mail_is_told() {
    const auto mail = read(
        "Subject: s\nContent-Type: Multipart/Mixed; boundary=\"a b\"\n\npreamble\n--a b\n\nplain\n"
        "--a b  \nContent-Type: text/html; charset=windows-1251\nContent-Disposition: inline; filename=x.html\n"
        "content-id: <pic>\n\n\xCF\n"
        "--a b\nContent-Type: message/rfc822\n\nSubject: inner\n\ninside\n--a b--\nepilogue\n--a b\nno part\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, mail.size());
    CPPUNIT_ASSERT(mail[0].multipart && mail[0].start.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), mail[1].content_type.value);
    CPPUNIT_ASSERT_EQUAL(std::string("plain"), mail[1].start);
    CPPUNIT_ASSERT(mail[1].whole() && mail[1].size == 5);
    CPPUNIT_ASSERT_EQUAL(std::string("П"), mail[2].text());
    CPPUNIT_ASSERT_EQUAL(std::string("x.html"), mail[2].file_name());
    CPPUNIT_ASSERT_EQUAL(std::string("pic"), mail[2].content_id);
    CPPUNIT_ASSERT_EQUAL(std::string("Subject: inner\n\ninside"), mail[3].start);
  }

  void missing_pieces_are_tolerated() {
    const auto open = read("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo\r\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, open.size());
    CPPUNIT_ASSERT_EQUAL(std::string("one"), open[1].start);
    CPPUNIT_ASSERT_EQUAL(std::string("two\r\n"), open[2].start);  // no boundary that its last line break belongs to
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, read("Content-Type: multipart/mixed; boundary=x\n\nno boundary\n").size());
    // A multipart without a boundary is a leaf: nothing of it gets lost.
    const auto bare = read("Content-Type: multipart/mixed\n\n--\n\nx");
    CPPUNIT_ASSERT(bare.size() == 1 && !bare[0].multipart);
    CPPUNIT_ASSERT_EQUAL(std::string("--\n\nx"), bare[0].start);
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), read("Content-Type: nonsense\n\nx")[0].content_type.value);
    CPPUNIT_ASSERT(read("").at(0).whole());
    const auto digest = read("Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: s\n\nb\n--x--");
    CPPUNIT_ASSERT_EQUAL(std::string("message/rfc822"), digest.at(1).content_type.value);
    // A boundary that begins like another one.
    const auto alike = read("Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--xy\nb\n--x--\n");
    CPPUNIT_ASSERT_EQUAL(std::string("a\n--xy\nb"), alike.at(1).start);
  }

  void headers_that_are_none() {
    CPPUNIT_ASSERT_EQUAL(std::string("no header at all\nx"), read("no header at all\nx")[0].start);
    CPPUNIT_ASSERT_EQUAL(std::string("text"), read("From a@b Mon\nContent-Type: text/html\n\ntext")[0].start);
    const auto cut =
        read("Content-Type: multipart/mixed; boundary=x\n--x\nContent-ID: <1>\nbody\n--x\nContent-ID: <2>\n--x--");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, cut.size());
    CPPUNIT_ASSERT_EQUAL(std::string("body"), cut[1].start);
    CPPUNIT_ASSERT_EQUAL(std::string("2"), cut[2].content_id);
    CPPUNIT_ASSERT(cut[2].whole() && cut[2].start.empty());
    // Folded, and longer than any line should be.
    const std::string blanks(5'000, ' ');
    const auto folded =
        read("X: " + blanks + "y\nContent-Type:\n text/html;" + blanks + "\n\tcharset=utf-8\n z\n\n" + blanks + "e");
    CPPUNIT_ASSERT_EQUAL(std::string("utf-8"), folded[0].content_type.parameter("charset"));
    CPPUNIT_ASSERT_EQUAL(blanks + "e", folded[0].start);
  }

  void inner_multiparts_end_where_outer_ones_go_on() {
    const auto mail = read(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n"
        "--i\n\none\n--i\n\ntwo\n--o\n\nthree\n--i\nof three\n--o--\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, mail.size());
    CPPUNIT_ASSERT_EQUAL(std::string("two"), mail[3].start);
    CPPUNIT_ASSERT_EQUAL(std::string("three\n--i\nof three"), mail[4].start);
    const auto closed = read(
        "Content-Type: multipart/mixed; boundary=o\n\n--o\nContent-Type: multipart/alternative; boundary=i\n\n"
        "--i\n\none\n--i--\nepilogue\n--i\nnothing\n--o\n\nnext\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, closed.size());
    CPPUNIT_ASSERT_EQUAL(std::string("next\n"), closed[3].start);
  }

  void only_what_is_asked_for_is_kept() {
    const std::string text =
        "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Transfer-Encoding: base64\n\naGVsbG8=\n"
        "--x\nContent-Type: text/html\n\n0123456789\n--x\nContent-Type: a/b\n\n0123456789\n--x--\n";
    const auto mail = mime::read_outline(text, [](const Entity& entity) {
      return mime::Keep{entity.is("text/html") ? 4u : entity.is("a/b") ? 9u : 5u, !entity.is("text/html")};
    });
    CPPUNIT_ASSERT(mail.at(1).start == "hello" && mail[1].whole());
    CPPUNIT_ASSERT(mail.at(2).start == "0123" && !mail[2].whole() && mail[2].size == 10);
    CPPUNIT_ASSERT(mail.at(3).start.empty() && mail[3].size == 10 && mail[3].complete);
  }

  void limits_hold() {
    CPPUNIT_ASSERT_EQUAL(std::size_t{31}, read(nested(100)).size());
    CPPUNIT_ASSERT(!read(nested(100)).back().multipart);
    std::string wide = "Content-Type: multipart/mixed; boundary=w\n\n";
    for (int i = 0; i < 5'000; ++i) wide += "--w\n\nx\n";
    mime::OutlineReader reader(all, {.depth = 30, .entities = 4});
    reader.feed(wide);
    reader.finish();
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, reader.entities().size());
    CPPUNIT_ASSERT(reader.left_out());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1'000}, read(wide).size());
    // Header fields: of one only its start counts, of all together not more than the limit.
    std::string long_names = "Content-Type: multipart/mixed; boundary=w\n\n";
    for (int i = 0; i < 20; ++i) {
      long_names += "--w\nContent-Disposition: attachment; filename=" + std::string(90'000, 'n') + "\n\nx\n";
    }
    mime::OutlineReader names(all, {.field = 10'000, .headers = 50'000});
    names.feed(long_names);
    names.finish();
    CPPUNIT_ASSERT(names.left_out() && names.entities().size() == 6);
    CPPUNIT_ASSERT(names.entities()[1].file_name().size() < 10'000);
    CPPUNIT_ASSERT_EQUAL(std::string("x"), names.entities()[1].start);
  }

  void hostile_mails_are_read_in_bounded_time() {
    // The same boundary at every depth, and a megabyte of lines that are nearly one.
    std::string same;
    for (int i = 0; i < 20'000; ++i) same += "Content-Type: multipart/mixed; boundary=s\n\n--s\n";
    CPPUNIT_ASSERT(read(same).size() <= 1'000);
    std::string nearly = "Content-Type: multipart/mixed; boundary=" + std::string(70, 'n') + "\n\n";
    while (nearly.size() < 2'000'000) nearly += "--" + std::string(69, 'n') + "\n";
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, read(nearly).size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, read(std::string(1'000'000, '-')).size());
  }

  void a_part_is_found_again() {
    const std::string text =
        "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Transfer-Encoding: "
        "base64\r\n\r\naGVs\r\nbG8=\r\n"
        "--x\r\nContent-Transfer-Encoding: quoted-printable\r\nContent-Type: text/plain; name=q\r\n\r\na=3D "
        "\r\nb=\r\n\r\n"
        "--x\r\n\r\nlast\r\n--x--\r\n";
    for (const std::size_t piece : {1u, 2u, 3u, 7u, 1'000u}) {
      CPPUNIT_ASSERT_EQUAL(std::string("hello"), content(text, 1, piece));
      CPPUNIT_ASSERT_EQUAL(std::string("a=\r\nb"), content(text, 2, piece));
      CPPUNIT_ASSERT_EQUAL(std::string("last"), content(text, 3, piece));
    }
    mime::PartReader reader(2);
    std::string out;
    reader.feed(text, out);
    CPPUNIT_ASSERT(reader.complete());  // before the mail is over
    CPPUNIT_ASSERT_EQUAL(std::string("q"), reader.entity()->file_name());
    mime::PartReader none(4);
    none.feed(text, out);
    none.finish(out);
    CPPUNIT_ASSERT(!none.entity() && !none.complete());
  }

  void pieces_may_be_cut_anywhere() {
    const std::string text =
        "From x\r\nContent-Type: multipart/mixed; boundary=\"x\"\r\n folded\r\n\r\n--x\r\n\r\na\r\r\nb\n\r\n--x\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n=3D= \r\n=4 =\r\n--x \t\r\nContent-Transfer-Encoding: "
        "x-uuencode\r\n\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\n--x--\r\nafter";
    const auto whole = read(text);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, whole.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a\r\r\nb\n"), whole[1].start);
    CPPUNIT_ASSERT_EQUAL(std::string("==4 "), whole[2].start);
    CPPUNIT_ASSERT_EQUAL(std::string("Cat"), whole[3].start);
    for (std::size_t piece = 1; piece < 40; ++piece) require_same(whole, read_in_pieces(text, piece), text);
  }

  void the_corpus_is_read_alike_in_any_pieces() {
    const char* const folder = std::getenv("MAILPLUGIN_SHARED");
    if (!folder || !std::filesystem::is_directory(std::filesystem::path(folder) / "mail-corpus")) return;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(folder) / "mail-corpus")) {
      if (entry.path().extension() != ".eml") continue;
      ++files;
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream bytes;
      bytes << file.rdbuf();
      const std::string mail = bytes.str();
      for (std::size_t part = 1; part <= 8; ++part) {
        const std::string text = mail.substr(0, mail.size() * part / 8);
        const auto whole = read(text);
        for (const std::size_t piece : {1u, 77u, 4'096u}) require_same(whole, read_in_pieces(text, piece), text);
        for (std::size_t index = 0; index < whole.size(); ++index) {
          CPPUNIT_ASSERT(whole[index].size <= text.size());
          (void)whole[index].text();
          if (!whole[index].multipart) CPPUNIT_ASSERT(content(text, index, 77) == whole[index].start);
        }
      }
    }
    CPPUNIT_ASSERT(files > 40);
  }

 private:
  static void require_same(const std::vector<Entity>& a, const std::vector<Entity>& b, const std::string& text) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(text, a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, a[i].content_type.value, b[i].content_type.value);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, a[i].file_name(), b[i].file_name());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(text, a[i].start, b[i].start);
      CPPUNIT_ASSERT(a[i].multipart == b[i].multipart && a[i].size == b[i].size && a[i].complete == b[i].complete);
    }
  }
};

class ReportTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ReportTest);
  CPPUNIT_TEST(delivery_status);
  CPPUNIT_TEST(dispositions);
  CPPUNIT_TEST(the_returned_mail_is_named);
  CPPUNIT_TEST_SUITE_END();

 public:
  void delivery_status() {
    const auto told = mime::parse_delivery_status(
        "Reporting-MTA: dns; x\r\n\r\nFinal-Recipient: RFC822; <a@b>\r\nAction: Failed (bad)\r\nStatus: 5.1.1 "
        "(why)\r\n\r\n\r\n"
        "Original-Recipient: rfc822;c@d\naction: delayed\n\nnonsense line\n\nX: y\n");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, told.size());
    CPPUNIT_ASSERT_EQUAL(std::string("a@b"), told[0].recipient);
    CPPUNIT_ASSERT_EQUAL(std::string("failed"), told[0].action);
    CPPUNIT_ASSERT_EQUAL(std::string("5.1.1"), told[0].status);
    CPPUNIT_ASSERT_EQUAL(std::string("c@d"), told[1].recipient);
    CPPUNIT_ASSERT(mime::parse_delivery_status("").empty());
    CPPUNIT_ASSERT(mime::parse_delivery_status("no field at all").empty());
  }

  void dispositions() {
    const auto told = mime::parse_disposition(
        "Final-Recipient: rfc822;a@b\nOriginal-Message-ID: <o@x>\nDisposition: manual-action/MDN-sent-manually; "
        "Displayed/error\n");
    CPPUNIT_ASSERT_EQUAL(std::string("a@b"), told.recipient);
    CPPUNIT_ASSERT_EQUAL(std::string("<o@x>"), told.original_message_id);
    CPPUNIT_ASSERT_EQUAL(std::string("displayed"), told.type);
  }

  void the_returned_mail_is_named() {
    const std::string start =
        "Message-ID: <report@x>\nContent-Type: multipart/report; boundary=r\n\n--r\n\ntext\n--r\n";
    CPPUNIT_ASSERT_EQUAL(
        std::string("<o@x>"),
        mime::reported_message_id(
            read(start + "Content-Type: message/rfc822\n\nSubject: s\nmessage-id:\n <o@x>\n\nbody\n--r--")));
    CPPUNIT_ASSERT_EQUAL(std::string("<o@x>"),
                         mime::reported_message_id(
                             read(start + "Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n"
                                          "TWVzc2FnZS1JRDogPG9AeD4K\n--r--")));
    CPPUNIT_ASSERT_EQUAL(std::string(), mime::reported_message_id(read(start)));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutlineTest);
CPPUNIT_TEST_SUITE_REGISTRATION(ReportTest);

}  // namespace
