#include "m365/message/message_row.h"

#include <algorithm>
#include <utility>

#include "m365/message/message_row_json.h"
#include "mime/charset.h"

namespace m365 {
namespace {

using json::Found;

constexpr std::size_t longest_id = 2'048;  // Graph's have about 150 bytes, and stand in URLs

// One member of a row: reads it, and notes its name when it is not as documented.
class RowReader {
 public:
  explicit RowReader(MessageRow& row) : row_(row) {}

  void member(std::string_view key, json::od::value value) {
    if (key == "id") return identifier(key, value, row_.id);
    if (key == "subject") return note(key, json::read_text(value, row_.subject));
    if (key == "body") return body(value);
    if (key == "internetMessageHeaders") return headers(value);
    if (key == "toRecipients") return addresses(key, value, row_.to);
    if (key == "ccRecipients") return addresses(key, value, row_.cc);
    if (key == "bccRecipients") return addresses(key, value, row_.bcc);
    if (key == "replyTo") return addresses(key, value, row_.reply_to);
    if (key == "from") return address(key, value, row_.from);
    if (key == "sender") return address(key, value, row_.sender);
    if (key == "receivedDateTime") return time(key, value, row_.received);
    if (key == "sentDateTime") return time(key, value, row_.sent);
    if (key == "isRead") return note(key, json::read_flag(value, row_.is_read));
    if (key == "isDraft") return note(key, json::read_flag(value, row_.is_draft));
    if (key == "hasAttachments") return note(key, json::read_flag(value, row_.has_attachments));
    if (key == "isReadReceiptRequested") return note(key, json::read_flag(value, row_.read_receipt_requested));
    if (key == "internetMessageId") return note(key, json::read_text(value, row_.internet_message_id));
    if (key == "conversationId") return note(key, json::read_text(value, row_.conversation_id));
    if (key == "parentFolderId") return identifier(key, value, row_.parent_folder_id);
    if (key == "importance") return note(key, json::read_text(value, row_.importance));
    if (key == "@odata.type") return note(key, json::read_text(value, row_.odata_type));
    if (key == "@removed") row_.removed = !json::is_null(value);
  }

 private:
  void note(std::string_view key, Found found) {
    if (found == Found::wrong || found == Found::repaired) note_unreadable(key);
  }
  void note_unreadable(std::string_view key) {
    if (std::find(row_.unreadable.begin(), row_.unreadable.end(), key) == row_.unreadable.end()) {
      row_.unreadable.emplace_back(key);
    }
  }

  // Something is asked for, or compared, by it: one that is repaired or beyond all measure is worse than none.
  template <typename Text>
  void identifier(std::string_view key, json::od::value value, Text& out) {
    std::string text;
    const Found found = json::read_text(value, text);
    if (found == Found::good && text.size() <= longest_id) {
      out = std::move(text);
    } else if (found != Found::absent) {
      note_unreadable(key);
    }
  }

  void body(json::od::value value) {
    json::each_member(
        value,
        [&](std::string_view key, json::od::value part) {
          if (key == "contentType") note("body", json::read_text(part, row_.body_type));
          if (key == "content") note("body", json::read_text(part, row_.body));
        },
        [&] { note_unreadable("body"); });
  }

  void headers(json::od::value value) {
    if (json::is_null(value)) return;
    row_.headers.clear();
    row_.has_headers = true;
    json::each_element(
        value,
        [&](json::od::value element) {
          std::string name, text;
          json::each_member(
              element,
              [&](std::string_view key, json::od::value part) {
                if (key == "name") note("internetMessageHeaders", json::read_text(part, name));
                if (key == "value") note("internetMessageHeaders", json::read_text(part, text));
              },
              [&] { note_unreadable("internetMessageHeaders"); });
          if (!name.empty()) row_.headers.emplace_back(std::move(name), std::move(text));
        },
        [&] {
          row_.has_headers = false;
          note_unreadable("internetMessageHeaders");
        });
  }

  // {"emailAddress":{"name":...,"address":...}}; either may be missing, and then the address is no "@" to be sure of.
  std::optional<mail::Address> recipient(std::string_view key, json::od::value value) {
    std::optional<mail::Address> found;
    json::each_member(
        value,
        [&](std::string_view member, json::od::value email) {
          if (member != "emailAddress") return;
          json::each_member(
              email,
              [&](std::string_view part, json::od::value text) {
                if (part != "name" && part != "address") return;
                if (!found) found.emplace();
                note(key, json::read_text(text, part == "name" ? found->name : found->address));
              },
              [&] { note_unreadable(key); });
        },
        [&] { note_unreadable(key); });
    if (found && found->name.empty() && found->address.empty()) found.reset();
    return found;
  }

  void address(std::string_view key, json::od::value value, std::optional<mail::Address>& out) {
    out = recipient(key, value);
  }

  void addresses(std::string_view key, json::od::value value, std::vector<mail::Address>& out) {
    out.clear();
    json::each_element(
        value,
        [&](json::od::value element) {
          if (auto one = recipient(key, element)) out.push_back(std::move(*one));
        },
        [&] { note_unreadable(key); });
  }

  void time(std::string_view key, json::od::value value, std::optional<mail::WallTime>& out) {
    std::string text;
    const Found found = json::read_text(value, text);
    out = found == Found::good ? parse_time(text) : std::nullopt;
    if (found != Found::absent && !out) note_unreadable(key);
  }

  MessageRow& row_;
};

MessageRow read_row(json::od::value value) {
  MessageRow row;
  RowReader reader(row);
  json::each_member(
      value, [&](std::string_view key, json::od::value member) { reader.member(key, member); },
      [&] { row.unreadable.emplace_back("value"); });
  return row;
}

}  // namespace

const char* const message_select =
    "id,isRead,isDraft,hasAttachments,isReadReceiptRequested,subject,internetMessageId,conversationId,parentFolderId,"
    "importance,receivedDateTime,sentDateTime,from,sender,toRecipients,ccRecipients,bccRecipients,replyTo,"
    "internetMessageHeaders,body";
const char* const thin_select = "id,isRead,isDraft,receivedDateTime,internetMessageId,from,parentFolderId";

bool MessageRow::complete() const {
  // Of a whole message these are never null; a row that tells of a changed flag has neither of the three.
  const auto there = [this](bool value, std::string_view name) {
    return value || std::find(unreadable.begin(), unreadable.end(), name) != unreadable.end();
  };
  return !id.empty() && !removed && there(received.has_value(), "receivedDateTime") &&
         there(has_attachments.has_value(), "hasAttachments") && there(body.has_value(), "body");
}

MessagePage decode_message_page(std::string_view text) {
  std::string copy;
  copy.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  copy = text;
  return decode_message_page_in(copy);
}

MessagePage decode_message_page_in(std::string& text) {
  MessagePage page;
  json::read_document_in(text, mail::Remedy::wait, [&page](json::od::document& document) {
    bool found = false;
    const auto no_page = [] { throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE); };
    json::each_member(
        document.get_value().value(),
        [&](std::string_view key, json::od::value value) {
          if (key == "value") {
            found = true;
            page.rows.clear();
            json::each_element(
                value, [&](json::od::value element) { page.rows.push_back(read_row(element)); }, no_page);
          } else if (key == "@odata.nextLink") {
            json::read_text(value, page.next_link);
          } else if (key == "@odata.deltaLink") {
            json::read_text(value, page.delta_link);
          }
        },
        no_page);
    if (!found) throw simdjson::simdjson_error(simdjson::NO_SUCH_FIELD);
  });
  page.broken_links = page.next_link.empty() == page.delta_link.empty();
  return page;
}

MessageRow decode_message(std::string_view text) {
  MessageRow row;
  const bool damaged = !mime::is_utf8(text);
  const std::string repaired = damaged ? mime::repair_utf8(text) : std::string();
  json::read_document(damaged ? repaired : text, mail::Remedy::item, [&row](json::od::document& document) {
    row = read_row(document.get_value().value());
    if (row.unreadable == std::vector<std::string>{"value"}) throw simdjson::simdjson_error(simdjson::INCORRECT_TYPE);
  });
  if (!damaged) return row;
  row.unreadable.emplace_back("encoding");
  // A repaired identifier is worse than none, see identifier().
  constexpr std::string_view replacement = "\uFFFD";
  if (row.id.find(replacement) != std::string::npos) row.id.clear();
  if (row.parent_folder_id && row.parent_folder_id->find(replacement) != std::string::npos)
    row.parent_folder_id.reset();
  return row;
}

}  // namespace m365
