// What hangs on a mail: the list, and a part for each entry.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "m365/message/mail_builder.h"
#include "m365/message/message_row.h"
#include "mail/mail.h"

namespace m365 {

/// GET .../attachments, all pages (graph-mail.md, section 9). Throws GraphError, FaultError.
std::vector<AttachmentRow> list_attachments(const MailContext& context, const std::string& message_id);

/// The path of a message below /v1.0, everything encoded.
std::string message_path(const MailboxSettings& mailbox, const std::string& message_id);
/// A GET of this message for the log and the gate; `path` as GraphRequest::path.
GraphRequest message_request(const MailboxSettings& mailbox, std::string path, std::string operation);

/// The service holds this item and cannot give it in this form (ErrorItemCorrupt, ErrorCorruptData,
/// ErrorContentConversionFailed): what it can give is to be had by asking for less (graph-mail.md, section 16).
bool is_damaged(const GraphError& error);

/// One part for each row. Inline is what the html shows by "cid:" (isInline is not reliable by itself); a picture that
/// is inline and shown nowhere would be lost to the reader, so it is an attachment. With `may_look` the first bytes of
/// item attachments are read where the list does not say what they are. Throws GraphError, FaultError.
std::vector<mail::Part> attachment_parts(const MailContext& context, const std::string& message_id,
                                         const std::vector<AttachmentRow>& rows, std::string_view html, bool may_look);

/// Changes when attachments are replaced: a hash over name, size, type and id of all; never empty.
std::string attachments_digest(const std::vector<AttachmentRow>& rows);

/// Bytes of all, as Graph counts them; unknown ones count as nothing.
std::uint64_t attachments_size(const std::vector<AttachmentRow>& rows);

/// The content ids an html body refers to by "cid:", percent-decoded and in lower case, sorted.
std::vector<std::string> content_ids_shown(std::string_view html);

}  // namespace m365
