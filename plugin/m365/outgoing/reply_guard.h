// The guard against reply loops: two answering machines that answer each other (exchange-admin.md, section 13).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "m365/settings/server_settings.h"
#include "mail/mail.h"
#include "store/store.h"

namespace m365 {

/// Whom an address belongs to, as far as the guard is concerned. Some answering machines write from an address of its
/// own in every mail, so flags and equal addresses are not enough (what-users-ask.md, P6): what comes after a plus
/// (RFC 5233) is left out, and a number that stands apart from other text before the @ ("case-10293@", "reply.7@")
/// counts as every number. Addresses that are one number are people of certain providers, and stay as they are.
std::string correspondent_of(std::string_view address);

/// Why an automatic answer (mail::auto_submitted) may not leave now; nullopt: it may, and is noted, once a key. A mail
/// that is not automatic always may. `mailbox` sends where `mail` has no from. Throws FaultError (Cause::state_disk).
std::optional<std::string> loop_problem(store::Store& store, const AutomaticLimit& limit, const std::string& server,
                                        const std::string& mailbox, const mail::Mail& mail);

}  // namespace m365
