// Small questions about text, without regard to locale.
#pragma once

#include <string>
#include <string_view>

namespace m365 {

/// ASCII lower case: mailbox names and header names are compared without case.
std::string lower_case(std::string text);
bool equal_without_case(std::string_view a, std::string_view b);

/// RFC 3629: no overlong forms, no surrogates.
bool valid_utf8(std::string_view text);
/// What a JSON string may hold and Exchange stores: each byte that is not UTF-8 becomes U+FFFD, each control character
/// but tab and line ends a space.
std::string clean_text(std::string_view text);
/// The same on one line: folded subjects and names are unfolded.
std::string clean_line(std::string_view text);
/// For a log line: without control characters, so that a key cannot forge a line.
std::string for_log(std::string_view text);

}  // namespace m365
