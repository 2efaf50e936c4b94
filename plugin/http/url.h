// The parts of a URL that a request needs. Path and query stay as they were written: they carry skip tokens and
// signatures that only the server may read (graph-mail.md, section 2), so no library gets to re-encode them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace http {

struct Url {
  bool secure = true;      ///< https
  std::string host;        ///< lower case; an IPv6 literal without its brackets
  bool address = false;    ///< host is an IP literal: no SNI (RFC 6066, section 3), certificate compared by address
  std::uint16_t port = 0;  ///< the scheme's default when not written
  std::string userinfo;    ///< as written, still percent-encoded; nearly always empty
  std::string target;      ///< path and query as written, at least "/"

  std::string authority() const;  ///< host[:port], the port only when it is not the scheme's
  std::string host_port() const;  ///< host:port
};

/// nullopt when `text` is not an absolute http(s) URL, or holds blanks or control characters.
std::optional<Url> parse_url(std::string_view text);

/// Undoes %XX; nullopt when a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

}  // namespace http
