// Parts out of a mail's MIME form ("/$value"), for the few mails whose JSON hides what is inside. The form is never
// held: a first reading keeps what the mail consists of and its small parts, larger ones are read again when they are
// opened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "m365/message/mail_builder.h"
#include "mail/mail.h"
#include "mime/outline.h"

namespace m365 {

/// What an undecided mail holds of its inside, in bytes, whatever its size (architecture, section 2.7).
constexpr std::size_t most_text_kept = 1024 * 1024;        ///< of its text, and of its html; a longer one is a part
constexpr std::size_t most_attachments_kept = 256 * 1024;  ///< of all attachments; signatures have some 5 KB
constexpr std::size_t most_status_kept = 256 * 1024;       ///< of the report itself: a thousand recipients
constexpr std::size_t most_returned_kept = 64 * 1024;      ///< of the mail that came back: its headers

enum class MimeReading {
  whole,
  enough,    ///< `enough` said so
  too_long,  ///< more than the limit
  damaged,   ///< the service cannot give the item in this form
};

/// Reads /$value until its end, until `enough` (asked after each piece), or beyond `limit` bytes. Throws GraphError,
/// FaultError.
MimeReading read_mime(const MailContext& context, const std::string& message_id, std::uint64_t limit,
                      mime::OutlineReader& reader, const std::function<bool()>& enough = {});

/// What a clear-signed mail holds: its first text and html (UTF-8), everything else as attachments, the signature too.
struct SignedContent {
  MimeReading reading = MimeReading::whole;
  std::uint64_t size = 0;  ///< of the MIME form
  std::optional<std::string> text, html;
  std::vector<mail::Part> attachments;
};

/// nullopt: nothing signed is inside, or not all of it can be told (more parts than mime::Limits): the JSON form is to
/// be used. Throws GraphError, FaultError.
std::optional<SignedContent> read_signed(const MailContext& context, const std::string& message_id,
                                         std::uint64_t limit);

/// The first text/calendar part as attachment "invite.ics"; nullopt when there is none within `limit` bytes. Throws
/// GraphError, FaultError.
std::optional<mail::Part> read_calendar(const MailContext& context, const std::string& message_id, std::uint64_t limit);

}  // namespace m365
