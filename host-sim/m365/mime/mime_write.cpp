#include "m365/mime/mime_write.h"

#include <algorithm>
#include <array>
#include <set>

#include "m365/graph/properties.h"
#include "m365/mime/html.h"
#include "m365/mime/mime_header.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

bool is_plain(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
}

std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return out;
}

std::string base64_lines(std::string_view bytes) {
  const std::string all = base64_encode(bytes);
  std::string out;
  out.reserve(all.size() + all.size() / 38);
  for (std::size_t at = 0; at < all.size(); at += 76) out.append(all, at, 76).append("\r\n");
  return out;
}

std::string boundary() {
  return "_000_" + base64url_encode(random_bytes(24)) + "_";
}

std::string text_part(std::string_view type, std::string_view text) {
  return "Content-Type: " + std::string(type) + "; charset=\"utf-8\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
         base64_lines(with_crlf(text));
}

// RFC 2231 for what is not plain, and the old form beside it for programs that never learned it.
std::string parameter(const char* name, std::string_view value) {
  const std::string flat = one_line(value);
  if (is_plain(flat)) {
    return std::string(name) + "=\"" + replace_all(replace_all(flat, "\\", "\\\\"), "\"", "\\\"") + "\"";
  }
  return std::string(name) + "*=utf-8''" + percent_encode(flat);
}

std::string attachment_part(const Attachment& attachment) {
  const std::string_view bytes = attachment.bytes ? std::string_view(*attachment.bytes) : std::string_view();
  if (attachment.kind == AttachmentKind::item) {
    return "Content-Type: message/rfc822\r\nContent-Disposition: attachment\r\n\r\n" + std::string(bytes);
  }
  const std::string name = attachment.name.value_or("attachment");
  const std::string type = one_line(attachment.content_type.value_or("application/octet-stream"));
  std::string head = "Content-Type: " + type + ";\r\n\t" + parameter("name", name) +
                     "\r\nContent-Disposition: " + (attachment.is_inline ? "inline" : "attachment") + ";\r\n\t" +
                     parameter("filename", name) + ";\r\n\tsize=" + std::to_string(bytes.size()) + "\r\n";
  if (attachment.content_id) head += "Content-ID: <" + one_line(*attachment.content_id) + ">\r\n";
  return head + "Content-Transfer-Encoding: base64\r\n\r\n" + base64_lines(bytes);
}

std::string multipart(const char* kind, const std::vector<std::string>& parts) {
  const std::string border = boundary();
  std::string out = "Content-Type: multipart/" + std::string(kind) + ";\r\n\tboundary=\"" + border + "\"\r\n\r\n";
  for (const auto& part : parts) out += "--" + border + "\r\n" + part + "\r\n";
  return out + "--" + border + "--\r\n";
}

// Header fields Exchange drops from what a client submits.
bool survives(std::string_view name) {
  static const std::set<std::string> kept = {"from",
                                             "sender",
                                             "reply-to",
                                             "to",
                                             "cc",
                                             "subject",
                                             "date",
                                             "message-id",
                                             "in-reply-to",
                                             "references",
                                             "importance",
                                             "priority",
                                             "thread-topic",
                                             "thread-index",
                                             "mime-version",
                                             "disposition-notification-to",
                                             "list-unsubscribe",
                                             "list-unsubscribe-post",
                                             "comments",
                                             "keywords",
                                             "organization",
                                             "accept-language",
                                             "return-receipt-to"};
  const std::string known = lower(name);
  return kept.count(known) != 0 || starts_with_ignoring_case(known, "x-") ||
         starts_with_ignoring_case(known, "content-");
}

}  // namespace

std::string encode_header(std::string_view text) {
  const std::string flat = one_line(text);
  if (is_plain(flat)) return flat;
  // Words of at most 75 characters (RFC 2047 section 2), never cutting a character.
  std::string out;
  std::string_view rest = flat;
  while (!rest.empty()) {
    std::string_view part = rest.substr(0, 42);
    while (part.size() < rest.size() && (static_cast<unsigned char>(rest[part.size()]) & 0xC0) == 0x80)
      part.remove_suffix(1);
    if (!out.empty()) out += "\r\n ";
    out += "=?utf-8?B?" + base64_encode(part) + "?=";
    rest.remove_prefix(part.size());
  }
  return out;
}

std::string format_address(const Address& address) {
  const std::string where = one_line(address.address);
  if (address.name.empty() || address.name == address.address) return where;
  const std::string name = one_line(address.name);
  if (!is_plain(name)) return encode_header(name) + " <" + where + ">";
  return "\"" + replace_all(replace_all(name, "\\", "\\\\"), "\"", "\\\"") + "\" <" + where + ">";
}

std::string format_addresses(const std::vector<Address>& addresses) {
  std::string out;
  for (const auto& address : addresses) {
    if (!out.empty()) out += ",\r\n\t";
    out += format_address(address);
  }
  return out;
}

std::string write_mime(const Message& message) {
  std::string head;
  const auto field = [&head](std::string_view name, const std::string& value) {
    if (!value.empty()) head.append(name).append(": ").append(value).append("\r\n");
  };
  if (message.from) field("From", format_address(*message.from));
  if (message.sender && message.from && !equal_ignoring_case(message.sender->address, message.from->address)) {
    field("Sender", format_address(*message.sender));
  }
  field("To", format_addresses(message.to));
  field("CC", format_addresses(message.cc));
  field("Reply-To", format_addresses(message.reply_to));
  head += "Subject: " + encode_header(message.subject.value_or(std::string())) + "\r\n";
  field("Thread-Topic", encode_header(message.thread_topic));
  field("Thread-Index", base64_encode(message.conversation_index));
  field("Date", rfc5322_date(message.sent_time));
  field("Message-ID", one_line(message.internet_message_id));
  field("References", one_line(message.references));
  field("In-Reply-To", one_line(message.in_reply_to));
  if (message.importance != "normal") field("Importance", message.importance);
  if (message.read_receipt_requested && message.from)
    field("Disposition-Notification-To", format_address(*message.from));
  if (const auto unsubscribe = property_value(message, "String 0x1045"))
    field("List-Unsubscribe", one_line(*unsubscribe));
  for (const auto& [name, value] : message.own_headers) field(name, encode_header(value));
  head += "Content-Language: en-US\r\nX-MS-Has-Attach: ";
  head += message.attachments.empty() ? "\r\n" : "yes\r\n";
  head += "MIME-Version: 1.0\r\n";

  // With html Exchange makes the text (architecture section 4), so it always sends both.
  std::string body = message.html ? multipart("alternative", {text_part("text/plain", html_to_text(*message.html)),
                                                              text_part("text/html", *message.html)})
                                  : text_part("text/plain", message.text.value_or(std::string()));
  std::vector<std::string> related = {body};
  std::vector<std::string> mixed;
  for (const auto& attachment : message.attachments) {
    if (attachment.kind == AttachmentKind::reference) continue;
    (attachment.is_inline ? related : mixed).push_back(attachment_part(attachment));
  }
  if (related.size() > 1) body = multipart("related", related);
  if (!mixed.empty()) {
    mixed.insert(mixed.begin(), body);
    body = multipart("mixed", mixed);
  }
  return head + body;
}

std::string leaving_mime(std::string_view mime, const Message& message) {
  const auto block = read_header_block(mime);
  std::string out;
  const auto put = [&out](std::string_view name, std::string_view value) {
    out.append(name).append(": ").append(value).append("\r\n");
  };
  if (message.from) put("From", format_address(*message.from));
  put("Message-ID", one_line(message.internet_message_id));
  put("Date", rfc5322_date(message.sent_time));
  for (const auto& [name, value] : block.fields) {
    const bool own = equal_ignoring_case(name, "From") || equal_ignoring_case(name, "Message-ID") ||
                     equal_ignoring_case(name, "Date") || equal_ignoring_case(name, "Sender");
    if (!own && survives(name)) put(name, value);
  }
  return out + "\r\n" + std::string(mime.substr(block.body));
}

std::string with_headers(const HeaderList& fields, std::string_view mime) {
  std::string out;
  for (const auto& [name, value] : fields) out.append(name).append(": ").append(value).append("\r\n");
  return out.append(mime);
}

}  // namespace embedded
