#include "m365/message/safe_links.h"

#include <cppunit/extensions/HelperMacros.h>

#include <string>

namespace {

using m365::find_safe_links;
using m365::safe_link_original;

const std::string host = "https://nam01.safelinks.protection.outlook.com/";

std::string encoded(const std::string& text) {
  static const char* const digits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    out += plain ? std::string(1, c) : std::string{'%', digits[byte >> 4], digits[byte & 15]};
  }
  return out;
}

class SafeLinksTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SafeLinksTest);
  CPPUNIT_TEST(the_original_is_decoded_once);
  CPPUNIT_TEST(only_the_service_s_hosts_count);
  CPPUNIT_TEST(order_of_parameters_does_not_matter);
  CPPUNIT_TEST(nested_ones_are_unwrapped_up_to_five);
  CPPUNIT_TEST(other_schemes_and_line_breaks_are_refused);
  CPPUNIT_TEST(found_in_html_and_in_text);
  CPPUNIT_TEST(found_once_each_and_in_order);
  CPPUNIT_TEST(a_body_full_of_markers_is_read_in_linear_time);
  CPPUNIT_TEST_SUITE_END();

 public:
  void the_original_is_decoded_once() {
    CPPUNIT_ASSERT_EQUAL(
        std::string("https://a.example/x?y=1&z=%2F"),
        safe_link_original(host + "?url=https%3A%2F%2Fa.example%2Fx%3Fy%3D1%26z%3D%252F&data=05%7C01&reserved=0"));
    CPPUNIT_ASSERT_EQUAL(std::string("mailto:a@b.example"),
                         safe_link_original(host + "?url=mailto%3Aa%40b.example&data=1"));
    CPPUNIT_ASSERT_EQUAL(std::string("http://a.example/1+1"),
                         safe_link_original(host + "?url=http%3A%2F%2Fa.example%2F1+1"));
    CPPUNIT_ASSERT_EQUAL(std::string("https://ä.example/"),
                         safe_link_original(host + "?url=https%3A%2F%2F%C3%A4.example%2F"));
  }

  void only_the_service_s_hosts_count() {
    const std::string query = "?url=https%3A%2F%2Fa.example";
    for (const std::string good :
         {"https://safelinks.protection.outlook.com/", "HTTP://Gbr01.SafeLinks.Protection.Outlook.com:443/",
          "https://x.safelinks.protection.office365.us/"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(good, std::string("https://a.example"), safe_link_original(good + query));
    }
    for (const std::string bad :
         {"https://safelinks.protection.outlook.com.evil.example/", "https://evilsafelinks.protection.outlook.com/",
          "https://safelinks.protection.outlook.com@evil.example/", "ftp://safelinks.protection.outlook.com/",
          "https://evil.example/safelinks.protection.outlook.com/", "safelinks.protection.outlook.com/"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(bad, std::string(), safe_link_original(bad + query));
    }
  }

  void order_of_parameters_does_not_matter() {
    CPPUNIT_ASSERT_EQUAL(std::string("https://a.example"),
                         safe_link_original(host + "v2/?data=1&sdata=2&URL=https%3A%2F%2Fa.example&reserved=0"));
    CPPUNIT_ASSERT_EQUAL(std::string(), safe_link_original(host + "?data=1&curl=https%3A%2F%2Fa.example"));
    CPPUNIT_ASSERT_EQUAL(std::string(), safe_link_original(host));
  }

  void nested_ones_are_unwrapped_up_to_five() {
    std::string url = "https://a.example/";
    for (int i = 0; i < 5; ++i) url = host + "?url=" + encoded(url) + "&data=1";
    CPPUNIT_ASSERT_EQUAL(std::string("https://a.example/"), safe_link_original(url));
    url = host + "?url=" + encoded(url);
    CPPUNIT_ASSERT_EQUAL(std::string(), safe_link_original(url));
  }

  void other_schemes_and_line_breaks_are_refused() {
    for (const char* bad :
         {"javascript%3Aalert(1)", "file%3A%2F%2F%2Fetc", "https%3A%2F%2Fa%0D%0Ab", "https%3A%2F%2Fa%FF", "", "%"}) {
      CPPUNIT_ASSERT_EQUAL_MESSAGE(bad, std::string(), safe_link_original(host + "?url=" + bad));
    }
    CPPUNIT_ASSERT(find_safe_links(host + "?url=javascript%3A1 ", false).rewritten);
  }

  void found_in_html_and_in_text() {
    const auto html =
        find_safe_links("<a href='" + host + "?url=https%3A%2F%2Fa.example&amp;data=1&#38;reserved=0'>a</a>", true);
    CPPUNIT_ASSERT(html.rewritten);
    CPPUNIT_ASSERT_EQUAL(host + "?url=https%3A%2F%2Fa.example&data=1&reserved=0", html.links.at(0).first);
    CPPUNIT_ASSERT_EQUAL(std::string("https://a.example"), html.links.at(0).second);
    const auto text = find_safe_links("See (" + host + "?url=https%3A%2F%2Fa.example&data=1). Thanks", false);
    CPPUNIT_ASSERT_EQUAL(host + "?url=https%3A%2F%2Fa.example&data=1", text.links.at(0).first);
    const auto none =
        find_safe_links("The host safelinks.protection.outlook.com is Microsoft's. https://a.example", false);
    CPPUNIT_ASSERT(!none.rewritten && none.links.empty());
  }

  void found_once_each_and_in_order() {
    const std::string one = host + "?url=https%3A%2F%2Fone.example", two = host + "?url=https%3A%2F%2Ftwo.example";
    const auto found = find_safe_links(two + " " + one + " " + two, false);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, found.links.size());
    CPPUNIT_ASSERT_EQUAL(std::string("https://two.example"), found.links[0].second);
  }

  void a_body_full_of_markers_is_read_in_linear_time() {
    std::string body;
    while (body.size() < 4'000'000) body += "https://x.safelinks.protection.outlook.com/?url=";
    CPPUNIT_ASSERT(find_safe_links(body, true).links.empty());
    body.clear();
    while (body.size() < 4'000'000) body += "safelinks.protection.";
    CPPUNIT_ASSERT(!find_safe_links(body, false).rewritten);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SafeLinksTest);

}  // namespace
