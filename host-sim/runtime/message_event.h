// The `message` event of the contract, section 4.
#ifndef HOST_SIM_RUNTIME_MESSAGE_EVENT_H_
#define HOST_SIM_RUNTIME_MESSAGE_EVENT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "configurator/configuration.h"
#include "mailplugin/mailplugin.h"
#include "runtime/parts.h"

namespace runtime {

// What the host adds to a mail from its own books.
struct HostView {
  std::string thread_key;
  std::optional<std::string> report_key;  // the key of our reply that a report speaks of
};

// First Reference, else the mail's own Message-ID; empty when it has neither.
std::string_view thread_of(const mailplugin_message& mail);

// Without the keys "event", "time", "redelivered" and "verdict", which belong to one call and not to the mail.
struct MessageKeys {
  std::string json;        // an object
  std::size_t id_end = 0;  // where its member "delivery_id" ends, behind which "redelivered" belongs
};

// Written as text at once: nearly every mail is received, stored and told without a look at one of its keys.
MessageKeys message_keys(const configurator::Address& address, const mailplugin_message& mail, const StoredParts& parts,
                         const HostView& view);

// Appends the whole event in the contract's order, with the end of its line. `keys` and `id_end` as in MessageKeys.
void append_message_line(std::string& out, std::string_view keys, std::size_t id_end, bool redelivered,
                         std::string_view verdict, std::int64_t now_unix_ms);

// The whole event of a mail that was read back.
base::Json message_event(base::Json keys, bool redelivered, const std::string& verdict, std::int64_t now_unix_ms);

// As much of the event as one line for a person says.
base::Json message_glance(const configurator::Address& address, const mailplugin_message& mail,
                          const StoredParts& parts);

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_MESSAGE_EVENT_H_
