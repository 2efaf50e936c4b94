#include "mime/entity.h"

#include <cppunit/extensions/HelperMacros.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "mime/report.h"

namespace {

class EntityTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EntityTest);
  CPPUNIT_TEST(a_tree_is_read);
  CPPUNIT_TEST(missing_pieces_are_tolerated);
  CPPUNIT_TEST(bounds_hold);
  CPPUNIT_TEST(hostile_trees_are_read_in_bounded_time);
  CPPUNIT_TEST(delivery_status);
  CPPUNIT_TEST(dispositions);
  CPPUNIT_TEST(the_returned_mail_is_named);
  CPPUNIT_TEST(the_corpus_is_survived_cut_anywhere);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_tree_is_read() {
    const std::string text =
        "Subject: =?utf-8?Q?=C3=A4?=\nContent-Type: Multipart/Mixed; boundary=\"a b\"\n\npreamble\n--a b\n\nplain\n"
        "--a b  \nContent-Type: text/html; charset=windows-1251\nContent-Disposition: inline; filename=x.html\n\n\xCF\n"
        "--a b\nContent-Type: message/rfc822\n\nSubject: inner\n\ninside\n--a b--\nepilogue\n--a b\nno part\n";
    const mime::Entity root = mime::parse(text);
    CPPUNIT_ASSERT_EQUAL(std::string("ä"), root.headers.text("subject"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, root.children.size());
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), root.children[0].content_type.value);
    CPPUNIT_ASSERT_EQUAL(std::string("plain"), root.children[0].bytes());
    CPPUNIT_ASSERT_EQUAL(std::string("П"), root.children[1].text());
    CPPUNIT_ASSERT_EQUAL(std::string("x.html"), root.children[1].file_name());
    CPPUNIT_ASSERT_EQUAL(std::string("inner"), root.children[2].children.at(0).headers.text("Subject"));
    CPPUNIT_ASSERT_EQUAL(std::string("Subject: inner\n\ninside"), root.children[2].bytes());
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, mime::walk(root).size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, mime::walk(root, false).size());
    CPPUNIT_ASSERT(mime::find_type(root, "text/html") == &root.children[1]);
  }

  void missing_pieces_are_tolerated() {
    const mime::Entity open =
        mime::parse("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\none\r\n--x\r\n\r\ntwo");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, open.children.size());
    CPPUNIT_ASSERT_EQUAL(std::string("one"), open.children[0].bytes());
    CPPUNIT_ASSERT_EQUAL(std::string("two"), open.children[1].bytes());
    CPPUNIT_ASSERT(mime::parse("Content-Type: multipart/mixed; boundary=x\n\nno boundary\n").children.empty());
    CPPUNIT_ASSERT(mime::parse("Content-Type: multipart/mixed\n\n--\n\nx").children.empty());
    CPPUNIT_ASSERT_EQUAL(std::string("text/plain"), mime::parse("Content-Type: nonsense\n\nx").content_type.value);
    CPPUNIT_ASSERT_EQUAL(std::string(), mime::parse("").bytes());
    const mime::Entity digest =
        mime::parse("Content-Type: multipart/digest; boundary=x\n\n--x\n\nSubject: s\n\nb\n--x--");
    CPPUNIT_ASSERT_EQUAL(std::string("message/rfc822"), digest.children.at(0).content_type.value);
    // A boundary that begins like another one.
    const mime::Entity alike = mime::parse("Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--xy\nb\n--x--\n");
    CPPUNIT_ASSERT_EQUAL(std::string("a\n--xy\nb"), alike.children.at(0).bytes());
  }

  void bounds_hold() {
    std::string deep;
    for (int i = 0; i < 100; ++i) {
      deep += "Content-Type: multipart/mixed; boundary=b" + std::to_string(i) + "\n\n--b" + std::to_string(i) + "\n";
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{31}, mime::walk(mime::parse(deep)).size());
    std::string wide = "Content-Type: multipart/mixed; boundary=w\n\n";
    for (int i = 0; i < 5'000; ++i) wide += "--w\n\nx\n";
    CPPUNIT_ASSERT_EQUAL(std::size_t{1'001}, mime::walk(mime::parse(wide)).size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, mime::walk(mime::parse(wide, {2, 3})).size());
  }

  void hostile_trees_are_read_in_bounded_time() {
    // The same boundary at every depth, and a megabyte of lines that are nearly one.
    std::string same;
    for (int i = 0; i < 20'000; ++i) same += "Content-Type: multipart/mixed; boundary=s\n\n--s\n";
    CPPUNIT_ASSERT(mime::walk(mime::parse(same)).size() <= 1'001);
    std::string nearly = "Content-Type: multipart/mixed; boundary=" + std::string(70, 'n') + "\n\n";
    while (nearly.size() < 2'000'000) nearly += "--" + std::string(69, 'n') + "\n";
    CPPUNIT_ASSERT(mime::parse(nearly).children.empty());
  }

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
            mime::parse(start + "Content-Type: message/rfc822\n\nSubject: s\nmessage-id:\n <o@x>\n\nbody\n--r--")));
    CPPUNIT_ASSERT_EQUAL(std::string("<o@x>"),
                         mime::reported_message_id(mime::parse(
                             start + "Content-Type: text/rfc822-headers\nContent-Transfer-Encoding: base64\n\n"
                                     "TWVzc2FnZS1JRDogPG9AeD4K\n--r--")));
    CPPUNIT_ASSERT_EQUAL(std::string(), mime::reported_message_id(mime::parse(start)));
  }

  void the_corpus_is_survived_cut_anywhere() {
    const char* const folder = std::getenv("MAILPLUGIN_SHARED");
    if (!folder || !std::filesystem::is_directory(std::filesystem::path(folder) / "mail-corpus")) return;
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(folder) / "mail-corpus")) {
      if (entry.path().extension() != ".eml") continue;
      ++files;
      std::ifstream file(entry.path(), std::ios::binary);
      std::ostringstream bytes;
      bytes << file.rdbuf();
      const std::string whole = bytes.str();
      for (std::size_t part = 1; part <= 16; ++part) {
        const std::string text = whole.substr(0, whole.size() * part / 16);
        const mime::Entity root = mime::parse(text);
        for (const mime::Entity* entity : mime::walk(root)) {
          CPPUNIT_ASSERT(entity->bytes().size() <= text.size());
          (void)entity->text();
        }
      }
    }
    CPPUNIT_ASSERT(files > 40);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EntityTest);

}  // namespace
