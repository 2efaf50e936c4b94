// Codes of short texts undone: header words and parameters. Tolerant: what is no code is passed over.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace mime {

std::string decode_base64(std::string_view text);
/// RFC 2047, section 4.2: "_" is a blank.
std::string decode_q(std::string_view text);
/// "%41" is "A" (RFC 3986, RFC 2231); what is no such code stays.
std::string decode_percent(std::string_view text);
/// The byte that the two hexadecimal digits at `at` stand for; -1 where there are none.
int hex_pair(std::string_view text, std::size_t at);

/// A whole body, as make_decoder() (decoder.h) reads it.
std::string decode_transfer(std::string_view text, std::string_view encoding);

}  // namespace mime
