// Small text tools every other file uses. All of them are pure and may be called from any thread.
#ifndef HOST_SIM_M365_TEXT_H_
#define HOST_SIM_M365_TEXT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace embedded {

// ASCII only: what protocols compare "without regard to case" is ASCII.
std::string lower(std::string_view text);
bool equal_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view start);
bool contains_ignoring_case(std::string_view text, std::string_view part);
std::string_view trim(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string replace_all(std::string_view text, std::string_view what, std::string_view with);

int hex_value(char c);  // -1: no hex digit
// %XX only; a malformed escape stays as it is. `plus_is_space` is for form bodies and query strings of forms.
std::string percent_decode(std::string_view text, bool plus_is_space = false);
// Everything but the unreserved characters of RFC 3986 is escaped.
std::string percent_encode(std::string_view text);

// Standard alphabet with padding, in one line.
std::string base64_encode(std::string_view bytes);
// Strict: standard alphabet, right padding, nothing after it; line breaks and blanks are skipped only when `lenient`.
std::optional<std::string> base64_decode(std::string_view text, bool lenient = false);
// '-' and '_'. `pad` keeps the '=' (Exchange's ids have it, JWTs do not).
std::string base64url_encode(std::string_view bytes, bool pad = false);
std::optional<std::string> base64url_decode(std::string_view text);

std::string random_bytes(std::size_t count);
std::string new_guid();                                    // version 4, lower case
bool is_guid(std::string_view text);                       // 8-4-4-4-12 hex digits
std::string sha256(std::string_view bytes);                // 32 bytes
std::string sha256_hex(std::string_view bytes);            // 64 lower-case digits
bool same_secret(std::string_view a, std::string_view b);  // in constant time

bool is_utf8(std::string_view text);
// Valid UTF-8 stays; anything else is read as windows-1252 where the whole is not UTF-8 (what mail programs do).
std::string to_utf8(std::string_view bytes);
// The first `characters` code points, never cutting one.
std::string_view utf8_prefix(std::string_view text, std::size_t characters);
// Every line end as CRLF.
std::string with_crlf(std::string_view text);

}  // namespace embedded

#endif  // HOST_SIM_M365_TEXT_H_
