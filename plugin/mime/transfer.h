// Content-Transfer-Encoding (RFC 2045, section 6) undone. Tolerant: what is no code is passed over.
#pragma once

#include <string>
#include <string_view>

namespace mime {

std::string decode_base64(std::string_view text);
std::string decode_quoted_printable(std::string_view text);
/// RFC 2047, section 4.2: "_" is a blank.
std::string decode_q(std::string_view text);
/// "%41" is "A" (RFC 3986, RFC 2231); what is no such code stays.
std::string decode_percent(std::string_view text);
/// The first file between "begin" and "end"; empty when there is none.
std::string decode_uuencode(std::string_view text);

/// `encoding` as the header has it, any case. Unknown ones (and 7bit, 8bit, binary): the bytes as they stand.
std::string decode_transfer(std::string_view text, std::string_view encoding);

}  // namespace mime
