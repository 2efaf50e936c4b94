#include "m365/mail_builder.h"

#include <utility>

#include "m365/attachment_parts.h"
#include "m365/attachment_source.h"
#include "m365/delivered_to.h"
#include "m365/thread_headers.h"
#include "mime/header.h"

namespace m365 {
namespace {

mail::Importance importance_of(const std::optional<std::string>& text) {
  if (!text) return mail::Importance::normal;
  if (mime::same_name(*text, "low")) return mail::Importance::low;
  return mime::same_name(*text, "high") ? mail::Importance::high : mail::Importance::normal;
}

bool is_html(const MessageRow& row) {
  return row.body_type && mime::same_name(*row.body_type, "html");
}

// What stands in the row itself, copied over.
mail::Mail envelope(const MailContext& context, const MessageRow& row) {
  mail::Mail mail;
  mail.stable_id = context.stable_id;
  mail.service_id = row.id;
  mail.mailbox = context.mailbox.user;
  mail.folder = context.folder_name;
  mail.delivered_to = delivered_to(row, context.mailbox.address, context.mailbox.user);
  mail.internet_message_id = row.internet_message_id.value_or("");
  mail.in_reply_to = in_reply_to(row.headers);
  mail.references = references(row.headers);
  mail.conversation_id = row.conversation_id.value_or("");
  mail.subject = row.subject.value_or("");
  mail.from = row.from.value_or(mail::Address{});
  mail.sender = row.sender.value_or(mail::Address{});
  mail.reply_to = row.reply_to;
  mail.to = row.to;
  mail.cc = row.cc;
  mail.bcc = row.bcc;
  mail.received = row.received.value_or(mail::WallTime{});
  mail.sent = row.sent.value_or(mail::WallTime{});
  mail.importance = importance_of(row.importance);
  mail.headers = row.headers;
  return mail;
}

mail::Part body_part(const MessageRow& row) {
  mail::Part part;
  part.kind = is_html(row) ? mail::PartKind::html : mail::PartKind::text;
  part.media_type = is_html(row) ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
  part.size_hint = static_cast<std::int64_t>(row.body->size());
  part.open = open_text(*row.body);
  return part;
}

mail::Part original_part(const MailContext& context, const MessageRow& row) {
  mail::Part part;
  part.kind = mail::PartKind::original;
  part.file_name = "original.eml";
  part.media_type = "message/rfc822";
  part.open = open_graph(context.graph,
                         message_request(context, message_path(context, row.id) + "/$value", "read the original mail"),
                         context.stop);
  return part;
}

}  // namespace

BuiltMail build_mail(const MailContext& context, const MessageRow& row) {
  BuiltMail built;
  built.mail = envelope(context, row);
  const std::string_view body = row.body ? std::string_view(*row.body) : std::string_view();
  const std::string_view html = is_html(row) ? body : std::string_view();
  // Pictures inside the text do not count for hasAttachments (graph-mail.md, section 3).
  std::vector<AttachmentRow> attachments;
  if (row.has_attachments.value_or(true) || !content_ids_shown(html).empty()) {
    attachments = list_attachments(context, row.id);
  }
  built.attachments_digest = attachments_digest(attachments);
  if (row.body) built.mail.parts.push_back(body_part(row));
  for (mail::Part& part : attachment_parts(context, row.id, attachments, html)) {
    built.mail.parts.push_back(std::move(part));
  }
  built.mail.parts.push_back(original_part(context, row));
  return built;
}

}  // namespace m365
