#include "m365/outgoing/draft_message.h"

#include <Poco/JSON/Array.h>
#include <Poco/JSON/Object.h>
#include <openssl/evp.h>
#include <simdjson.h>

#include <algorithm>
#include <sstream>

#include "m365/outgoing/submission_text.h"
#include "m365/outgoing/upload_content.h"

namespace m365 {

const char* const submission_property = "String {8d4c7f52-6b1e-4f0a-9c35-2e7a91d0b846} Name MailpluginSubmission";
const char* const auto_response_suppress = "X-Auto-Response-Suppress";

namespace {

// MS-OXPROPS tags (graph-mail.md, sections 10.4 and 13).
constexpr const char* in_reply_to_property = "String 0x1042";
constexpr const char* references_property = "String 0x1039";

using Poco::JSON::Array;
using Poco::JSON::Object;

Object::Ptr object() {
  return new Object(Poco::JSON_PRESERVE_KEY_ORDER);
}

std::string text_of(const Object& value) {
  std::ostringstream out;
  value.stringify(out);
  return out.str();
}

Object::Ptr recipient(const mail::Address& from) {
  Object::Ptr address = object();
  address->set("address", from.address);
  if (!from.name.empty()) address->set("name", clean_line(from.name));
  Object::Ptr out = object();
  out->set("emailAddress", address);
  return out;
}

Array::Ptr recipients(const std::vector<mail::Address>& from) {
  Array::Ptr out = new Array;
  for (const mail::Address& address : from) out->add(recipient(address));
  return out;
}

Object::Ptr named(const char* name_key, const std::string& name, const std::string& value) {
  Object::Ptr out = object();
  out->set(name_key, name);
  out->set("value", value);
  return out;
}

Array::Ptr key_property(const mail::Mail& mail) {
  Array::Ptr out = new Array;
  out->add(named("id", submission_property, mail.stable_id));
  return out;
}

const char* importance_name(mail::Importance importance) {
  switch (importance) {
    case mail::Importance::low:
      return "low";
    case mail::Importance::high:
      return "high";
    case mail::Importance::normal:
      break;
  }
  return "normal";
}

Object::Ptr content(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body) {
  Object::Ptr out = object();
  out->set("subject", clean_line(mail.subject));
  Object::Ptr text = object();
  text->set("contentType", body.html ? "html" : "text");
  text->set("content", body.content);
  out->set("body", text);
  // Lists are written also when empty: a reply draft comes with recipients of its own.
  out->set("toRecipients", recipients(mail.to));
  out->set("ccRecipients", recipients(mail.cc));
  out->set("bccRecipients", recipients(mail.bcc));
  out->set("replyTo", recipients(mail.reply_to));
  // `from`, never `sender`; and only where it says something new, since it needs Send As rights (section 10.6).
  if (!mail.from.address.empty() && !equal_without_case(mail.from.address, mailbox))
    out->set("from", recipient(mail.from));
  out->set("importance", importance_name(mail.importance));
  out->set("isReadReceiptRequested", (mail.flags & mail::read_receipt_requested) != 0);
  return out;
}

void add_threading(const mail::Mail& mail, Array& properties) {
  const std::string answered = bracketed(mail.in_reply_to);
  std::vector<std::string> references;
  for (const std::string& reference : mail.references) {
    if (!reference.empty()) references.push_back(bracketed(reference));
  }
  // RFC 5322, section 3.6.4: the answered mail is the last reference.
  if (!answered.empty() && std::find(references.begin(), references.end(), answered) == references.end())
    references.push_back(answered);
  if (!answered.empty()) properties.add(named("id", in_reply_to_property, answered));
  if (references.empty()) return;
  std::string joined;
  for (const std::string& reference : references) joined += (joined.empty() ? "" : " ") + reference;
  properties.add(named("id", references_property, joined));
}

void add_headers(const mail::Mail& mail, Object& message) {
  Array::Ptr headers = new Array;
  bool suppresses = false;
  for (const auto& [name, value] : mail.headers) {
    headers->add(named("name", name, value));
    suppresses = suppresses || equal_without_case(name, auto_response_suppress);
  }
  // Auto-Submitted cannot be sent through Graph (section 10.4); this is what Exchange understands in its place.
  if ((mail.flags & mail::auto_submitted) != 0 && !suppresses)
    headers->add(named("name", auto_response_suppress, "All"));
  if (headers->size() != 0) message.set("internetMessageHeaders", headers);
}

Object::Ptr new_message(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body) {
  Object::Ptr out = content(mail, mailbox, body);
  Array::Ptr properties = key_property(mail);
  add_threading(mail, *properties);
  out->set("singleValueExtendedProperties", properties);
  add_headers(mail, *out);
  return out;
}

std::string media_type(const mail::Part& part) {
  return part.media_type.empty() ? "application/octet-stream" : clean_line(part.media_type);
}

void add_inline(const mail::Part& part, Object& out) {
  const bool is_inline = part.kind == mail::PartKind::inline_part;
  out.set("isInline", is_inline);
  std::string id = clean_line(part.content_id);
  // Without angle brackets; html refers to it as cid:<that> (section 11).
  if (id.size() > 2 && id.front() == '<' && id.back() == '>') id = id.substr(1, id.size() - 2);
  if (!id.empty()) out.set("contentId", id);
}

std::string base64(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP_EncodeBlock ends its output with a NUL
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

// Appends `"name":value` to the text of a JSON object that is not empty.
std::string with_member(std::string json, std::string_view name, std::string_view value) {
  json.pop_back();
  json.append(",\"").append(name).append("\":").append(value).append("}");
  return json;
}

}  // namespace

DraftBody read_body(const SubmissionContext& context, const mail::Mail& mail, std::stop_token stop) {
  const auto of_kind = [&](mail::PartKind kind) {
    return std::find_if(mail.parts.begin(), mail.parts.end(), [kind](const mail::Part& p) { return p.kind == kind; });
  };
  auto part = of_kind(mail::PartKind::html);
  if (part == mail.parts.end()) part = of_kind(mail::PartKind::text);
  if (part == mail.parts.end()) return {};
  DraftBody body;
  body.html = part->kind == mail::PartKind::html;
  PartReader reader(context, *part, stop);
  std::string bytes = reader.read_up_to(largest_json + 1);
  if (bytes.size() > largest_json) {
    throw failure(mail::Cause::none, mail::Remedy::item,
                  "The text of the mail has more than 3.9 MB, which Microsoft 365 does not take; send it as "
                  "an attachment.");
  }
  body.content = clean_text(bytes);
  return body;
}

std::string new_draft_json(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body) {
  return text_of(*new_message(mail, mailbox, body));
}

std::string reply_draft_json(const mail::Mail& mail) {
  Object::Ptr message = object();
  message->set("singleValueExtendedProperties", key_property(mail));
  Object::Ptr out = object();
  out->set("message", message);
  return text_of(*out);
}

std::string draft_update_json(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body) {
  Object::Ptr out = content(mail, mailbox, body);
  out->set("singleValueExtendedProperties", key_property(mail));
  return text_of(*out);
}

std::string created_id(const std::string& json) {
  simdjson::dom::parser parser;
  std::string_view id;
  return parser.parse(json)["id"].get(id) == simdjson::SUCCESS ? std::string(id) : std::string();
}

std::string attachment_json(const mail::Part& part, std::string_view bytes) {
  Object::Ptr out = object();
  out->set("@odata.type", "#microsoft.graph.fileAttachment");
  out->set("name", attachment_name(part));
  out->set("contentType", media_type(part));
  add_inline(part, *out);
  // The bytes are added to the finished text: a JSON library would copy and inspect megabytes of base64.
  return with_member(text_of(*out), "contentBytes", "\"" + base64(bytes) + "\"");
}

std::string send_mail_json(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body,
                           const std::vector<std::string>& attachments) {
  std::string message = text_of(*new_message(mail, mailbox, body));
  if (!attachments.empty()) {
    std::string list;
    for (const std::string& attachment : attachments) list += (list.empty() ? "[" : ",") + attachment;
    message = with_member(std::move(message), "attachments", list + "]");
  }
  return "{\"message\":" + message + ",\"saveToSentItems\":true}";
}

std::string upload_session_json(const mail::Part& part, std::uint64_t size) {
  Object::Ptr item = object();
  item->set("attachmentType", "file");
  item->set("name", attachment_name(part));
  item->set("size", size);
  item->set("contentType", media_type(part));
  add_inline(part, *item);
  Object::Ptr out = object();
  out->set("AttachmentItem", item);
  return text_of(*out);
}

std::string bracketed(const std::string& message_id) {
  const std::string id = clean_line(message_id);
  return id.empty() || (id.front() == '<' && id.back() == '>') ? id : "<" + id + ">";
}

std::string attachment_name(const mail::Part& part) {
  std::string name = clean_line(part.file_name);
  return name.empty() ? "attachment" : name;
}

std::vector<const mail::Part*> attachment_parts(const mail::Mail& mail) {
  std::vector<const mail::Part*> out;
  for (const mail::Part& part : mail.parts) {
    if (part.kind == mail::PartKind::inline_part || part.kind == mail::PartKind::attachment) out.push_back(&part);
  }
  return out;
}

}  // namespace m365
