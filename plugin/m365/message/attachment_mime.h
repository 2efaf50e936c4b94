// Parts out of a mail's MIME form ("/$value"), for the few mails whose JSON hides what is inside.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "m365/message/mail_builder.h"
#include "mail/mail.h"
#include "mime/entity.h"

namespace m365 {

struct MimeForm {
  std::string text;
  bool whole = false;  ///< false: cut at the limit
};

/// Reads /$value up to `limit` bytes. nullopt when the service cannot give it because the item is damaged. Throws
/// GraphError, FaultError.
std::optional<MimeForm> read_mime(const MailContext& context, const std::string& message_id, std::size_t limit);

/// What a clear-signed mail holds: its first text and html (UTF-8), everything else as attachments, the signature too.
struct SignedContent {
  std::optional<std::string> text, html;
  std::vector<mail::Part> attachments;
};

/// Small attachments are kept; larger ones are read from the service again when opened (at most `limit` bytes of MIME
/// at a time in memory), so that an undecided mail does not hold its attachments.
SignedContent signed_content(const MailContext& context, const std::string& message_id, const mime::Entity& root,
                             std::size_t limit);

/// The text/calendar part as attachment "invite.ics"; nullopt when there is none.
std::optional<mail::Part> calendar_part(const mime::Entity& root);

}  // namespace m365
