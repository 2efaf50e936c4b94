#include "http/transport.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <string_view>

#include "mail/secret.h"

namespace http {
namespace {

constexpr std::size_t piece_size = 16 * 1024;  // what one TLS record carries
constexpr std::size_t trusted_announcement = 4u << 20;
constexpr std::size_t room_behind = 64;  // parsers read a few bytes past the end; this spares them a copy

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
  // An announcement is trusted only so far: beyond it memory grows with what arrives.
  if (size > 0) {
    response.body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(size, trusted_announcement)) + room_behind);
  }
  std::array<char, piece_size> piece;
  while (const std::size_t got = exchange.read(piece.data(), piece.size())) {
    if (response.body.size() + got > limit) too_large(limit);
    response.body.append(piece.data(), got);
  }
  mail::wipe(piece.data(), piece.size());  // it may have been a token's answer
  // Some servers put it in front of what they write as UTF-8; to a reader of JSON it is no part of the text (RFC 8259,
  // section 8.1).
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (response.body.starts_with(byte_order_mark)) response.body.erase(0, byte_order_mark.size());
  return response;
}

}  // namespace http
