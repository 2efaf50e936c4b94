// Single values as administrators type them: GUIDs, domains, addresses, URLs, dates. Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "mail/health.h"

namespace m365 {

std::string_view trimmed(std::string_view text);         ///< without blanks and line breaks at either end
std::string lower(std::string_view text);                ///< ASCII only
bool same_text(std::string_view a, std::string_view b);  ///< without regard to ASCII case

bool is_guid(std::string_view text);
/// "contoso.com": at least two labels of letters, digits and hyphens (RFC 1123, section 2.1).
bool is_domain(std::string_view text);
/// One "@" with something on both sides and no blank; whether the mailbox exists is the service's to say.
bool is_email(std::string_view text);

/// Digits only; nullopt for anything else and for what does not fit.
std::optional<std::uint64_t> parse_number(std::string_view text);
/// "2026-01-31", at 00:00 UTC.
std::optional<mail::WallTime> parse_date(std::string_view text);
/// RFC 3339, with "Z" or an offset.
std::optional<mail::WallTime> parse_rfc3339(std::string_view text);
std::string format_date(mail::WallTime time);  ///< "2026-01-31", UTC

struct UrlParts {
  std::string scheme;                 ///< lower case
  std::string user_info, host, port;  ///< host with its brackets when it is an IPv6 address; port empty when not named
  std::string path;                   ///< from the first "/", without query and fragment
  bool has_query = false;             ///< or a fragment
};
/// nullopt when it is not "scheme://host[:port]..." with a sound host and a port from 1 to 65535.
std::optional<UrlParts> split_url(std::string_view text);

}  // namespace m365
