// mailplugin.check/1 over mail::Server.
#pragma once

#include <cstdint>

#include "mail/log.h"
#include "mail/servers.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

/// Looks at `server` (mailbox null: at the server itself) for at most `deadline_ms`. Returns as mailplugin_check::look.
mailplugin_status check(mail::Server& server, mail::Log& log, const mailplugin_settings* mailbox,
                        std::uint32_t deadline_ms, const mailplugin_findings* findings,
                        const mailplugin_problems* problems);

}  // namespace boundary
