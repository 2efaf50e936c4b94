// Bytes of any charset to UTF-8. What cannot be converted is replaced, never lost as a whole.
#pragma once

#include <string>
#include <string_view>

namespace mime {

bool is_utf8(std::string_view bytes);

/// Every byte that is not part of well-formed UTF-8 becomes U+FFFD.
std::string repair_utf8(std::string_view bytes);

/// `charset` as a mail names it (case, quotes and common misnames do not matter). Well-formed UTF-8 comes out in any
/// case. Empty or unknown charset: UTF-8 when the bytes are that, else windows-1252 (which every byte has a meaning
/// in).
std::string to_utf8(std::string_view bytes, std::string_view charset);

}  // namespace mime
