// What Graph knows of a message -> MIME, and the small changes that transport makes to MIME.
#ifndef HOST_SIM_M365_MIME_WRITE_H_
#define HOST_SIM_M365_MIME_WRITE_H_

#include <string>
#include <string_view>
#include <vector>

#include "m365/world/message.h"

namespace embedded {

// A whole message with CRLF, Bcc not written. Needs from, internet_message_id and sent_time.
std::string write_mime(const Message& message);

// An encoded header value (RFC 2047 where it is not plain ASCII; line breaks become blanks, so nothing can be
// injected).
std::string encode_header(std::string_view text);
std::string format_address(const Address& address);
std::string format_addresses(const std::vector<Address>& addresses);

// The client's own MIME as it leaves: From, Message-ID and Date set, Bcc and the headers that do not survive removed
// (graph-mail.md section 10.3).
std::string leaving_mime(std::string_view mime, const Message& message);

// Fields put in front of a mail.
std::string with_headers(const HeaderList& fields, std::string_view mime);

}  // namespace embedded

#endif  // HOST_SIM_M365_MIME_WRITE_H_
