// One job an account, not one a stream: keeps its token fresh, asks the host for a repaired secret, and says how the
// server is (architecture, section 5).
#pragma once

#include <memory>
#include <stop_token>
#include <vector>

#include "m365/incoming/incoming_core.h"

namespace m365 {

/// Returns when to call again. `repaired` is set when a new credential was taken: the account's streams need not wait
/// for the end of their back-off. Never throws.
std::chrono::milliseconds keep_signed_in(IncomingCore& core, Account& account, std::stop_token stop, bool& repaired);

/// The server's health: the worst of its accounts, and the end of the secret that draws near.
void show_server_health(IncomingCore& core, const std::vector<std::shared_ptr<Account>>& accounts);

}  // namespace m365
