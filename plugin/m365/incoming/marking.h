// What after_fetch and rejected do in the mailbox, after the receipt is on disk and never before.
#pragma once

#include <string>
#include <vector>

#include "m365/incoming/stream.h"

namespace m365 {

/// Receipt::pending_mark of a mail the host accepted; empty: nothing to do.
std::string accepted_mark(const MailboxSettings& settings, bool receipt_requested);
/// The same of a rejected one.
std::string rejected_mark(const MailboxSettings& settings);

/// One mark of one stream, on its way.
struct MarkJob {
  StreamPtr stream;
  store::Mark mark;
  GraphRequest request;
};

/// Up to `most` marks that are due. Finds or makes the folders they move to, which may ask the service; throws then.
/// Only the marking half.
std::vector<MarkJob> collect_marks(const StreamPtr& stream, std::size_t most);
/// The id, or well-known name, of the folder that rejected mails are moved to; made when missing. Any half. Throws as
/// collect_marks().
std::string rejected_folder(Stream& stream);
/// True when collect_marks() would ask the service nothing: the stream can share a batch.
bool marks_ready(Stream& stream);
/// Sends them, alone or as a batch, and writes what is done. True: all done.
bool send_marks(IncomingCore& core, GraphClient& graph, std::vector<MarkJob> jobs, std::stop_token stop);

}  // namespace m365
