// Is this a mail that can be sent at all? Decided before it is taken, without network and disk.
#pragma once

#include <string>
#include <string_view>

#include "mail/mail.h"

namespace m365 {

/// A sentence that says what is wrong and where ("to[2].address: ..."); empty when nothing is.
std::string submission_problem(const mail::Mail& mail, std::string_view sending_mailbox);

/// The mailbox in Graph's path: the configured one, else the mail's, else that of its author; empty when none is named.
std::string sending_mailbox(const mail::Mail& mail, const std::string& configured);

}  // namespace m365
