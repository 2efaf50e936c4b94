#include "http/message.h"

#include <cppunit/extensions/HelperMacros.h>

#include <optional>
#include <string>
#include <vector>

#include "http/http_date.h"
#include "http/url.h"

namespace {

using namespace std::chrono_literals;
using http::Headers;
using http::Response;

constexpr std::chrono::system_clock::time_point now = std::chrono::sys_days(std::chrono::year(2026) / 3 / 1);

std::optional<long long> wait_ms(const std::string& retry_after, const std::string& date = {}) {
  Response response;
  response.headers.add("retry-after", retry_after);
  if (!date.empty()) response.headers.add("Date", date);
  const auto wait = response.retry_after(now);
  return wait ? std::optional<long long>(wait->count()) : std::nullopt;
}

class MessageTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MessageTest);
  CPPUNIT_TEST(headers_compare_without_case_and_keep_repetitions);
  CPPUNIT_TEST(retry_after_in_seconds);
  CPPUNIT_TEST(retry_after_as_date);
  CPPUNIT_TEST(retry_after_that_cannot_be_read);
  CPPUNIT_TEST(the_three_forms_of_a_date);
  CPPUNIT_TEST(dates_that_are_none);
  CPPUNIT_TEST(origin_of_urls);
  CPPUNIT_TEST(no_origin);
  CPPUNIT_TEST(path_and_query_stay_as_written);
  CPPUNIT_TEST(percent_encoding);
  CPPUNIT_TEST_SUITE_END();

 public:
  void headers_compare_without_case_and_keep_repetitions() {
    Headers headers{{"Prefer", "a"}, {"X", "1"}, {"prefer", "b"}};
    CPPUNIT_ASSERT_EQUAL(std::string("a"), headers.get("PREFER"));
    CPPUNIT_ASSERT_EQUAL(std::size_t(3), headers.all().size());
    CPPUNIT_ASSERT(!headers.find("Prefe"));
    headers.set("PREFER", "c");
    CPPUNIT_ASSERT_EQUAL(std::size_t(2), headers.all().size());
    CPPUNIT_ASSERT_EQUAL(std::string("c"), headers.get("prefer"));
    CPPUNIT_ASSERT_EQUAL(std::string(), headers.get("Y"));
  }

  void retry_after_in_seconds() {
    CPPUNIT_ASSERT(wait_ms("7") == 7000);
    CPPUNIT_ASSERT(wait_ms(" 2.128 ") == 2128);
    CPPUNIT_ASSERT(wait_ms("0.5") == 500);
    CPPUNIT_ASSERT(wait_ms("1.") == 1000);
    CPPUNIT_ASSERT(wait_ms("0.0001") == 1);  // rounded up: earlier would be too early
    CPPUNIT_ASSERT(wait_ms("0") == 0);
    CPPUNIT_ASSERT(wait_ms("3600.001") == 3'600'000);
    CPPUNIT_ASSERT(wait_ms("99999999999999999999999") == 3'600'000);
    CPPUNIT_ASSERT(!Response().retry_after(now));
  }

  void retry_after_as_date() {
    const std::string date = "Sun, 01 Mar 2026 12:00:00 GMT";
    CPPUNIT_ASSERT(wait_ms("Sun, 01 Mar 2026 12:00:30 GMT", date) == 30'000);  // the server's clock counts
    CPPUNIT_ASSERT(wait_ms("Sun, 01 Mar 2026 00:00:30 GMT") == 30'000);        // ours when it does not say
    CPPUNIT_ASSERT(wait_ms("Sun, 01 Mar 2026 11:00:00 GMT", date) == 0);
    CPPUNIT_ASSERT(wait_ms("Sun, 01 Mar 2027 11:00:00 GMT", date) == 3'600'000);
    CPPUNIT_ASSERT(wait_ms("Sun, 01 Mar 2026 00:00:10 GMT", "yesterday") == 10'000);
    // Beyond what a clock of nanoseconds holds, in both directions.
    CPPUNIT_ASSERT(wait_ms("Thu, 01 Jan 2907 00:00:01 GMT") == 3'600'000);
    CPPUNIT_ASSERT(wait_ms("Thu, 01 Jan 0052 00:00:30 GMT") == 0);
    CPPUNIT_ASSERT(wait_ms("Sun, 01 Mar 2026 12:00:30 GMT", "Thu, 01 Jan 0052 00:00:30 GMT") == 3'600'000);
  }

  void retry_after_that_cannot_be_read() {
    for (const char* text : {"", "-1", "+1", "1e3", "1.5.2", "1 s", "soon", "inf", "0x10", "1,5"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !wait_ms(text));
    }
  }

  void the_three_forms_of_a_date() {
    const auto expected = std::chrono::sys_days(std::chrono::year(1994) / 11 / 6) + 8h + 49min + 37s;
    CPPUNIT_ASSERT(http::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT") == expected);
    CPPUNIT_ASSERT(http::parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT") == expected);
    CPPUNIT_ASSERT(http::parse_http_date("Sun Nov  6 08:49:37 1994") == expected);
  }

  void dates_that_are_none() {
    for (const char* text :
         {"", "Sun, 06 Nov 1994", "Sun, 31 Feb 2026 08:49:37 GMT", "Sun, 06 Nox 1994 08:49:37 GMT",
          "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET", "Sun, 06 Nov 1994 08:4:37 GMT",
          "Sun, -6 Nov 1994 08:49 GMT", "Sun, 06 Nov 11994 08:49:37 GMT"}) {
      CPPUNIT_ASSERT_MESSAGE(text, !http::parse_http_date(text));
    }
  }

  void origin_of_urls() {
    const std::vector<std::pair<std::string, std::string>> cases = {
        {"https://Graph.Microsoft.com/v1.0/users?x=1", "https://graph.microsoft.com:443"},
        {"HTTPS://graph.microsoft.com:443", "https://graph.microsoft.com:443"},
        {"https://graph.microsoft.com:/", "https://graph.microsoft.com:443"},
        {"https://localhost:8443?x", "https://localhost:8443"},
        {"http://localhost/", "http://localhost:80"},
        {"https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443"},
        {"https://127.0.0.1/x", "https://127.0.0.1:443"},
        {"https://a/b@c/https://d", "https://a:443"},
        {"https://a#@b/", "https://a:443"},
    };
    for (const auto& [url, origin] : cases) CPPUNIT_ASSERT_EQUAL(origin, http::origin_of(url));
  }

  void no_origin() {
    for (const char* url : {"",
                            "/v1.0/me",
                            "//graph.microsoft.com/",
                            "ftp://a/",
                            "https://",
                            "https:///x",
                            "https://a:0/",
                            "https://a:65536/",
                            "https://a:1x/",
                            "https://graph.microsoft.com@elsewhere/",
                            "https://@a/",
                            "https://u:p@a/",
                            "https://a b/",
                            "https://a/\r\nX: y",
                            "https://a\\@b/",
                            "https://[::1/",
                            "https://[::1]x/",
                            "https://[nonsense]/",
                            "https://-a/",
                            "https://a%2eb/",
                            "javascript://a"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(url, std::string(), http::origin_of(url));
    }
  }

  void path_and_query_stay_as_written() {
    const std::string target =
        "/v1.0/users('$x@contoso.com')/messages?$skiptoken=a%2Fb+c==&q='it''s'(1);~!*,\xc3\xa4%zz";
    CPPUNIT_ASSERT_EQUAL(target, http::parse_url("https://a" + target)->target);
    CPPUNIT_ASSERT_EQUAL(std::string("/?x"), http::parse_url("https://a?x#fragment")->target);
    CPPUNIT_ASSERT_EQUAL(std::string("a"), http::parse_url("https://a:443/")->authority());
    CPPUNIT_ASSERT_EQUAL(std::string("[::1]:8443"), http::parse_url("https://[::1]:8443/")->authority());
    CPPUNIT_ASSERT_EQUAL(std::string("[::1]"), http::parse_url("https://[::1]/")->authority());
  }

  void percent_encoding() {
    CPPUNIT_ASSERT_EQUAL(std::string("AZaz09-._~"), http::percent_encode("AZaz09-._~"));
    CPPUNIT_ASSERT_EQUAL(std::string("a%20b%2Fc%3D%C3%A4%00"),
                         http::percent_encode(std::string("a b/c=\xc3\xa4\0", 9)));
    CPPUNIT_ASSERT(http::percent_decode("a%20b%2Fc") == "a b/c");
    CPPUNIT_ASSERT(!http::percent_decode("a%2"));
    CPPUNIT_ASSERT(!http::percent_decode("a%zz"));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MessageTest);

}  // namespace
