#include "http/http1.h"

#include <cppunit/extensions/HelperMacros.h>

#include <initializer_list>
#include <string>

namespace {

using http::BadAnswer;
using http::Framing;
using http::Head;
using http::Request;

Head head_of(std::initializer_list<std::string> lines) {
  http::HeadReader reader;
  for (const std::string& line : lines) CPPUNIT_ASSERT(!reader.take(line));
  CPPUNIT_ASSERT(reader.take(""));
  return std::move(reader).head();
}

Framing framing(const std::string& method, std::initializer_list<std::string> lines) {
  return http::framing_of(method, head_of(lines));
}

std::string written(Request request) {
  return http::write_head(request, *http::parse_url(request.url));
}

class Http1Test : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(Http1Test);
  CPPUNIT_TEST(a_request_has_a_length_whenever_it_may_have_a_body);
  CPPUNIT_TEST(a_request_cannot_smuggle_lines);
  CPPUNIT_TEST(reads_a_head);
  CPPUNIT_TEST(a_byte_0xff_is_a_byte);
  CPPUNIT_TEST(folded_lines_are_joined);
  CPPUNIT_TEST(refuses_what_is_not_http);
  CPPUNIT_TEST(says_when_the_connection_stays);
  CPPUNIT_TEST(finds_the_end_of_a_body);
  CPPUNIT_TEST(refuses_contradicting_lengths);
  CPPUNIT_TEST(chunk_sizes);
  CPPUNIT_TEST(keep_alive_timeouts);
  CPPUNIT_TEST_SUITE_END();

 public:
  void a_request_has_a_length_whenever_it_may_have_a_body() {
    Request request;
    request.url = "https://graph.test:8443/a?b='c'";
    request.headers.add("Prefer", "x");
    CPPUNIT_ASSERT_EQUAL(std::string("GET /a?b='c' HTTP/1.1\r\nHost: graph.test:8443\r\nPrefer: x\r\n\r\n"),
                         written(request));
    for (const char* method : {"POST", "PATCH", "PUT"}) {
      request.method = method;
      CPPUNIT_ASSERT(written(request).find("\r\nContent-Length: 0\r\n\r\n") != std::string::npos);
    }
    request.body = "four";
    CPPUNIT_ASSERT(written(request).find("\r\nContent-Length: 4\r\n\r\n") != std::string::npos);
    request.method = "DELETE";
    CPPUNIT_ASSERT(written(request).find("\r\nContent-Length: 4\r\n\r\n") != std::string::npos);
  }

  void a_request_cannot_smuggle_lines() {
    Request request;
    request.url = "https://a/";
    request.method = "GET / HTTP/1.1\r\nX:";
    CPPUNIT_ASSERT_THROW(written(request), std::invalid_argument);
    for (const auto& [name, value] : std::initializer_list<std::pair<std::string, std::string>>{
             {"X", "a\r\nBcc: b"}, {"X", "a\nb"}, {"X: y\r\nZ", "a"}, {"", "a"}, {"X", std::string("a\0b", 3)}}) {
      Request bad;
      bad.url = "https://a/";
      bad.headers.add(name, value);
      CPPUNIT_ASSERT_THROW(written(bad), std::invalid_argument);
    }
  }

  void reads_a_head() {
    const Head head = head_of({"HTTP/1.1 404 Not Found", "request-id:  7 \t", "Empty:", "X: a:b"});
    CPPUNIT_ASSERT_EQUAL(404, head.status);
    CPPUNIT_ASSERT_EQUAL(std::string("7"), head.headers.get("Request-Id"));
    CPPUNIT_ASSERT_EQUAL(std::string("a:b"), head.headers.get("X"));
    CPPUNIT_ASSERT(head.headers.find("Empty") && head.headers.get("Empty").empty());
    CPPUNIT_ASSERT_EQUAL(204, head_of({"HTTP/1.1 204"}).status);
    CPPUNIT_ASSERT_EQUAL(200, head_of({"HTTP/1.0 200 "}).status);
  }

  void a_byte_0xff_is_a_byte() {
    const Head head = head_of({"HTTP/1.1 200 OK",
                               "X: a\xff"
                               "b",
                               "Content-Length: 5"});
    CPPUNIT_ASSERT_EQUAL(std::string("a\xff"
                                     "b"),
                         head.headers.get("X"));
    CPPUNIT_ASSERT_EQUAL(std::string("5"), head.headers.get("Content-Length"));
  }

  void folded_lines_are_joined() {
    const Head head = head_of({"HTTP/1.1 200 OK", "X: a", "  b", "\tc", "Y: d"});
    CPPUNIT_ASSERT_EQUAL(std::string("a b c"), head.headers.get("X"));
    CPPUNIT_ASSERT_EQUAL(std::string("d"), head.headers.get("Y"));
  }

  void refuses_what_is_not_http() {
    for (const char* line :
         {"", "HTTP/2 200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000", "HTTP/1.1 -20 OK", "HTTP/1.x 200 OK",
          "http/1.1 200 OK", "SSH-2.0-OpenSSH_9.2", "HTTP/1.1  200", "HTTP/1.1 099 x"}) {
      http::HeadReader reader;
      CPPUNIT_ASSERT_THROW_MESSAGE(line, reader.take(line), BadAnswer);
    }
    for (const std::string& line : {std::string("no colon"), std::string("name : x"), std::string(": x"),
                                    std::string(" folded first"), std::string("X: a\0b", 6), std::string("X: a\rb")}) {
      http::HeadReader reader;
      reader.take("HTTP/1.1 200 OK");
      CPPUNIT_ASSERT_THROW_MESSAGE(line, reader.take(line), BadAnswer);
    }
  }

  void says_when_the_connection_stays() {
    CPPUNIT_ASSERT(head_of({"HTTP/1.1 200 OK"}).persistent);
    CPPUNIT_ASSERT(!head_of({"HTTP/1.1 200 OK", "Connection: x, Close"}).persistent);
    CPPUNIT_ASSERT(!head_of({"HTTP/1.1 200 OK", "Connection: x", "connection: close"}).persistent);
    CPPUNIT_ASSERT(!head_of({"HTTP/1.0 200 OK"}).persistent);
    CPPUNIT_ASSERT(head_of({"HTTP/1.0 200 OK", "Connection: Keep-Alive"}).persistent);
  }

  void finds_the_end_of_a_body() {
    using Kind = Framing::Kind;
    CPPUNIT_ASSERT(framing("GET", {"HTTP/1.1 200 OK", "Content-Length: 12"}).kind == Kind::length);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t(12), framing("GET", {"HTTP/1.1 200 OK", "Content-Length: 12, 12"}).length);
    CPPUNIT_ASSERT(framing("GET", {"HTTP/1.1 200 OK", "Content-Length: 0"}).kind == Kind::none);
    CPPUNIT_ASSERT(framing("GET", {"HTTP/1.1 200 OK", "Transfer-Encoding: Chunked"}).kind == Kind::chunked);
    CPPUNIT_ASSERT(framing("GET", {"HTTP/1.1 200 OK"}).kind == Kind::until_close);
    CPPUNIT_ASSERT(framing("HEAD", {"HTTP/1.1 200 OK", "Content-Length: 12"}).kind == Kind::none);
    CPPUNIT_ASSERT(framing("GET", {"HTTP/1.1 204 No Content"}).kind == Kind::none);
    CPPUNIT_ASSERT(framing("GET", {"HTTP/1.1 304 Not Modified", "Content-Length: 12"}).kind == Kind::none);
  }

  void refuses_contradicting_lengths() {
    CPPUNIT_ASSERT_THROW(framing("GET", {"HTTP/1.1 200 OK", "Content-Length: 1", "Content-Length: 2"}), BadAnswer);
    CPPUNIT_ASSERT_THROW(framing("GET", {"HTTP/1.1 200 OK", "Content-Length: -1"}), BadAnswer);
    CPPUNIT_ASSERT_THROW(framing("GET", {"HTTP/1.1 200 OK", "Content-Length: 99999999999999999999"}), BadAnswer);
    CPPUNIT_ASSERT_THROW(framing("GET", {"HTTP/1.1 200 OK", "Content-Length:"}), BadAnswer);
    CPPUNIT_ASSERT_THROW(framing("GET", {"HTTP/1.1 200 OK", "Content-Length: 1", "Transfer-Encoding: chunked"}),
                         BadAnswer);
    CPPUNIT_ASSERT_THROW(framing("GET", {"HTTP/1.1 200 OK", "Transfer-Encoding: gzip, chunked"}), BadAnswer);
  }

  void chunk_sizes() {
    CPPUNIT_ASSERT_EQUAL(std::uint64_t(0x1aF), http::parse_chunk_size("1aF"));
    CPPUNIT_ASSERT_EQUAL(std::uint64_t(16), http::parse_chunk_size("10 ; name=value"));
    for (const char* line : {"", "x", "-1", "0x10", "11111111111111111", "1 2", ";a"}) {
      CPPUNIT_ASSERT_THROW_MESSAGE(line, http::parse_chunk_size(line), BadAnswer);
    }
  }

  void keep_alive_timeouts() {
    CPPUNIT_ASSERT(http::keep_alive_timeout({{"Keep-Alive", "max=100, timeout=5"}}) == 5u);
    CPPUNIT_ASSERT(!http::keep_alive_timeout({{"Keep-Alive", "timeout=x"}}));
    CPPUNIT_ASSERT(!http::keep_alive_timeout({}));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(Http1Test);

}  // namespace
