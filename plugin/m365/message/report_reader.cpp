#include "m365/message/report_reader.h"

#include <algorithm>
#include <vector>

#include "m365/message/classify.h"
#include "m365/message/classify_text.h"
#include "m365/message/thread_headers.h"
#include "mime/header.h"
#include "mime/report.h"

namespace m365 {
namespace {

mail::ReportKind kind_of(const mime::RecipientStatus& recipient) {
  if (recipient.action == "failed") return mail::ReportKind::failed;
  if (recipient.action == "delayed") return mail::ReportKind::delayed;
  if (!recipient.action.empty()) return mail::ReportKind::delivered;  // delivered, relayed, expanded
  if (recipient.status.starts_with('4')) return mail::ReportKind::delayed;
  return recipient.status.starts_with('2') ? mail::ReportKind::delivered : mail::ReportKind::failed;
}

const mime::RecipientStatus& worst_of(const std::vector<mime::RecipientStatus>& recipients) {
  for (const mail::ReportKind kind : {mail::ReportKind::failed, mail::ReportKind::delayed}) {
    for (const mime::RecipientStatus& recipient : recipients) {
      if (kind_of(recipient) == kind) return recipient;
    }
  }
  return recipients.front();
}

// Enough of html to find addresses and ids in it: tags out, the references that stand around ids decoded.
std::string text_of_html(std::string_view html) {
  std::string text;
  text.reserve(html.size());
  for (std::size_t at = 0; at < html.size();) {
    if (html[at] == '<') {
      const std::size_t end = html.find('>', at);
      text += ' ';
      if (end == std::string_view::npos) break;
      at = end + 1;
      continue;
    }
    if (html[at] == '&') {
      const std::string_view rest = html.substr(at, 6);
      const auto is = [&](std::string_view name) { return rest.starts_with(name); };
      const char meant = is("&lt;") ? '<' : is("&gt;") ? '>' : is("&amp;") ? '&' : is("&nbsp;") ? ' ' : '\0';
      if (meant != '\0') {
        text += meant;
        at = html.find(';', at) + 1;
        continue;
      }
    }
    text += html[at++];
  }
  return text;
}

bool address_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x80 || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("._%+-=~!#$&'*/?^`{|}").find(c) != std::string_view::npos;
}

// The first address in the text that is not one of the mail itself.
std::string first_recipient(std::string_view text, const ReportText& source) {
  const auto own = [&source](std::string_view address) {
    if (mime::same_name(address, source.queue_address)) return true;
    const auto is = [address](const mail::Address& a) { return mime::same_name(a.address, address); };
    if ((source.row.from && is(*source.row.from)) || (source.row.sender && is(*source.row.sender))) return true;
    return std::any_of(source.row.to.begin(), source.row.to.end(), is);
  };
  constexpr std::size_t longest = 254;
  for (std::size_t at = text.find('@'); at != std::string_view::npos; at = text.find('@', at + 1)) {
    std::size_t begin = at, end = at + 1;
    while (begin > 0 && at - begin < longest && address_character(text[begin - 1])) --begin;
    while (end < text.size() && end - at < longest && address_character(text[end]) && text[end] != '/') ++end;
    while (end > at + 1 && (text[end - 1] == '.' || text[end - 1] == '\'')) --end;
    while (begin < at && (text[begin] == '\'' || text[begin] == '.')) ++begin;
    const std::string_view address = text.substr(begin, end - begin);
    const bool whole = begin < at && address.find('.', at - begin) != std::string_view::npos;
    if (whole && !own(address)) return std::string(address);
  }
  return {};
}

// "Message-ID: <...>" in the copy of the headers that many bounces quote; the last line of that name wins nothing, the
// first is the outermost mail's.
std::string quoted_message_id(std::string_view text) {
  constexpr std::string_view name = "message-id:";
  for (std::size_t at = text.find(':'); at != std::string_view::npos; at = text.find(':', at + 1)) {
    if (at + 1 < name.size() || !mime::same_name(text.substr(at + 1 - name.size(), name.size()), name)) continue;
    const std::vector<std::string> ids = mime::parse_message_ids(text.substr(at + 1, 400));
    if (!ids.empty()) return ids.front();
  }
  return {};
}

bool is_delivery_status(const mime::Entity& entity) {
  return entity.is("message/delivery-status") || entity.is("message/global-delivery-status");
}
bool is_disposition(const mime::Entity& entity) {
  return entity.is("message/disposition-notification") || entity.is("message/global-disposition-notification");
}

}  // namespace

bool is_status(const mime::Entity& entity) {
  return is_delivery_status(entity) || is_disposition(entity);
}

std::optional<mail::Report> read_report(const std::vector<mime::Entity>& parts, std::uint32_t& flags) {
  for (const mime::Entity& part : parts) {
    if (part.is("message/feedback-report")) {
      flags &= ~static_cast<std::uint32_t>(mail::bounce);
      return std::nullopt;
    }
    mail::Report report;
    if (is_delivery_status(part)) {
      const std::vector<mime::RecipientStatus> recipients = mime::parse_delivery_status(part.start);
      if (recipients.empty()) continue;
      const mime::RecipientStatus& told = worst_of(recipients);
      report.kind = kind_of(told);
      report.recipient = told.recipient;
      report.status = told.status;
      if (report.kind == mail::ReportKind::delivered) {
        flags &= ~static_cast<std::uint32_t>(mail::bounce);
      } else {
        flags |= mail::bounce;
      }
      report.original_message_id = mime::reported_message_id(parts);
      return report;
    }
    if (is_disposition(part)) {
      const mime::Disposition disposition = mime::parse_disposition(part.start);
      flags |= mail::read_receipt;
      report.kind = disposition.type == "displayed" || disposition.type.empty() ? mail::ReportKind::read
                    : disposition.type == "failed"                              ? mail::ReportKind::failed
                                                                                : mail::ReportKind::delivered;
      report.recipient = disposition.recipient;
      report.status = disposition.type;
      report.original_message_id = disposition.original_message_id;
      if (report.original_message_id.empty()) report.original_message_id = mime::reported_message_id(parts);
      return report;
    }
  }
  return std::nullopt;
}

mail::Report read_report_text(const ReportText& source) {
  mail::Report report;
  const std::string stripped = source.html ? text_of_html(source.text) : std::string();
  const std::string_view text = source.html ? std::string_view(stripped) : source.text;
  report.status = find_status_code(text);
  report.kind = report.status.starts_with('4') ? mail::ReportKind::delayed : mail::ReportKind::failed;
  if (const std::string* failed = find_header(source.row.headers, "X-Failed-Recipients")) {
    report.recipient = std::string(mime::trim(std::string_view(*failed).substr(0, failed->find(','))));
  } else {
    report.recipient = first_recipient(text, source);
  }
  report.original_message_id = quoted_message_id(text);
  return report;
}

std::string answered_message_id(const HeaderList& headers) {
  if (std::string id = in_reply_to(headers); !id.empty()) return id;
  std::vector<std::string> all = references(headers);
  if (!all.empty()) return std::move(all.back());
  const std::string* parent = find_header(headers, "X-MS-Exchange-Parent-Message-Id");
  std::vector<std::string> ids = parent ? mime::parse_message_ids(*parent) : std::vector<std::string>();
  return ids.empty() ? std::string() : std::move(ids.front());
}

}  // namespace m365
