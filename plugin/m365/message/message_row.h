// What Graph says of a message, decoded. Every property can be missing or null (graph-mail.md, section 3).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mail/mail.h"

namespace m365 {

/// The $select of delta, list and GET: all a mail without attachments needs (architecture, section 3).
extern const char* const message_select;
/// The $select of thin lists: id, isRead, isDraft, receivedDateTime, internetMessageId, from, parentFolderId.
extern const char* const thin_select;

struct MessageRow {
  std::string id;
  bool removed = false;    ///< "@removed"
  std::string odata_type;  ///< "#microsoft.graph.eventMessageRequest" ..., empty for plain ones outside delta
  std::optional<bool> is_read, is_draft, has_attachments, read_receipt_requested;
  std::optional<std::string> subject, internet_message_id, conversation_id, parent_folder_id, importance;
  std::optional<std::string> body_type, body;  ///< "html" or "text"
  std::optional<mail::WallTime> received, sent;
  std::optional<mail::Address> from, sender;
  std::vector<mail::Address> to, cc, bcc, reply_to;
  std::vector<std::pair<std::string, std::string>> headers;
  bool has_headers = false;  ///< the property was there
  /// Names of properties that were there but not as documented. A text with a lone surrogate still has its value, with
  /// U+FFFD in that place (not an id: that has none then); "body" stands here too when fetch_message (mail_builder.h)
  /// had to leave the body out.
  std::vector<std::string> unreadable;
  /// Everything a delivery needs is there: not a row that only tells of a changed flag.
  bool complete() const;
};

struct MessagePage {
  std::vector<MessageRow> rows;
  std::string next_link, delta_link;
  bool broken_links = false;  ///< neither or both: a broken answer (sect. 6), for delta only
};

/// Throws mail::FaultError (service_fault) when the page as a whole cannot be read (not JSON, cut, bytes that are not
/// UTF-8); one broken property of one row costs only that property (it is listed in `unreadable`), one broken row only
/// that row (id kept where it can be read). Any thread.
MessagePage decode_message_page(std::string_view json);
/// The same of an answer's own text, which is not copied: it is given room behind its end, its content stays as it is.
MessagePage decode_message_page_in(std::string& json);
/// One message. Bytes that are not UTF-8 are replaced by U+FFFD here, so that the culprit of a page, asked for alone,
/// can be read. Throws as above, with Remedy::item.
MessageRow decode_message(std::string_view json);

struct AttachmentRow {
  enum class Kind { file, item, reference } kind = Kind::file;
  std::string id, name, content_type, content_id;
  std::string source_url;  ///< of a reference attachment, where the service tells it (v1.0 does not)
  std::int64_t size = -1;  ///< Graph's, with overhead
  bool is_inline = false;
};
struct AttachmentPage {
  std::vector<AttachmentRow> rows;
  std::string next_link;
};
AttachmentPage decode_attachment_page(std::string_view json);

struct FolderRow {
  std::string id, name, parent_id;
  std::int64_t total = 0, unread = 0, child_folders = 0;
};
FolderRow decode_folder(std::string_view json);
struct FolderPage {
  std::vector<FolderRow> rows;
  std::string next_link;
};
FolderPage decode_folder_page(std::string_view json);

/// The value of the one extended property that was asked for by $expand; empty when the message does not have it.
std::string decode_extended_property(std::string_view json);

/// RFC 3339 as Graph writes it ("2026-01-01T00:00:00Z", fractions allowed); nullopt when unreadable.
std::optional<mail::WallTime> parse_time(std::string_view text);
std::string format_time(mail::WallTime time);  ///< "2026-01-01T00:00:00Z"; with ".123" when not a whole second

}  // namespace m365
