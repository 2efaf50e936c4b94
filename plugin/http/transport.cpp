#include "http/transport.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

namespace http {
namespace {

constexpr std::size_t first_piece = 16 * 1024;
constexpr std::size_t trusted_announcement = 256 * 1024;

/// What Content-Length announces, 0 when it says nothing.
std::uint64_t announced(const Headers& headers) {
  std::uint64_t size = 0;
  if (const std::string* const text = headers.find("Content-Length")) {
    std::from_chars(text->data(), text->data() + text->size(), size);
  }
  return size;
}

[[noreturn]] void too_large(std::size_t limit) {
  throw TransportError(TransportError::Kind::too_large, true,
                       "the answer is larger than " + std::to_string(limit) + " bytes");
}

}  // namespace

const char* name_of(TransportError::Kind kind) {
  using Kind = TransportError::Kind;
  switch (kind) {
    case Kind::name:
      return "name";
    case Kind::refused:
      return "refused";
    case Kind::tls:
      return "tls";
    case Kind::proxy:
      return "proxy";
    case Kind::timeout:
      return "timeout";
    case Kind::cut:
      return "cut";
    case Kind::too_large:
      return "too_large";
    case Kind::cancelled:
      return "cancelled";
    case Kind::throttled:
      return "throttled";
    case Kind::origin:
      return "origin";
  }
  return "unknown";
}

Response read_whole(Exchange& exchange, std::size_t limit) {
  exchange.limit_total();
  Response response;
  response.status = exchange.status();
  response.headers = exchange.headers();
  const std::uint64_t size = announced(response.headers);
  if (size > limit) too_large(limit);
  // One byte more than announced, so that the read which says "complete" needs no room of its own. An announcement is
  // trusted only so far: beyond it memory grows with what arrives.
  response.body.resize(
      static_cast<std::size_t>(std::min<std::uint64_t>(size ? size + 1 : first_piece, trusted_announcement)));
  std::size_t used = 0;
  while (const std::size_t got = exchange.read(response.body.data() + used, response.body.size() - used)) {
    used += got;
    if (used > limit) too_large(limit);
    if (used == response.body.size()) response.body.resize(used * 2);
  }
  response.body.resize(used);
  // Some servers put it in front of what they write as UTF-8; to a reader of JSON it is no part of the text (RFC 8259,
  // section 8.1).
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (response.body.starts_with(byte_order_mark)) response.body.erase(0, byte_order_mark.size());
  return response;
}

}  // namespace http
