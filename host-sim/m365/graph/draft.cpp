#include "m365/graph/draft.h"

#include <algorithm>
#include <set>

#include "m365/graph/graph_error.h"
#include "m365/graph/properties.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

[[noreturn]] void wrong_type(std::string_view name) {
  throw GraphError(400, "RequestBodyRead",
                   "Cannot convert the value of the property '" + std::string(name) + "' to the expected type.");
}

const std::string& need_text(const Json& value, std::string_view name) {
  if (!value.is_string()) wrong_type(name);
  return value.string();
}

bool need_boolean(const Json& value, std::string_view name) {
  if (!value.is_bool()) wrong_type(name);
  return value.boolean();
}

Address parse_recipient(const Json& value, std::string_view name) {
  const Json* email = value.find("emailAddress");
  if (email == nullptr || !email->is_object()) wrong_type(name);
  Address address;
  if (const Json* text = email->find("address"); text != nullptr && !text->is_null())
    address.address = need_text(*text, name);
  if (const Json* text = email->find("name"); text != nullptr && !text->is_null())
    address.name = need_text(*text, name);
  address.address = std::string(trim(address.address));
  return address;
}

std::vector<Address> parse_recipients(const Json& value, std::string_view name) {
  if (!value.is_array()) wrong_type(name);
  std::vector<Address> all;
  for (const auto& item : value.array()) all.push_back(parse_recipient(item, name));
  return all;
}

void parse_body(Message& message, const Json& value) {
  if (!value.is_object()) wrong_type("body");
  const std::string type = lower(value.text("contentType", "text"));
  if (type != "text" && type != "html") wrong_type("body/contentType");
  const Json* content = value.find("content");
  const std::string text =
      content == nullptr || content->is_null() ? std::string() : need_text(*content, "body/content");
  message.html.reset();
  message.text.reset();
  (type == "html" ? message.html : message.text) = with_crlf(text);
}

// The value as the service writes it; Graph reads enumerations without regard to case.
std::string one_of(const Json& value, std::string_view name, std::initializer_list<std::string_view> known) {
  const std::string& text = need_text(value, name);
  for (const auto member : known) {
    if (equal_ignoring_case(member, text)) return std::string(member);
  }
  throw GraphError(400, "RequestBodyRead",
                   "Requested value '" + text + "' was not found for the property '" + std::string(name) + "'.");
}

void parse_headers(Message& message, const Json& value) {
  if (!value.is_array()) wrong_type("internetMessageHeaders");
  if (value.array().size() > 5) {
    throw GraphError(400, "InvalidInternetMessageHeaderCollection",
                     "Maximum number of headers in one message should be less than or equal to 5.");
  }
  HeaderList headers;
  for (const auto& item : value.array()) {
    const Json* name = item.find("name");
    const Json* text = item.find("value");
    if (name == nullptr || text == nullptr) wrong_type("internetMessageHeaders");
    const std::string& key = need_text(*name, "internetMessageHeaders");
    if (!starts_with_ignoring_case(key, "x-")) {
      throw GraphError(400, "InvalidInternetMessageHeader",
                       "The internet message header name '" + key + "' should start with 'x-' or 'X-'.");
    }
    const bool legal =
        key.size() > 2 && std::all_of(key.begin(), key.end(), [](char c) { return c > 32 && c < 127 && c != ':'; });
    if (!legal) throw GraphError(400, "InvalidInternetMessageHeader", "The internet message header name is not valid.");
    headers.emplace_back(key, need_text(*text, "internetMessageHeaders"));
  }
  message.own_headers = std::move(headers);
}

void parse_properties(Message& message, const Json& value) {
  if (!value.is_array()) wrong_type("singleValueExtendedProperties");
  for (const auto& item : value.array()) {
    const Json* id = item.find("id");
    const Json* text = item.find("value");
    if (id == nullptr || !id->is_string() || text == nullptr) wrong_type("singleValueExtendedProperties");
    const auto normal = normal_property_id(id->string());
    if (!normal) throw GraphError(400, "ErrorInvalidProperty", "The property id '" + id->string() + "' is invalid.");
    message.set_property(*normal, need_text(*text, "singleValueExtendedProperties"));
  }
}

void parse_multi_properties(Message& message, const Json& value) {
  constexpr std::string_view name = "multiValueExtendedProperties";
  if (!value.is_array()) wrong_type(name);
  for (const auto& item : value.array()) {
    const Json* id = item.find("id");
    const Json* values = item.find("value");
    if (id == nullptr || !id->is_string() || values == nullptr || !values->is_array()) wrong_type(name);
    const auto normal = normal_multi_property_id(id->string());
    if (!normal) throw GraphError(400, "ErrorInvalidProperty", "The property id '" + id->string() + "' is invalid.");
    std::vector<std::string> texts;
    for (const auto& text : values->array()) texts.push_back(need_text(text, name));
    message.multi_properties[*normal] = std::move(texts);
  }
}

void parse_flag(Message& message, const Json& value) {
  if (!value.is_object()) wrong_type("flag");
  Json flag = value;
  if (const Json* status = value.find("flagStatus"))
    flag.set("flagStatus", one_of(*status, "flag/flagStatus", {"notFlagged", "complete", "flagged"}));
  if (value.find("dueDateTime") != nullptr && value.find("startDateTime") == nullptr) {
    throw GraphError(400, "ErrorInvalidArgument", "A flag with dueDateTime needs startDateTime as well.");
  }
  message.flag = std::move(flag);
}

void parse_categories(Message& message, const Json& value) {
  if (!value.is_array()) wrong_type("categories");
  message.categories.clear();
  for (const auto& item : value.array()) message.categories.push_back(need_text(item, "categories"));
}

// Members that may change at any time (section 12). True when `name` was one of them.
bool apply_always(Message& message, const std::string& name, const Json& value) {
  if (name == "categories") {
    parse_categories(message, value);
  } else if (name == "flag") {
    parse_flag(message, value);
  } else if (name == "importance") {
    message.importance = one_of(value, name, {"low", "normal", "high"});
  } else if (name == "inferenceClassification") {
    message.inference = one_of(value, name, {"focused", "other"});
  } else if (name == "isReadReceiptRequested") {
    message.read_receipt_requested = need_boolean(value, name);
  } else if (name == "isDeliveryReceiptRequested") {
    message.delivery_receipt_requested = need_boolean(value, name);
  } else if (name == "singleValueExtendedProperties") {
    parse_properties(message, value);
  } else if (name == "multiValueExtendedProperties") {
    parse_multi_properties(message, value);
  } else {
    return false;
  }
  return true;
}

// Members that only a draft takes.
bool apply_to_draft(Message& message, const std::string& name, const Json& value) {
  if (name == "subject") {
    message.subject = value.is_null() ? std::nullopt : std::optional(need_text(value, name));
    message.thread_topic = thread_topic(message.subject.value_or(std::string()));
  } else if (name == "body") {
    parse_body(message, value);
  } else if (name == "toRecipients") {
    message.to = parse_recipients(value, name);
  } else if (name == "ccRecipients") {
    message.cc = parse_recipients(value, name);
  } else if (name == "bccRecipients") {
    message.bcc = parse_recipients(value, name);
  } else if (name == "replyTo") {
    message.reply_to = parse_recipients(value, name);
  } else if (name == "from") {
    message.from = value.is_null() ? std::nullopt : std::optional(parse_recipient(value, name));
  } else if (name == "sender") {
    message.sender = value.is_null() ? std::nullopt : std::optional(parse_recipient(value, name));
  } else if (name == "internetMessageId") {
    message.internet_message_id = need_text(value, name);
  } else {
    return false;
  }
  return true;
}

bool is_annotation(const std::string& name) {
  return name.find('@') != std::string::npos;
}

// Read-only members that clients send back with an object they got; Graph ignores them.
bool is_read_only(const std::string& name) {
  static const std::set<std::string_view> known = {"id",
                                                   "createdDateTime",
                                                   "lastModifiedDateTime",
                                                   "changeKey",
                                                   "receivedDateTime",
                                                   "sentDateTime",
                                                   "hasAttachments",
                                                   "bodyPreview",
                                                   "parentFolderId",
                                                   "conversationId",
                                                   "conversationIndex",
                                                   "isDraft",
                                                   "webLink",
                                                   "uniqueBody"};
  return known.count(name) != 0;
}

[[noreturn]] void unknown_property(const std::string& name) {
  throw GraphError(400, "RequestBodyRead",
                   "The property '" + name +
                       "' does not exist on type 'microsoft.graph.message'. "
                       "Make sure to only use property names that are defined by the type.");
}

}  // namespace

Attachment parse_attachment(const Json& body, Time now) {
  const std::string type = body.text("@odata.type");
  Attachment attachment;
  attachment.modified = now;
  const auto optional_text = [&](std::string_view name) -> std::optional<std::string> {
    const Json* value = body.find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    return need_text(*value, name);
  };
  attachment.name = optional_text("name");
  attachment.content_type = optional_text("contentType");
  if (const Json* value = body.find("isInline")) attachment.is_inline = need_boolean(*value, "isInline");
  if (!attachment.name) throw GraphError(400, "ErrorInvalidArgument", "The name of the attachment is missing.");
  if (equal_ignoring_case(type, "#microsoft.graph.fileAttachment")) {
    attachment.content_id = optional_text("contentId");
    const auto text = optional_text("contentBytes");
    if (!text) throw GraphError(400, "ErrorInvalidArgument", "The contentBytes of the attachment are missing.");
    auto bytes = base64_decode(*text);
    if (!bytes)
      throw GraphError(400, "RequestBodyRead",
                       "Cannot convert the literal of 'contentBytes' to the expected type 'Edm.Binary'.");
    attachment.bytes = std::make_shared<const std::string>(std::move(*bytes));
  } else if (equal_ignoring_case(type, "#microsoft.graph.referenceAttachment")) {
    attachment.kind = AttachmentKind::reference;
    attachment.bytes = std::make_shared<const std::string>(body.text("sourceUrl"));
  } else if (type.empty()) {
    throw GraphError(400, "RequestBodyRead", "The '@odata.type' of the attachment is missing.");
  } else {
    throw GraphError(400, "ErrorInvalidArgument", "An attachment of type '" + type + "' cannot be made here.");
  }
  return attachment;
}

void fill_draft(Message& draft, const Json& body, Time now) {
  if (!body.is_object()) throw GraphError(400, "RequestBodyRead", "A message is a JSON object.");
  for (const auto& [name, value] : body.object()) {
    if (is_annotation(name) || is_read_only(name)) continue;
    if (name == "isRead") {
      draft.is_read = need_boolean(value, name);
    } else if (name == "internetMessageHeaders") {
      parse_headers(draft, value);
    } else if (name == "attachments") {
      if (!value.is_array()) wrong_type(name);
      for (const auto& item : value.array()) {
        Attachment attachment = parse_attachment(item, now);
        attachment.number = draft.next_attachment++;
        draft.attachments.push_back(std::move(attachment));
      }
    } else if (!apply_always(draft, name, value) && !apply_to_draft(draft, name, value)) {
      unknown_property(name);
    }
  }
  if (draft.read_receipt_requested && draft.from) draft.receipt_to = {draft.from->address};
}

PatchResult patch_message(Message& message, const Json& body) {
  if (!body.is_object()) throw GraphError(400, "RequestBodyRead", "A message is a JSON object.");
  PatchResult result;
  for (const auto& [name, value] : body.object()) {
    if (is_annotation(name) || is_read_only(name)) continue;
    if (name == "isRead") {
      result.read = need_boolean(value, name);
      continue;
    }
    result.content = true;
    if (apply_always(message, name, value)) continue;
    if (name == "internetMessageHeaders") {
      throw GraphError(400, "ErrorInvalidPropertySet",
                       "internetMessageHeaders can be set only while a message is created.");
    }
    Message probe;
    if (!message.is_draft) {
      if (apply_to_draft(probe, name, value)) {
        throw GraphError(400, "ErrorInvalidPropertySet", "The property '" + name + "' can be changed on a draft only.");
      }
      unknown_property(name);
    }
    if (!apply_to_draft(message, name, value)) unknown_property(name);
    // What was uploaded as MIME no longer says the same: it is made anew when it leaves.
    message.mime.reset();
    message.mime_upload = false;
  }
  return result;
}

void apply_reply_body(Message& draft, const Json& body, Time now) {
  const Json* message = body.find("message");
  if (message == nullptr) message = body.find("Message");
  const Json* comment = body.find("comment");
  if (comment == nullptr) comment = body.find("Comment");
  const bool has_body = message != nullptr && message->is_object() && message->find("body") != nullptr;
  if (comment != nullptr && !comment->is_null() && has_body) {
    throw GraphError(400, "ErrorInvalidArgument", "Specify either a comment or the body of the message, not both.");
  }
  if (message != nullptr && !message->is_null()) fill_draft(draft, *message, now);
  if (comment != nullptr && comment->is_string()) {
    if (draft.html) {
      draft.html = "<html><body><div>" + comment->string() + "</div>" + *draft.html + "</body></html>";
    } else {
      draft.text = comment->string() + "\r\n" + draft.text.value_or(std::string());
    }
  }
  if (const Json* recipients = body.find("toRecipients"); recipients != nullptr && !recipients->is_null()) {
    draft.to = parse_recipients(*recipients, "toRecipients");
  }
}

}  // namespace embedded
