#include "m365/message/attachment_parts.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <utility>

#include "http/message.h"
#include "m365/graph/graph_client.h"
#include "m365/message/attachment_source.h"
#include "mime/header.h"
#include "mime/transfer.h"

namespace m365 {
namespace {

// A mail has at most some hundred attachments; a list that goes on for ever is a broken answer.
constexpr int most_pages = 100;

using mime::lower;

std::string_view without_brackets(std::string_view content_id) {
  if (content_id.size() >= 2 && content_id.front() == '<' && content_id.back() == '>') {
    content_id = content_id.substr(1, content_id.size() - 2);
  }
  return content_id == "null" ? std::string_view() : content_id;
}

// The list does not tell whether an item is a mail, an appointment or a contact (graph-mail.md, section 9), and neither
// does its name: the first bytes do. One short request for each of these few.
std::string look_into(const OpenPart& open) {
  std::array<char, 64> block;
  std::string start;
  try {
    const std::unique_ptr<mail::ByteSource> source = open();
    while (start.size() < 32) {
      const std::size_t count = source->read(block.data(), block.size());
      if (count == 0) break;
      start.append(block.data(), count);
    }
  } catch (const mail::FaultError& error) {
    // What is wrong with this item its reader will be told; the mail around it is good.
    if (error.fault().remedy != mail::Remedy::item) throw;
  }
  std::string_view text = start;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  text = mime::trim(text);
  if (mime::same_name(text.substr(0, 15), "BEGIN:VCALENDAR")) return "text/calendar";
  if (mime::same_name(text.substr(0, 11), "BEGIN:VCARD")) return "text/vcard";
  return "message/rfc822";
}

std::string item_media_type(const AttachmentRow& row, const OpenPart& open, bool may_look) {
  const std::string told = mime::parse_parameterised(row.content_type).value;
  if (told == "message/rfc822" || told == "text/calendar" || told == "text/vcard") return told;
  return may_look ? look_into(open) : "message/rfc822";
}

std::string item_file_name(const AttachmentRow& row, const std::string& media_type) {
  const char* const ending = media_type == "text/calendar" ? ".ics" : media_type == "text/vcard" ? ".vcf" : ".eml";
  const std::string name = row.name.empty() ? "message" : row.name;
  return lower(name).ends_with(ending) ? name : name + ending;
}

std::vector<AttachmentRow> list_selecting(const MailContext& context, const std::string& message_id,
                                          std::string_view content_id) {
  std::vector<AttachmentRow> rows;
  std::string path = message_path(context.mailbox, message_id) +
                     "/attachments?$select=id,name,contentType,size,isInline" + std::string(content_id);
  for (int page = 0; !path.empty(); ++page) {
    if (page == most_pages) {
      mail::Fault fault;
      fault.cause = mail::Cause::service_fault;
      fault.remedy = mail::Remedy::item;
      fault.text = "Microsoft Graph's list of attachments of one mail in " + context.mailbox.address + " has no end.";
      throw mail::FaultError(std::move(fault));
    }
    const http::Response answer =
        context.graph.send(message_request(context.mailbox, std::move(path), "list the attachments"), context.stop);
    AttachmentPage decoded = decode_attachment_page(answer.body);
    rows.insert(rows.end(), std::make_move_iterator(decoded.rows.begin()), std::make_move_iterator(decoded.rows.end()));
    path = std::move(decoded.next_link);
  }
  return rows;
}

mail::Part link_part(const AttachmentRow& row) {
  mail::Part part;
  part.kind = mail::PartKind::link;
  part.file_name = row.name;
  part.media_type = row.source_url.empty() ? "text/plain" : "text/uri-list";
  // Graph v1.0 tells of a file in the cloud its name and not its address (graph-mail.md, section 9).
  std::string text =
      row.source_url.empty()
          ? "A link to the file \"" + row.name +
                "\" in cloud storage. The service does not tell its address here; open the mail in Outlook."
          : row.source_url;
  part.size_hint = static_cast<std::int64_t>(text.size());
  part.open = open_text(std::move(text));
  return part;
}

std::string digest_of_rows(const std::vector<AttachmentRow>& rows) {
  const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> hash(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_DigestInit_ex(hash.get(), EVP_sha256(), nullptr);
  for (const AttachmentRow& row : rows) {
    for (const std::string& field : {row.name, std::to_string(row.size), row.content_type, row.id}) {
      EVP_DigestUpdate(hash.get(), field.c_str(), field.size() + 1);  // with its NUL, so that fields stay apart
    }
  }
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  EVP_DigestFinal_ex(hash.get(), bytes.data(), &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i) {
    text += "0123456789abcdef"[bytes[i] >> 4];
    text += "0123456789abcdef"[bytes[i] & 15];
  }
  return text;
}

}  // namespace

std::string message_path(const MailboxSettings& mailbox, const std::string& message_id) {
  return user_path(mailbox.user) + "/messages/" + http::percent_encode(message_id);
}

GraphRequest message_request(const MailboxSettings& mailbox, std::string path, std::string operation) {
  GraphRequest request;
  request.path = std::move(path);
  request.operation = std::move(operation);
  request.mailbox = mailbox.user;  // the gate's key: two addresses can be one mailbox
  return request;
}

bool is_damaged(const GraphError& error) {
  const std::string& code = error.fault().code;
  return code == "ErrorItemCorrupt" || code == "ErrorCorruptData" || code == "ErrorContentConversionFailed";
}

std::vector<AttachmentRow> list_attachments(const MailContext& context, const std::string& message_id) {
  // contentId belongs to file attachments only, and that it can be selected by a cast is known from threads alone
  // (section 9). Where the cast is refused, without it: then pictures inside the text count as attachments.
  for (const std::string_view content_id : {",microsoft.graph.fileAttachment/contentId", ",contentId"}) {
    try {
      return list_selecting(context, message_id, content_id);
    } catch (const GraphError& error) {
      if (error.status() != 400) throw;
    }
  }
  return list_selecting(context, message_id, "");
}

std::vector<mail::Part> attachment_parts(const MailContext& context, const std::string& message_id,
                                         const std::vector<AttachmentRow>& rows, std::string_view html, bool may_look) {
  std::vector<mail::Part> parts;
  if (rows.empty()) return parts;  // most mails: their html need not be read for what it shows
  const std::vector<std::string> shown = content_ids_shown(html);
  parts.reserve(rows.size());
  for (const AttachmentRow& row : rows) {
    if (row.kind == AttachmentRow::Kind::reference) {
      parts.push_back(link_part(row));
      continue;
    }
    mail::Part part;
    const bool item = row.kind == AttachmentRow::Kind::item;
    part.content_id = without_brackets(row.content_id);
    const bool inlined =
        !part.content_id.empty() && std::binary_search(shown.begin(), shown.end(), lower(part.content_id));
    part.kind = inlined ? mail::PartKind::inline_part : mail::PartKind::attachment;
    part.size_hint = row.size;
    part.open = open_graph(context.graph,
                           message_request(context.mailbox,
                                           message_path(context.mailbox, message_id) + "/attachments/" +
                                               http::percent_encode(row.id) + "/$value",
                                           "read an attachment"),
                           context.stop);
    if (item) {
      part.media_type = item_media_type(row, part.open, may_look);
      part.file_name = item_file_name(row, part.media_type);
    } else {
      part.media_type = row.content_type.empty() ? "application/octet-stream" : row.content_type;
      part.file_name = row.name;
    }
    parts.push_back(std::move(part));
  }
  return parts;
}

std::string attachments_digest(const std::vector<AttachmentRow>& rows) {
  static const std::string of_none = digest_of_rows({});  // that of most mails
  return rows.empty() ? of_none : digest_of_rows(rows);
}

std::uint64_t attachments_size(const std::vector<AttachmentRow>& rows) {
  std::uint64_t sum = 0;
  for (const AttachmentRow& row : rows) sum += row.size > 0 ? static_cast<std::uint64_t>(row.size) : 0;
  return sum;
}

std::vector<std::string> content_ids_shown(std::string_view html) {
  std::vector<std::string> ids;
  const auto is_cid = [&](std::size_t at) {
    return (html[at] == 'c' || html[at] == 'C') && (html[at + 1] == 'i' || html[at + 1] == 'I') &&
           (html[at + 2] == 'd' || html[at + 2] == 'D');
  };
  for (std::size_t at = html.find(':'); at != std::string_view::npos; at = html.find(':', at + 1)) {
    if (at < 3 || !is_cid(at - 3)) continue;
    if (at > 3 && std::isalnum(static_cast<unsigned char>(html[at - 4]))) continue;  // "acid:", "Lucid:"
    const std::size_t end = std::min(html.find_first_of("\"'<> \t\r\n)", at + 1), html.size());
    const std::string id = lower(mime::decode_percent(html.substr(at + 1, end - at - 1)));
    if (!id.empty()) ids.push_back(id);
  }
  std::sort(ids.begin(), ids.end());
  ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
  return ids;
}

}  // namespace m365
