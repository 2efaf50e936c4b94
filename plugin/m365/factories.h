// All that boundary/ sees of this room.
#pragma once

#include <memory>
#include <vector>

#include "mail/servers.h"
#include "mail/settings.h"

namespace m365 {

class Environment;

/// Check the settings and make a stopped server; touch no network and no disk. nullptr: told to `problems`.
/// `environment` and `listener` must outlive the server.
std::unique_ptr<mail::IncomingServer> create_incoming(Environment& environment, const mail::Settings& settings,
                                                      mail::ServerListener& listener, mail::Problems& problems);
std::unique_ptr<mail::OutgoingServer> create_outgoing(Environment& environment, const mail::Settings& settings,
                                                      mail::ServerListener& listener, mail::Problems& problems);

const std::vector<mail::Field>& incoming_form();
const std::vector<mail::Field>& outgoing_form();

}  // namespace m365
