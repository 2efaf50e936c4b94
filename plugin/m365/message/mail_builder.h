// From what Graph says to the mail that the host receives: classification, threading, parts, report.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "m365/graph/graph_client.h"
#include "m365/message/message_row.h"
#include "m365/settings/server_settings.h"
#include "mail/mail.h"

namespace m365 {

/// Where the mail stands and what may be asked about it.
struct MailContext {
  GraphClient& graph;
  const MailboxSettings& mailbox;
  std::string folder_name;  ///< as the service shows it
  std::string stable_id;
  std::stop_token stop;
  /// The key of our own submission that left with this Message-ID; empty when none.
  std::function<std::string(const std::string& internet_message_id)> key_of_sent;
};

struct BuiltMail {
  mail::Mail mail;
  bool scan_pending = false;       ///< Safe Attachments placeholders stand in for attachments (exchange-admin.md, 10)
  std::string attachments_digest;  ///< changes when attachments are replaced
};

/// GET of one message with all that build_mail needs. A body that the service cannot give (ErrorItemCorrupt and its
/// relatives) is left out, and "body" is listed in `unreadable`: what is there can still be delivered. Throws
/// GraphError (not_found(): gone), FaultError.
MessageRow fetch_message(GraphClient& graph, const MailboxSettings& mailbox, const std::string& message_id,
                         std::stop_token stop);

/// Lists attachments when there are any (has_attachments, or "cid:" in the html), reads $value for the few mails whose
/// JSON hides what is inside (signed, reports, meetings), decides flags (exchange-admin.md, 9 to 14), delivered_to,
/// links. Bytes of parts are fetched only when a part is opened. `row` must be complete(). Throws GraphError,
/// FaultError.
BuiltMail build_mail(const MailContext& context, const MessageRow& row);

}  // namespace m365
