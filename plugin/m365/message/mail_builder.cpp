#include "m365/message/mail_builder.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "m365/message/attachment_mime.h"
#include "m365/message/attachment_parts.h"
#include "m365/message/attachment_source.h"
#include "m365/message/classify.h"
#include "m365/message/delivered_to.h"
#include "m365/message/report_reader.h"
#include "m365/message/safe_links.h"
#include "m365/message/thread_headers.h"
#include "mime/header.h"
#include "mime/outline.h"
#include "mime/report.h"

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

mail::Part body_part(mail::PartKind kind, std::string text) {
  mail::Part part;
  part.kind = kind;
  part.media_type = kind == mail::PartKind::html ? "text/html; charset=utf-8" : "text/plain; charset=utf-8";
  part.size_hint = static_cast<std::int64_t>(text.size());
  part.open = open_text(std::move(text));
  return part;
}

mail::Part original_part(const MailContext& context, const MessageRow& row) {
  mail::Part part;
  part.kind = mail::PartKind::original;
  part.file_name = "original.eml";
  part.media_type = "message/rfc822";
  part.open = open_graph(
      context.graph,
      message_request(context.mailbox, message_path(context.mailbox, row.id) + "/$value", "read the original mail"),
      context.stop);
  return part;
}

// One mail on its way from the row to the host; the steps stand in the order in which build() runs them.
class Builder {
 public:
  Builder(const MailContext& context, const MessageRow& row)
      : context_(context),
        row_(row),
        body_(row.body ? std::string_view(*row.body) : std::string_view()),
        html_(is_html(row) ? body_ : std::string_view()),
        limit_(context.mailbox.max_email_size_kb == 0 ? UINT64_MAX : context.mailbox.max_email_size_kb * 1024) {}

  BuiltMail build() {
    built_.mail = envelope(context_, row_);
    list();
    kind_ = classify(row_, attachments_);
    if (kind_.ask_class) ask_class();
    measure();
    read_inside();
    tell_own_mail();
    add_parts();
    built_.mail.flags |= kind_.flags;
    built_.scan_pending = (kind_.flags & mail::scan_pending) != 0;
    built_.attachments_digest = attachments_digest(attachments_);
    return std::move(built_);
  }

 private:
  void list() {
    // Pictures inside the text do not count for hasAttachments (graph-mail.md, section 3).
    if (!row_.has_attachments.value_or(true) && content_ids_shown(html_).empty()) return;
    try {
      attachments_ = list_attachments(context_, row_.id);
    } catch (const GraphError& error) {
      if (!is_damaged(error)) throw;
    }
  }

  // Needed by few: see Classification::ask_class. Extended properties cannot be had with delta (section 6).
  void ask_class() {
    const GraphRequest request = message_request(context_.mailbox,
                                                 message_path(context_.mailbox, row_.id) +
                                                     "?$select=id&$expand=singleValueExtendedProperties("
                                                     "$filter=id%20eq%20%27String%200x001A%27)",
                                                 "read the class of a mail");
    try {
      apply_message_class(decode_extended_property(context_.graph.send(request, context_.stop).body), kind_);
    } catch (const GraphError& error) {
      // Refused for good: the mail is delivered by what its headers say.
      if (error.action() != Action::permanent && error.status() != 501 && !is_damaged(error)) throw;
    }
  }

  // As Graph counts, with the overhead of the attachments; v1.0 has no size of a message.
  void measure() {
    std::uint64_t size = body_.size() + attachments_size(attachments_);
    for (const auto& [name, value] : row_.headers) size += name.size() + value.size() + 4;
    built_.mail.size_bytes = static_cast<std::int64_t>(size);
    if (size > limit_) kind_.flags |= mail::oversize;
  }

  bool oversize() const { return (kind_.flags & mail::oversize) != 0; }

  void read_inside() {
    if (kind_.clear_signed && !oversize()) {
      read_signed_parts();
    } else if (kind_.report) {
      read_report_details();
    } else if (kind_.meeting_details && !oversize()) {
      calendar_ = read_calendar(context_, row_.id, limit_);
    }
  }

  void read_signed_parts() {
    signed_ = read_signed(context_, row_.id, limit_);
    if (!signed_) return;
    if (signed_->reading == MimeReading::whole) {
      built_.mail.size_bytes = static_cast<std::int64_t>(signed_->size);
      return;
    }
    if (signed_->reading == MimeReading::too_long) kind_.flags |= mail::oversize;
    signed_.reset();
  }

  void read_report_details() {
    // A status and the headers of the returned mail stand near the start, whatever hangs on behind.
    constexpr std::uint64_t report_limit = 1u << 20;
    const std::string* type = find_header(row_.headers, "Content-Type");
    // Flattened ones have nothing inside that the row does not show.
    const bool flat = type && mime::lower(mime::trim(*type)).starts_with("text/");
    std::optional<mail::Report> report;
    std::string returned;  // Message-ID of the mail that came back with the report
    std::string text;      // of the MIME form: an empty html form can hide it from the row
    if (!flat) {
      mime::OutlineReader reader([](const mime::Entity& entity) {
        if (is_status(entity)) return mime::Keep{most_status_kept};
        return mime::Keep{mime::is_returned_mail(entity) || entity.is("text/plain") ? most_returned_kept : 0};
      });
      read_mime(context_, row_.id, report_limit, reader, [&reader] {
        const auto told = [](const mime::Entity& entity) { return is_status(entity) && entity.complete; };
        const auto& parts = reader.entities();
        return std::any_of(parts.begin(), parts.end(), told) && !mime::reported_message_id(parts).empty();
      });
      report = read_report(reader.entities(), kind_.flags);
      returned = mime::reported_message_id(reader.entities());
      if (const mime::Entity* entity = reader.find("text/plain")) text = entity->text();
    }
    if (!report && (kind_.flags & mail::bounce) != 0) {
      report = read_report_text({row_, context_.mailbox.address, body_, is_html(row_)});
      if (report->recipient.empty() && report->status.empty()) {
        report = read_report_text({row_, context_.mailbox.address, text, false});
      }
      if (!returned.empty()) report->original_message_id = returned;
    }
    if (!report) return;
    const std::string answered = answered_message_id(row_.headers);
    if (report->original_message_id.empty()) report->original_message_id = answered;
    report->key = key_of(report->original_message_id);
    if (report->key.empty() && answered != report->original_message_id) report->key = key_of(answered);
    built_.mail.report = std::move(report);
  }

  std::string key_of(const std::string& internet_message_id) const {
    return internet_message_id.empty() || !context_.key_of_sent ? std::string()
                                                                : context_.key_of_sent(internet_message_id);
  }

  // Our own words back: from this queue, or from another one of ours in the same domain.
  void tell_own_mail() {
    const std::string& from = built_.mail.from.address;
    if (from.empty()) return;
    const auto domain = [](std::string_view address) {
      return address.substr(std::min(address.find('@'), address.size()));
    };
    const bool own = mime::same_name(from, context_.mailbox.address) || mime::same_name(from, context_.mailbox.user);
    const bool colleague = !own && mime::same_name(domain(from), domain(context_.mailbox.address));
    if (own || (colleague && !key_of(built_.mail.internet_message_id).empty())) kind_.flags |= mail::own_mail;
  }

  void add_parts() {
    std::vector<mail::Part>& parts = built_.mail.parts;
    add_body();
    std::vector<mail::Part> attached;
    if (signed_) {
      attached = std::move(signed_->attachments);
    } else {
      attached = attachment_parts(context_, row_.id, attachments_, html_, !oversize());
    }
    if (calendar_) attached.push_back(std::move(*calendar_));
    attached.push_back(original_part(context_, row_));
    for (mail::Part& part : attached) {
      if (oversize() && part.kind != mail::PartKind::link) {
        part.open =
            open_refused("The mail is larger than the " + std::to_string(context_.mailbox.max_email_size_kb) +
                         " KB that max_email_size_kb allows for " + context_.mailbox.address + "; open it in Outlook.");
      }
      parts.push_back(std::move(part));
    }
  }

  void add_body() {
    std::vector<mail::Part>& parts = built_.mail.parts;
    if (signed_ && (signed_->text || signed_->html)) {
      if (signed_->text) parts.push_back(body_part(mail::PartKind::text, std::move(*signed_->text)));
      if (signed_->html) parts.push_back(body_part(mail::PartKind::html, std::move(*signed_->html)));
      return;  // Safe Links leaves signed mails alone (exchange-admin.md, section 9)
    }
    if (!row_.body || body_.size() > limit_) return;
    SafeLinks links = find_safe_links(body_, is_html(row_));
    if (links.rewritten) kind_.flags |= mail::links_rewritten;
    built_.mail.links = std::move(links.links);
    parts.push_back(body_part(is_html(row_) ? mail::PartKind::html : mail::PartKind::text, *row_.body));
  }

  const MailContext& context_;
  const MessageRow& row_;
  const std::string_view body_, html_;
  const std::uint64_t limit_;
  BuiltMail built_;
  Classification kind_;
  std::vector<AttachmentRow> attachments_;
  std::optional<SignedContent> signed_;
  std::optional<mail::Part> calendar_;
};

}  // namespace

MessageRow fetch_message(GraphClient& graph, const MailboxSettings& mailbox, const std::string& message_id,
                         std::stop_token stop) {
  const std::string path = message_path(mailbox, message_id) + "?$select=";
  std::optional<http::Response> whole;
  try {
    whole = graph.send(message_request(mailbox, path + message_select, "read a mail"), stop);
  } catch (const GraphError& error) {
    if (!is_damaged(error)) throw;
  } catch (const mail::FaultError& error) {
    if (error.fault().remedy != mail::Remedy::item) throw;  // more than an answer may have
  }
  if (whole) return decode_message(whole->body);
  std::string select = message_select;
  if (const std::size_t at = select.find(",body"); at != std::string::npos) select.erase(at, 5);
  MessageRow row = decode_message(graph.send(message_request(mailbox, path + select, "read a mail"), stop).body);
  row.unreadable.emplace_back("body");
  return row;
}

BuiltMail build_mail(const MailContext& context, const MessageRow& row) {
  return Builder(context, row).build();
}

}  // namespace m365
