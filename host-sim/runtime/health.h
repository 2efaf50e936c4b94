// What a server or a mailbox says of its state.
#ifndef HOST_SIM_RUNTIME_HEALTH_H_
#define HOST_SIM_RUNTIME_HEALTH_H_

#include <cstdint>
#include <string>

#include "base/json.h"
#include "mailplugin/mailplugin.h"

namespace runtime {

struct Health {
  uint32_t state = MAILPLUGIN_STOPPED, cause = MAILPLUGIN_CAUSE_NONE, retry_after_ms = 0;
  std::int64_t since_unix_ms = 0, last_success_unix_ms = 0;
  std::string message, code, request_id;
};

Health copy_of(const mailplugin_health& health);

// "ready", "secret_refused": the header's words in lower case; "unknown" for one of a later version.
std::string name_of_state(uint32_t state);
std::string name_of_cause(uint32_t cause);

// True when waiting does not help: a person has to change something, here or at the service.
bool needs_administrator(const Health& health);

// The `health` event of the contract. `queue` and `address` are empty for the server itself.
base::Json health_event(const Health& health, const std::string& server, const std::string& queue,
                        const std::string& address, std::int64_t now_unix_ms);

// One line for people: the message with code and request id.
std::string sentence(const Health& health);

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_HEALTH_H_
