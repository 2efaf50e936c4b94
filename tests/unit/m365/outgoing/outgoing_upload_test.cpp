// Large attachments: cut, resumed, expired, and hosts that do not know their own sizes.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/outgoing/outgoing_world.h"
#include "m365/outgoing/upload_attachment.h"

namespace outgoing {

class OutgoingUploadTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingUploadTest);
  CPPUNIT_TEST(next_expected_in_all_forms);
  CPPUNIT_TEST(resumed_where_the_service_stands);
  CPPUNIT_TEST(resumed_where_the_service_does_not_say);
  CPPUNIT_TEST(expired_session_is_opened_anew);
  CPPUNIT_TEST(lost_session_is_opened_anew);
  CPPUNIT_TEST(wrong_size_hints);
  CPPUNIT_TEST(service_that_wants_another_way);
  CPPUNIT_TEST(spooled_content);
  CPPUNIT_TEST_SUITE_END();

  static mail::Mail large_mail(const std::string& bytes) {
    mail::Mail mail = simple_mail();
    mail.parts.push_back(part(mail::PartKind::attachment, "big.bin", bytes));
    return mail;
  }

  static void assert_arrived(World& world, const std::string& bytes) {
    const auto sent = world.mailbox.in("sentitems");
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sent.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, sent[0].attachments.size());
    CPPUNIT_ASSERT(sent[0].attachments[0].bytes == bytes);
  }

  void next_expected_in_all_forms() {
    using m365::next_expected;
    CPPUNIT_ASSERT(next_expected(R"({"nextExpectedRanges":["0-"]})") == 0u);
    CPPUNIT_ASSERT(next_expected(R"({"NextExpectedRanges":["2097152"]})") == 2'097'152u);
    CPPUNIT_ASSERT(next_expected(R"({"NEXTEXPECTEDRANGES":["5-9","20-"]})") == 5u);
    for (const char* none : {"", "{}", "[]", "<html>", R"({"nextExpectedRanges":[]})",
                             R"({"nextExpectedRanges":["x"]})", R"({"nextExpectedRanges":[null]})",
                             R"({"nextExpectedRanges":"0-"})", R"({"nextExpectedRanges":["99999999999999999999-"]})"})
      CPPUNIT_ASSERT_MESSAGE(none, !next_expected(none));
  }

  void resumed_where_the_service_stands() {
    const std::string bytes = pattern(9'000'000);
    World world;
    world.mailbox.break_exchange(4, Break::cut_after);  // the second piece arrived, its answer did not
    assert_accepted(world.send(large_mail(bytes)));
    assert_arrived(world, bytes);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.asked_for("createUploadSession").size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, world.mailbox.asked_for("(upload)").size());
  }

  void resumed_where_the_service_does_not_say() {
    const std::string bytes = pattern(9'000'000);
    for (const Break how : {Break::cut_after, Break::cut_before, Break::s504_done}) {
      World world;
      world.mailbox.says_ranges = false;
      world.mailbox.break_exchange(4, how);
      assert_accepted(world.send(large_mail(bytes)));
      assert_arrived(world, bytes);
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.asked_for("createUploadSession").size());
    }
  }

  void expired_session_is_opened_anew() {
    const std::string bytes = pattern(5'000'000);
    World world;
    int puts = 0;
    world.mailbox.answer = [&](const std::string&, const std::string& path) -> std::optional<http::Response> {
      if (path == "(upload)" && ++puts == 1) world.clock.advance(std::chrono::hours(2));
      return std::nullopt;
    };
    assert_accepted(world.send(large_mail(bytes)));
    assert_arrived(world, bytes);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.mailbox.asked_for("createUploadSession").size());
  }

  void lost_session_is_opened_anew() {
    const std::string bytes = pattern(5'000'000);
    World world;
    int puts = 0;
    world.mailbox.answer = [&](const std::string&, const std::string& path) -> std::optional<http::Response> {
      if (path == "(upload)" && ++puts == 2) return http::Response{404, {}, "gone"};
      return std::nullopt;
    };
    assert_accepted(world.send(large_mail(bytes)));
    assert_arrived(world, bytes);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, world.mailbox.asked_for("createUploadSession").size());
  }

  void wrong_size_hints() {
    for (const std::int64_t hint : {0LL, 10LL, 3'000'000LL, 4'999'999LL, 5'000'001LL, 20'000'000LL}) {
      const std::string bytes = pattern(5'000'000);
      World world;
      mail::Mail mail = large_mail(bytes);
      mail.parts.back().size_hint = hint;
      assert_accepted(world.send(mail));
      assert_arrived(world, bytes);
    }
    World world;
    mail::Mail mail = large_mail("small after all");
    mail.parts.back().size_hint = 20'000'000;
    assert_accepted(world.send(mail));
    assert_arrived(world, "small after all");
  }

  void service_that_wants_another_way() {
    const std::string bytes = pattern(2'920'000);
    World strict;
    strict.mailbox.smallest_session = 3'000'000;  // too small for a session, though we would open one
    assert_accepted(strict.send(large_mail(bytes)));
    assert_arrived(strict, bytes);
    const std::string less = pattern(2'800'000);
    World narrow;
    int posts = 0;
    narrow.mailbox.answer = [&](const std::string&, const std::string& path) -> std::optional<http::Response> {
      const bool post = path.find("/attachments") != std::string::npos && path.find("Session") == std::string::npos;
      if (post && ++posts == 1) return http::Response{413, {}, ""};
      return std::nullopt;
    };
    assert_accepted(narrow.send(large_mail(less)));
    assert_arrived(narrow, less);
  }

  void spooled_content() {
    World world;
    m365::SpoolFile file(std::filesystem::temp_directory_path());
    file.append("hello ");
    file.append("world");
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{11}, file.size());
    std::string got(20, '\0');
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, file.read_at(6, got.data(), got.size()));
    CPPUNIT_ASSERT_EQUAL(std::string("world"), got.substr(0, 5));
    CPPUNIT_ASSERT_THROW(m365::SpoolFile("/does/not/exist"), mail::FaultError);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingUploadTest);

}  // namespace outgoing
