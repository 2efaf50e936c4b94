// HTTP/1.1 on the wire (RFC 9112): pure functions, no I/O. Our own and not Poco's, because Poco 1.11 ends the header at
// a byte 0xFF and cannot tell a cut chunked body from a complete one (feasibility.md, 2.5, points 3 and 7).
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "http/message.h"
#include "http/url.h"

namespace http {

/// The peer does not speak HTTP as the RFC has it; what() completes "SERVER ...".
class BadAnswer : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Request line and header, blank line included. Content-Length is written for every method but GET, HEAD and DELETE,
/// and for these too when there is a body. Throws std::invalid_argument for a method, name or value that would break
/// the lines. What it returns can take `room_for_body` more bytes without moving.
std::string write_head(const Request& request, const Url& url, std::size_t room_for_body = 0);

struct Head {
  int status = 0;
  bool persistent = false;  ///< the connection stays open after the body, if the body has an end of its own
  Headers headers;
};

/// Takes the lines of a head one by one, without their line ends, the blank line last.
class HeadReader {
 public:
  /// True when the head is complete. Throws BadAnswer.
  bool take(std::string_view line);
  Head head() &&;

 private:
  Head head_;
  int minor_ = -1;                       // of "HTTP/1.x"; -1 before the status line
  std::optional<Headers::Field> field_;  // may still be continued by a folded line
};

/// How the end of a body is found (RFC 9112, section 6.3).
struct Framing {
  enum class Kind { none, length, chunked, until_close } kind = Kind::none;
  std::uint64_t length = 0;
};
/// Throws BadAnswer where the header contradicts itself.
Framing framing_of(std::string_view method, const Head& head);

/// Size in a chunk's first line, extensions ignored. Throws BadAnswer.
std::uint64_t parse_chunk_size(std::string_view line);

/// Seconds of "Keep-Alive: timeout=N".
std::optional<unsigned> keep_alive_timeout(const Headers& headers);

}  // namespace http
