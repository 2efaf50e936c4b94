// Handing one mail to the host.
#pragma once

#include <optional>
#include <string>

#include "m365/incoming/stream.h"

namespace m365 {

store::Fingerprint fingerprint_of(const MailboxSettings& settings, const MessageRow& row);
/// The mail's identity for ever, as the host sees it.
std::string stable_id(const Stream& stream, const Arrival& arrival);

/// Reads what is missing of the mail, builds it, hands it over and does what the verdict says. Whatever concerns this
/// mail alone ends here (it is set aside); what concerns the mailbox is thrown, and the mail stays as it was: on disk
/// as set aside. Only the fetch half. Throws GraphError, mail::FaultError.
void deliver(Stream& stream, Arrival& arrival);

/// One message, as build_mail wants it; nullopt when the service says it is not there.
std::optional<MessageRow> fetch_row(Stream& stream, const std::string& message_id);

}  // namespace m365
