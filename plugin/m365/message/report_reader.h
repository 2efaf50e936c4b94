// What a delivery report or read receipt says: from its MIME form, or from the text that is left of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/message/message_row.h"
#include "m365/message/thread_headers.h"
#include "mail/mail.h"
#include "mime/entity.h"

namespace m365 {

/// Whom a report cannot be about: found in its text, they are passed over.
struct ReportText {
  const MessageRow& row;
  std::string_view queue_address;
  std::string_view text;  ///< plain text, or html with `html`
  bool html = false;
};

/// Reads the report parts of a MIME mail; their `start` was kept (attachment_mime.h). `flags` gains bounce or
/// read_receipt when a part proves it, and loses bounce when every recipient was reached or the report is an abuse
/// report. nullopt when no such part is there.
///  - kind: of the first recipient that failed, else was delayed, else of the first. A receipt that does not say
///    "displayed" tells that the mail arrived, not that it was read: delivered.
///  - status: RFC 3463; of a receipt its disposition type ("displayed", "deleted").
std::optional<mail::Report> read_report(const std::vector<mime::Entity>& parts, std::uint32_t& flags);

/// message/delivery-status, message/disposition-notification and their relatives.
bool is_status(const mime::Entity& entity);

/// For bounces without report parts: recipient, status and original Message-ID as far as headers and text tell.
mail::Report read_report_text(const ReportText& source);

/// The id of the mail that this one answers by its headers (In-Reply-To, References, Exchange's parent id); empty:
/// none.
std::string answered_message_id(const HeaderList& headers);

}  // namespace m365
