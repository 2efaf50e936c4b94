// What the control door shows of a mailbox.
#include "m365/control/control.h"
#include "m365/graph/render.h"
#include "m365/mime/mime_header.h"
#include "m365/mime/text.h"
#include "m365/world/directory.h"
#include "m365/world/mailbox.h"

namespace embedded {
namespace {

Json address_json(const std::optional<Address>& address) {
  if (!address) return {};
  return Json::Object{{"name", address->name}, {"address", address->address}};
}

Json addresses_json(const std::vector<Address>& addresses) {
  Json list{Json::Array{}};
  for (const auto& address : addresses) list.push(address_json(address));
  return list;
}

Json optional_text(const std::optional<std::string>& text) {
  return text ? Json(*text) : Json();
}

}  // namespace

Folder* find_folder(Mailbox& mailbox, const std::string& name) {
  if (Folder* folder = mailbox.well_known(name)) return folder;
  if (const auto id = decode_folder_id(name)) return mailbox.folder(id->folder);
  for (Folder* folder : mailbox.folders()) {
    if (equal_ignoring_case(folder->name, name)) return folder;
  }
  return nullptr;
}

Json state_of(Mailbox& mailbox, const Message& message, bool bodies) {
  Json attachments{Json::Array{}};
  for (const auto& attachment : message.attachments) {
    const std::string_view bytes = attachment.bytes ? std::string_view(*attachment.bytes) : std::string_view();
    const char* kind = attachment.kind == AttachmentKind::file   ? "file"
                       : attachment.kind == AttachmentKind::item ? "message"
                                                                 : "link";
    attachments.push(Json::Object{{"id", mailbox.id_of(message, attachment, IdForm::immutable)},
                                  {"name", optional_text(attachment.name)},
                                  {"content_type", optional_text(attachment.content_type)},
                                  {"size", bytes.size()},
                                  {"sha256", sha256_hex(bytes)},
                                  {"inline", attachment.is_inline},
                                  {"content_id", optional_text(attachment.content_id)},
                                  {"kind", kind}});
  }
  Json properties{Json::Array{}};
  for (const auto& property : message.properties) {
    properties.push(Json::Object{{"id", property.id}, {"value", property.value}});
  }
  Json headers{Json::Array{}};
  for (const auto& [name, value] : message.own_headers) headers.push(Json::Array{Json(name), Json(value)});
  Json references{Json::Array{}};
  for (const auto& id : message_ids(message.references)) references.push(id);
  Json categories{Json::Array{}};
  for (const auto& category : message.categories) categories.push(category);
  Json state =
      Json::Object{{"id", mailbox.id_of(message, IdForm::ordinary)},
                   {"immutable_id", mailbox.id_of(message, IdForm::immutable)},
                   {"subject", optional_text(message.subject)},
                   {"internet_message_id", message.internet_message_id},
                   {"is_read", message.is_read},
                   {"is_draft", message.is_draft},
                   {"folder", message.folder->well_known.empty() ? message.folder->name : message.folder->well_known},
                   {"received", rfc3339(message.received)},
                   {"sent", rfc3339(message.sent_time)},
                   {"from", address_json(message.from)},
                   {"sender", address_json(message.sender)},
                   {"to", addresses_json(message.to)},
                   {"cc", addresses_json(message.cc)},
                   {"bcc", addresses_json(message.bcc)},
                   {"reply_to", addresses_json(message.reply_to)},
                   {"in_reply_to", message.in_reply_to},
                   {"references", std::move(references)},
                   {"conversation_id", conversation_id_text(mailbox, message)},
                   {"message_class", message.message_class},
                   {"importance", message.importance},
                   {"categories", std::move(categories)},
                   {"size", message.size()},
                   {"headers", std::move(headers)},
                   {"properties", std::move(properties)},
                   {"attachments", std::move(attachments)}};
  if (bodies) {
    state.set("text", optional_text(message.text));
    state.set("html", optional_text(message.html));
  }
  return state;
}

Json state_of(const User& user, const std::string& folder_filter, bool bodies) {
  Json folders{Json::Array{}};
  if (user.mailbox) {
    Mailbox& mailbox = *user.mailbox;
    const auto lock = mailbox.lock();
    const Folder* only = folder_filter.empty() ? nullptr : find_folder(mailbox, folder_filter);
    for (const Folder* folder : mailbox.folders()) {
      if (!folder_filter.empty() && folder != only) continue;
      Json messages{Json::Array{}};
      for (const Message* message : folder->by_received) messages.push(state_of(mailbox, *message, bodies));
      folders.push(Json::Object{{"id", mailbox.id_of(*folder)},
                                {"name", folder->name},
                                {"well_known", folder->well_known.empty() ? Json() : Json(folder->well_known)},
                                {"total", folder->by_received.size()},
                                {"unread", folder->unread},
                                {"messages", std::move(messages)}});
    }
  }
  return Json::Object{
      {"address", user.primary_address()}, {"upn", user.upn}, {"id", user.id}, {"folders", std::move(folders)}};
}

}  // namespace embedded
