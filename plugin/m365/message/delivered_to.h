#pragma once

#include <string>
#include <string_view>

#include "m365/message/message_row.h"

namespace m365 {

/// The address or alias a mail came by: the queue's address where it stands in To or Cc, else what a transport wrote
/// (Delivered-To, X-Original-To, Envelope-To; the "for" clause of the topmost Received), else empty. `mailbox_user` is
/// the mailbox in Graph's path: To or Cc naming it count too, when it is an address.
std::string delivered_to(const MessageRow& row, std::string_view queue_address, std::string_view mailbox_user);

}  // namespace m365
