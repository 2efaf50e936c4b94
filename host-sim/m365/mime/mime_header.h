// Mail headers: fields, encoded words, addresses, parameters.
//
// Read here and not by GMime, whose decoder loses the second of two padded encoded words (its issue 133) and keeps the
// charset prefix of RFC 2231 continuations that come out of order.
#ifndef HOST_SIM_M365_MIME_HEADER_H_
#define HOST_SIM_M365_MIME_HEADER_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/world/message.h"

namespace embedded {

struct HeaderBlock {
  HeaderList fields;     // unfolded; raw bytes otherwise
  std::size_t body = 0;  // where the body begins in the text

  const std::string* find(std::string_view name) const;
};

// Reads fields up to the first blank line. A line that is no field ends the block, as Exchange and others do; an mbox
// "From " line in front is skipped.
HeaderBlock read_header_block(std::string_view text);

// Bytes of a charset as UTF-8. Unknown charsets and bytes that do not fit never fail: what cannot be read becomes
// U+FFFD.
std::string charset_to_utf8(std::string_view bytes, std::string_view charset);

// RFC 2047 words decoded, neighbours of one charset joined before decoding (a character may be cut between them); the
// rest as UTF-8 or windows-1252.
std::string decode_words(std::string_view value);

// The mailboxes of an address list, groups opened, comments dropped, names decoded.
std::vector<Address> parse_addresses(std::string_view value);

// "text/plain; charset=x" -> first value in lower case and its parameters (names in lower case, RFC 2231 and 2047
// decoded).
struct Parameterised {
  std::string value;
  std::map<std::string, std::string> parameters;
};
Parameterised parse_parameters(std::string_view value);

// Every <...> of a References or In-Reply-To, brackets kept.
std::vector<std::string> message_ids(std::string_view value);

}  // namespace embedded

#endif  // HOST_SIM_M365_MIME_HEADER_H_
