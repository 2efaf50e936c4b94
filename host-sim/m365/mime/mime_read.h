// A mail as MIME -> what Graph shows of it.
#ifndef HOST_SIM_M365_MIME_READ_H_
#define HOST_SIM_M365_MIME_READ_H_

#include <string>
#include <string_view>

#include "m365/world/message.h"

namespace embedded {

// Reads any bytes; never throws for what is in them. Line ends are made CRLF, and an mbox "From " line in front is
// dropped, for the `mime` that is kept. What is classified: delivery reports and read receipts (message class REPORT.*,
// the machine-readable part hidden), S/MIME (only smime.p7m is shown), meeting mail, message/rfc822 as item
// attachments.
Content read_mime(std::string_view mime);

// internetMessageHeaders of a mail that travelled: wire order, unfolded, values as on the wire. Read from `mime` each
// time, for they are large and seldom asked. Empty for what never travelled.
HeaderList transport_headers(const Content& content);

}  // namespace embedded

#endif  // HOST_SIM_M365_MIME_READ_H_
