// A transport as the tests for the wire use it.
#pragma once

#include <cppunit/TestAssert.h>

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include "http/poco_transport.h"
#include "mail/clock.h"
#include "test_ca.h"

namespace test {

class Client {
 public:
  explicit Client(http::TransportOptions options = {shared_ca().file(), {}, 16})
      : transport_(http::make_poco_transport(std::move(options), mail::system_clock())) {}

  static http::Request request(const std::string& url, const std::string& method = "GET",
                               const std::string& body = {}) {
    http::Request request;
    request.method = method;
    request.url = url;
    request.body = body;
    request.headers.add("Authorization", "Bearer secret");
    return request;
  }

  std::unique_ptr<http::Exchange> open(const http::Request& request) { return transport_->open(request, limits, stop); }

  http::Response send(const http::Request& request) {
    const auto exchange = open(request);
    return http::read_whole(*exchange, 100'000'000);
  }
  http::Response get(const std::string& url) { return send(request(url)); }

  /// Fails the test when there is none.
  http::TransportError error_of(const http::Request& request) {
    try {
      send(request);
    } catch (const http::TransportError& error) {
      return error;
    }
    CPPUNIT_FAIL("no error");
    return http::TransportError(http::TransportError::Kind::cut, false, "unreachable");
  }
  http::TransportError error_of(const std::string& url) { return error_of(request(url)); }

  http::TimeLimits limits;
  std::stop_token stop;

 private:
  std::shared_ptr<http::Transport> transport_;
};

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}
inline bool has(const http::TransportError& error, const std::string& part) {
  return has(std::string(error.what()), part);
}

}  // namespace test
