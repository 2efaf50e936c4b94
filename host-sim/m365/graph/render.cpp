#include "m365/graph/render.h"

#include <algorithm>
#include <array>
#include <set>

#include "m365/graph/graph_error.h"
#include "m365/graph/properties.h"
#include "m365/mime/html.h"
#include "m365/mime/mime_read.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

enum Property : unsigned {
  kCreated,
  kModified,
  kChangeKey,
  kCategories,
  kReceived,
  kSent,
  kHasAttachments,
  kInternetMessageId,
  kSubject,
  kBodyPreview,
  kImportance,
  kParentFolder,
  kConversationId,
  kConversationIndex,
  kDeliveryReceipt,
  kReadReceipt,
  kIsRead,
  kIsDraft,
  kWebLink,
  kInference,
  kBody,
  kSender,
  kFrom,
  kTo,
  kCc,
  kBcc,
  kReplyTo,
  kFlag,
  kInternetHeaders,
  kUniqueBody,
  kMeetingType,
  kId,
  kCount
};

constexpr std::array<std::string_view, kCount> kNames = {"createdDateTime",
                                                         "lastModifiedDateTime",
                                                         "changeKey",
                                                         "categories",
                                                         "receivedDateTime",
                                                         "sentDateTime",
                                                         "hasAttachments",
                                                         "internetMessageId",
                                                         "subject",
                                                         "bodyPreview",
                                                         "importance",
                                                         "parentFolderId",
                                                         "conversationId",
                                                         "conversationIndex",
                                                         "isDeliveryReceiptRequested",
                                                         "isReadReceiptRequested",
                                                         "isRead",
                                                         "isDraft",
                                                         "webLink",
                                                         "inferenceClassification",
                                                         "body",
                                                         "sender",
                                                         "from",
                                                         "toRecipients",
                                                         "ccRecipients",
                                                         "bccRecipients",
                                                         "replyTo",
                                                         "flag",
                                                         "internetMessageHeaders",
                                                         "uniqueBody",
                                                         "meetingMessageType",
                                                         "id"};

constexpr MessageProperties bit(Property property) {
  return MessageProperties{1} << property;
}

// Writes members, commas between them.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) {}

  void name(std::string_view text) {
    if (!first_) out_ += ',';
    first_ = false;
    out_ += '"';
    out_ += text;
    out_ += "\":";
  }
  void text(std::string_view key, std::string_view value) {
    name(key);
    append_json_string(out_, value);
  }
  void text_or_null(std::string_view key, const std::optional<std::string>& value) {
    name(key);
    if (value) {
      append_json_string(out_, *value);
    } else {
      out_ += "null";
    }
  }
  void boolean(std::string_view key, std::optional<bool> value) {
    name(key);
    out_ += !value ? "null" : *value ? "true" : "false";
  }
  void number(std::string_view key, std::size_t value) {
    name(key);
    out_ += std::to_string(value);
  }
  void json(std::string_view key, const Json& value) {
    name(key);
    value.write(out_);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

void append_address(std::string& out, const Address& address) {
  out += "{\"emailAddress\":{\"name\":";
  append_json_string(out, address.name.empty() ? address.address : address.name);
  if (!address.address.empty()) {
    out += ",\"address\":";
    append_json_string(out, address.address);
  }
  out += "}}";
}

void append_addresses(std::string& out, const std::vector<Address>& addresses) {
  out += '[';
  for (const auto& address : addresses) {
    if (&address != &addresses.front()) out += ',';
    append_address(out, address);
  }
  out += ']';
}

std::string plain_body(const Content& message) {
  if (message.text) return *message.text;
  return message.html ? html_to_text(*message.html) : std::string();
}

void append_body(std::string& out, const Content& message, const View& view) {
  const bool as_text = view.text_body ? *view.text_body : !message.html;
  out += as_text ? "{\"contentType\":\"text\",\"content\":" : "{\"contentType\":\"html\",\"content\":";
  if (as_text) {
    append_json_string(out, plain_body(message));
  } else if (message.html) {
    append_json_string(out, view.unsafe_html ? *message.html : safe_html(*message.html));
  } else {
    append_json_string(out, text_to_html(message.text.value_or(std::string())));
  }
  out += '}';
}

HeaderList shown_headers(const Message& message) {
  return message.travelled ? transport_headers(message) : message.own_headers;
}

// Enough of the text for a preview: html is not read to its end.
std::string preview_of(const Content& message) {
  constexpr std::size_t enough = 2048;
  if (message.text && (!message.html || !message.text->empty()))
    return preview(std::string_view(*message.text).substr(0, enough));
  return message.html ? preview(html_to_text(*message.html, enough)) : std::string();
}

std::string_view odata_type(const Content& message) {
  if (message.meeting_method.empty()) return "#microsoft.graph.message";
  if (message.meeting_method == "REQUEST") return "#microsoft.graph.eventMessageRequest";
  if (message.meeting_method == "REPLY") return "#microsoft.graph.eventMessageResponse";
  return "#microsoft.graph.eventMessage";
}

std::string_view meeting_type(const Content& message) {
  if (message.meeting_method == "REQUEST") return "meetingRequest";
  if (message.meeting_method == "REPLY") return "meetingAccepted";
  return message.meeting_method == "CANCEL" ? "meetingCancelled" : "none";
}

std::string base64_path(std::string_view id) {
  // webLink writes %2F for '-' and %2B for '_' (what-users-ask.md 2.8).
  std::string out;
  for (const char c : id) {
    if (c == '-') {
      out += "%2F";
    } else if (c == '_') {
      out += "%2B";
    } else if (c == '=') {
      out += "%3D";
    } else {
      out += c;
    }
  }
  return out;
}

// The item inside an item attachment; its id is empty on the wire.
void append_item(std::string& out, const Attachment& attachment, const View& view) {
  const Content content = read_mime(attachment.bytes ? *attachment.bytes : std::string());
  const Time sent = content.sent.value_or(attachment.modified);
  out += '{';
  Members members(out);
  members.text("@odata.type", odata_type(content));
  members.text("id", "");
  members.text("createdDateTime", rfc3339(attachment.modified));
  members.text("lastModifiedDateTime", rfc3339(attachment.modified));
  members.text("receivedDateTime", rfc3339(sent));
  members.text("sentDateTime", rfc3339(sent));
  members.boolean("hasAttachments", std::any_of(content.attachments.begin(), content.attachments.end(),
                                                [](const Attachment& a) { return !a.is_inline; }));
  members.text("internetMessageId", content.internet_message_id);
  members.text_or_null("subject", content.subject);
  members.text("bodyPreview", preview_of(content));
  members.text("importance", content.importance);
  members.boolean("isRead", false);
  members.boolean("isDraft", false);
  members.name("body");
  append_body(out, content, view);
  members.name("sender");
  if (content.sender) {
    append_address(out, *content.sender);
  } else {
    out += "null";
  }
  members.name("from");
  if (content.from) {
    append_address(out, *content.from);
  } else {
    out += "null";
  }
  members.name("toRecipients");
  append_addresses(out, content.to);
  members.name("ccRecipients");
  append_addresses(out, content.cc);
  out += '}';
}

std::string_view attachment_type(AttachmentKind kind) {
  switch (kind) {
    case AttachmentKind::item:
      return "#microsoft.graph.itemAttachment";
    case AttachmentKind::reference:
      return "#microsoft.graph.referenceAttachment";
    default:
      return "#microsoft.graph.fileAttachment";
  }
}

}  // namespace

MessageProperties default_properties() {
  return (MessageProperties{1} << kCount) - 1 - bit(kInternetHeaders) - bit(kUniqueBody);
}

MessageProperties select_properties(const std::vector<std::string>& names) {
  MessageProperties chosen = bit(kId);
  for (const auto& name : names) {
    std::string_view plain = name;
    if (starts_with_ignoring_case(plain, "microsoft.graph.eventMessage/")) plain.remove_prefix(29);
    const auto found = std::find(kNames.begin(), kNames.end(), plain);
    if (found != kNames.end()) {
      chosen |= MessageProperties{1} << (found - kNames.begin());
    } else if (plain == "*") {
      chosen |= default_properties();
    } else if (plain != "attachments" && plain != "singleValueExtendedProperties" &&
               plain != "multiValueExtendedProperties") {
      throw bad_request("Could not find a property named '" + name + "' on type 'microsoft.graph.message'.");
    }
  }
  return chosen;
}

std::string conversation_id_text(const Mailbox& mailbox, const Message& message) {
  using namespace std::string_view_literals;
  return base64url_encode(
      std::string("\x00\x04\x24\x00"sv) + mailbox.id() + std::string("\x00\x10\x00"sv) + message.conversation_id, true);
}

void append_message_members(std::string& out, const Mailbox& mailbox, const Message& message, const View& view) {
  const MessageProperties wanted = view.properties;
  const auto has = [wanted](Property property) { return (wanted & bit(property)) != 0; };
  Members members(out);
  const bool meeting = !message.meeting_method.empty();
  if (view.type_always || meeting) members.text("@odata.type", odata_type(message));
  const std::string change_key = mailbox.change_key(message);
  members.text("@odata.etag", "W/\"" + change_key + "\"");
  const std::string id = mailbox.id_of(message, view.ids);
  members.text("id", id);
  if (has(kCreated)) members.text("createdDateTime", rfc3339(message.created));
  if (has(kModified)) members.text("lastModifiedDateTime", rfc3339(message.modified));
  if (has(kChangeKey)) members.text("changeKey", change_key);
  if (has(kCategories)) {
    Json::Array all;
    for (const auto& category : message.categories) all.emplace_back(category);
    members.json("categories", std::move(all));
  }
  if (has(kReceived)) members.text("receivedDateTime", rfc3339(message.received));
  if (has(kSent)) members.text("sentDateTime", rfc3339(message.sent_time));
  if (has(kHasAttachments)) members.boolean("hasAttachments", message.has_real_attachments());
  if (has(kInternetMessageId)) members.text("internetMessageId", message.internet_message_id);
  if (has(kSubject)) members.text_or_null("subject", message.subject);
  if (has(kBodyPreview)) members.text("bodyPreview", preview_of(message));
  if (has(kImportance)) members.text("importance", message.importance);
  if (has(kParentFolder)) members.text("parentFolderId", mailbox.id_of(*message.folder));
  if (has(kConversationId)) members.text("conversationId", conversation_id_text(mailbox, message));
  if (has(kConversationIndex)) members.text("conversationIndex", base64_encode(message.conversation_index));
  if (has(kDeliveryReceipt)) members.boolean("isDeliveryReceiptRequested", message.delivery_receipt_requested);
  if (has(kReadReceipt)) members.boolean("isReadReceiptRequested", message.read_receipt_requested);
  if (has(kIsRead)) members.boolean("isRead", message.is_read);
  if (has(kIsDraft)) members.boolean("isDraft", message.is_draft);
  if (has(kWebLink)) {
    members.text("webLink", "https://outlook.office365.com/owa/?ItemID=" + base64_path(id) +
                                "&exvsurl=1&viewmodel=ReadMessageItem");
  }
  if (has(kInference)) members.text("inferenceClassification", message.inference);
  if (has(kBody)) {
    members.name("body");
    append_body(out, message, view);
  }
  if (has(kUniqueBody)) {
    members.name("uniqueBody");
    append_body(out, message, view);
  }
  if (has(kSender) && (message.sender || !message.is_draft)) {
    members.name("sender");
    if (message.sender) {
      append_address(out, *message.sender);
    } else {
      out += "null";
    }
  }
  if (has(kFrom) && (message.from || !message.is_draft)) {
    members.name("from");
    if (message.from) {
      append_address(out, *message.from);
    } else {
      out += "null";
    }
  }
  struct Recipients {
    Property property;
    const std::vector<Address>* list;
  };
  for (const Recipients& each : {Recipients{kTo, &message.to}, Recipients{kCc, &message.cc},
                                 Recipients{kBcc, &message.bcc}, Recipients{kReplyTo, &message.reply_to}}) {
    if (!has(each.property)) continue;
    members.name(kNames[each.property]);
    append_addresses(out, *each.list);
  }
  if (has(kFlag))
    members.json("flag", message.flag.is_null() ? Json(Json::Object{{"flagStatus", "notFlagged"}}) : message.flag);
  if (has(kMeetingType) && meeting) members.text("meetingMessageType", meeting_type(message));
  // Left out, not empty, for what never travelled (what-users-ask.md 2.1).
  if (const HeaderList headers = has(kInternetHeaders) ? shown_headers(message) : HeaderList(); !headers.empty()) {
    members.name("internetMessageHeaders");
    out += '[';
    for (const auto& header : headers) {
      if (&header != &headers.front()) out += ',';
      out += "{\"name\":";
      append_json_string(out, header.first);
      out += ",\"value\":";
      append_json_string(out, header.second);
      out += '}';
    }
    out += ']';
  }
  if (!view.expand.property_ids.empty()) {
    Json::Array found;
    for (const auto& property : view.expand.property_ids) {
      if (const auto value = property_value(message, property)) {
        found.emplace_back(Json::Object{{"id", property}, {"value", *value}});
      }
    }
    // The member is missing when the message has none of them.
    if (!found.empty()) members.json("singleValueExtendedProperties", std::move(found));
  }
  if (!view.expand.multi_property_ids.empty()) {
    Json::Array found;
    for (const auto& property : view.expand.multi_property_ids) {
      const auto values = message.multi_properties.find(property);
      if (values == message.multi_properties.end()) continue;
      Json::Array texts(values->second.begin(), values->second.end());
      found.emplace_back(Json::Object{{"id", property}, {"value", std::move(texts)}});
    }
    if (!found.empty()) members.json("multiValueExtendedProperties", std::move(found));
  }
  if (view.expand.attachments) {
    members.name("attachments");
    out += '[';
    AttachmentView attachment_view;
    attachment_view.ids = view.ids;
    std::size_t count = 0;
    for (const auto& attachment : message.attachments) {
      if (count++ == 20) break;  // known-issues: at most 20 entries of a relation
      if (count > 1) out += ',';
      out += attachment_json(mailbox, message, attachment, attachment_view, {});
    }
    out += ']';
  }
}

std::string message_json(const Mailbox& mailbox, const Message& message, const View& view, std::string_view context) {
  std::string out = "{";
  if (!context.empty()) {
    out += "\"@odata.context\":";
    append_json_string(out, context);
    out += ',';
  }
  append_message_members(out, mailbox, message, view);
  return out + '}';
}

void append_flag_row(std::string& out, const Mailbox& mailbox, const Message& message, IdForm ids) {
  out += "{\"@odata.type\":\"#microsoft.graph.message\",\"@odata.etag\":";
  append_json_string(out, "W/\"" + mailbox.change_key(message) + "\"");
  out += ",\"id\":";
  append_json_string(out, mailbox.id_of(message, ids));
  out += ",\"isRead\":";
  out += message.is_read ? "true" : "false";
  out += ",\"parentFolderId\":";
  append_json_string(out, mailbox.id_of(*message.folder));
  out += '}';
}

std::string folder_json(Mailbox& mailbox, const Folder& folder, std::string_view context, const FolderView& view) {
  const auto& select = view.select;
  static const std::set<std::string_view> known = {
      "id", "displayName", "parentFolderId", "childFolderCount", "unreadItemCount", "totalItemCount", "isHidden"};
  if (select) {
    for (const auto& name : *select) {
      if (known.count(name) == 0) {
        throw bad_request("Could not find a property named '" + name + "' on type 'microsoft.graph.mailFolder'.");
      }
    }
  }
  const auto has = [&](std::string_view name) {
    return !select || std::find(select->begin(), select->end(), name) != select->end();
  };
  std::string out = "{";
  Members members(out);
  if (!context.empty()) members.text("@odata.context", context);
  members.text("id", mailbox.id_of(folder));
  if (has("displayName")) members.text("displayName", folder.name);
  // The root's parent exists but cannot be read; its id is the root's own here.
  if (has("parentFolderId")) members.text("parentFolderId", mailbox.id_of(folder.parent ? *folder.parent : folder));
  if (has("childFolderCount")) members.number("childFolderCount", mailbox.children(&folder, false).size());
  if (has("unreadItemCount")) members.number("unreadItemCount", folder.unread);
  if (has("totalItemCount")) members.number("totalItemCount", folder.by_received.size());
  if (has("isHidden")) members.boolean("isHidden", folder.hidden);
  if (view.children) {
    members.name("childFolders");
    out += '[';
    std::size_t count = 0;
    for (const Folder* child : mailbox.children(&folder, view.hidden_children)) {
      if (count++ == 20) break;  // known-issues: at most 20 entries of a relation
      if (count > 1) out += ',';
      out += folder_json(mailbox, *child, {}, {});
    }
    out += ']';
  }
  return out + '}';
}

void check_attachment_select(const std::vector<std::string>& names) {
  static const std::set<std::string_view> base = {"id",   "name",     "contentType",
                                                  "size", "isInline", "lastModifiedDateTime"};
  static const std::set<std::string_view> derived = {"microsoft.graph.fileAttachment/contentId",
                                                     "microsoft.graph.fileAttachment/contentBytes",
                                                     "microsoft.graph.fileAttachment/contentLocation"};
  for (const auto& name : names) {
    if (base.count(name) == 0 && derived.count(name) == 0) {
      throw bad_request("Could not find a property named '" + name + "' on type 'microsoft.graph.attachment'.");
    }
  }
}

std::size_t attachment_size(const Attachment& attachment) {
  return attachment.size() + 174 + (attachment.name ? 2 * attachment.name->size() : 0);
}

std::string attachment_json(const Mailbox& mailbox, const Message& message, const Attachment& attachment,
                            const AttachmentView& view, std::string_view context) {
  const auto has = [&](std::string_view name) {
    return !view.select || std::find(view.select->begin(), view.select->end(), name) != view.select->end();
  };
  const auto has_derived = [&](const std::string& name) { return has("microsoft.graph.fileAttachment/" + name); };
  std::string out = "{";
  Members members(out);
  if (!context.empty()) members.text("@odata.context", context);
  members.text("@odata.type", attachment_type(attachment.kind));
  const bool file = attachment.kind == AttachmentKind::file;
  if (file && attachment.content_type) members.text("@odata.mediaContentType", *attachment.content_type);
  members.text("id", mailbox.id_of(message, attachment, view.ids));
  if (has("lastModifiedDateTime")) members.text("lastModifiedDateTime", rfc3339(attachment.modified));
  if (has("name")) members.text_or_null("name", attachment.name);
  if (has("contentType")) members.text_or_null("contentType", attachment.content_type);
  if (has("size")) members.number("size", attachment_size(attachment));
  if (has("isInline")) members.boolean("isInline", attachment.is_inline);
  if (file) {
    if (has_derived("contentId")) members.text_or_null("contentId", attachment.content_id);
    if (has_derived("contentLocation")) members.text_or_null("contentLocation", attachment.content_location);
    if (has_derived("contentBytes")) {
      members.name("contentBytes");
      out += '"';
      out += base64_encode(attachment.bytes ? std::string_view(*attachment.bytes) : std::string_view());
      out += '"';
    }
  }
  if (attachment.kind == AttachmentKind::item && view.item) {
    members.name("item");
    append_item(out, attachment, view.message);
  }
  return out + '}';
}

}  // namespace embedded
