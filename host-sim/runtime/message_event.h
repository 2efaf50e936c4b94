// The `message` event of the contract, section 4.
#ifndef HOST_SIM_RUNTIME_MESSAGE_EVENT_H_
#define HOST_SIM_RUNTIME_MESSAGE_EVENT_H_

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "configurator/configuration.h"
#include "runtime/parts.h"
#include "runtime/received_mail.h"

namespace runtime {

// What the host adds to a mail from its own books.
struct HostView {
  std::string thread_key;
  std::optional<std::string> report_key;  // the key of our reply that a report speaks of
};

// The names of the flags that the contract lists, in its order.
std::vector<std::string> names_of_flags(uint32_t flags);

// First Reference, else the mail's own Message-ID; empty when it has neither.
std::string thread_of(const ReceivedMail& mail);

// Without the keys "event", "time", "redelivered" and "verdict", which belong to one call and not to the mail. Takes
// the mail's texts over: move what is not needed any more.
base::Json message_keys(const configurator::Address& address, ReceivedMail mail, StoredParts parts, HostView view);

// The whole event in the contract's order; takes `keys` over likewise.
base::Json message_event(base::Json keys, bool redelivered, const std::string& verdict, std::int64_t now_unix_ms);

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_MESSAGE_EVENT_H_
