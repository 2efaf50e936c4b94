#include "mime/report.h"

#include <algorithm>

namespace mime {
namespace {

// "rfc822; a@b" -> "a@b" (RFC 3464, section 2.1.2).
std::string typed_address(const std::string* field) {
  if (!field) return {};
  std::string_view text = *field;
  if (const std::size_t type_end = text.find(';'); type_end != std::string_view::npos) text = text.substr(type_end + 1);
  text = trim(text);
  if (text.size() >= 2 && text.front() == '<' && text.back() == '>') text = text.substr(1, text.size() - 2);
  return decode_words(text);
}

// "5.1.1 (bad destination mailbox)" -> "5.1.1"
std::string first_token(const std::string* field) {
  if (!field) return {};
  const std::string_view text = trim(*field);
  return lower(text.substr(0, text.find_first_of(" \t(;")));
}

std::string message_id_of(const Headers& headers) {
  const std::string* field = headers.find("Message-ID");
  std::vector<std::string> ids = field ? parse_message_ids(*field) : std::vector<std::string>();
  return ids.empty() ? std::string() : std::move(ids.front());
}

}  // namespace

std::vector<RecipientStatus> parse_delivery_status(std::string_view text) {
  std::vector<RecipientStatus> recipients;
  constexpr std::size_t most = 1'000;
  std::size_t at = 0;
  while (at < text.size() && recipients.size() < most) {
    Headers block;
    const std::size_t length = parse_headers(text.substr(at), block, 100);
    at += length > 0 ? length : std::min(text.find('\n', at), text.size() - 1) - at + 1;  // a line that is no field
    RecipientStatus one;
    one.recipient = typed_address(block.find("Final-Recipient"));
    if (one.recipient.empty()) one.recipient = typed_address(block.find("Original-Recipient"));
    one.action = first_token(block.find("Action"));
    one.status = first_token(block.find("Status"));
    if (!one.recipient.empty() || !one.action.empty()) recipients.push_back(std::move(one));
  }
  return recipients;
}

Disposition parse_disposition(std::string_view text) {
  Disposition disposition;
  Headers fields;
  parse_headers(text, fields);
  disposition.recipient = typed_address(fields.find("Final-Recipient"));
  if (disposition.recipient.empty()) disposition.recipient = typed_address(fields.find("Original-Recipient"));
  if (const std::string* id = fields.find("Original-Message-ID")) {
    std::vector<std::string> ids = parse_message_ids(*id);
    if (!ids.empty()) disposition.original_message_id = std::move(ids.front());
  }
  // "manual-action/MDN-sent-manually; displayed/error" (RFC 8098, section 3.2.6)
  if (const std::string* value = fields.find("Disposition")) {
    const std::string_view mode_and_type = *value;
    const std::size_t semicolon = mode_and_type.find(';');
    const std::string_view type =
        trim(semicolon == std::string_view::npos ? mode_and_type : mode_and_type.substr(semicolon + 1));
    disposition.type = lower(trim(type.substr(0, type.find_first_of("/ \t"))));
  }
  return disposition;
}

bool is_returned_mail(const Entity& entity) {
  return entity.is("text/rfc822-headers") || entity.is("message/rfc822") || entity.is("message/global") ||
         entity.is("message/global-headers");
}

std::string reported_message_id(const std::vector<Entity>& report) {
  for (const Entity& entity : report) {
    if (!is_returned_mail(entity)) continue;
    Headers headers;
    parse_headers(entity.start, headers);
    if (std::string id = message_id_of(headers); !id.empty()) return id;
  }
  return {};
}

}  // namespace mime
