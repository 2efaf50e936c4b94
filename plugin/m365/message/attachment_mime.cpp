#include "m365/message/attachment_mime.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "http/transport.h"
#include "m365/message/attachment_parts.h"
#include "m365/message/attachment_source.h"

namespace m365 {
namespace {

// What an undecided mail may hold of a signed one's attachments; signatures have some 5 KB.
constexpr std::size_t most_kept = 256 * 1024;

bool is_attachment(const mime::Entity& part) {
  return part.disposition.value == "attachment" || !part.file_name().empty();
}

std::string file_name_of(const mime::Entity& part) {
  const std::string name = part.file_name();
  if (!name.empty() || !part.is("message/rfc822")) return name;
  const std::string subject = part.children.empty() ? std::string() : part.children[0].headers.text("Subject");
  return (subject.empty() ? "message" : subject) + ".eml";
}

[[noreturn]] void throw_changed(const std::string& mailbox) {
  mail::Fault fault;
  fault.cause = mail::Cause::service_fault;
  fault.remedy = mail::Remedy::item;
  fault.text = mailbox + ": an attachment of a signed mail is not where it was when the mail was read.";
  throw mail::FaultError(std::move(fault));
}

// What is needed to find one part again; outlives the context.
struct PartAgain {
  GraphClient& graph;
  MailboxSettings mailbox;
  std::string message_id;
  std::stop_token stop;
  std::size_t limit, index;  ///< index in walk(root, false)
  std::string media_type, file_name;
};

std::unique_ptr<mail::ByteSource> open_again(const PartAgain& wanted) {
  const MailContext context{wanted.graph, wanted.mailbox, {}, {}, wanted.stop, {}};
  const std::optional<MimeForm> form = read_mime(context, wanted.message_id, wanted.limit);
  if (!form || !form->whole) throw_changed(wanted.mailbox.address);
  const mime::Entity root = mime::parse(form->text);
  const std::vector<const mime::Entity*> parts = mime::walk(root, false);
  if (wanted.index >= parts.size()) throw_changed(wanted.mailbox.address);
  const mime::Entity& part = *parts[wanted.index];
  if (!part.is(wanted.media_type) || file_name_of(part) != wanted.file_name) throw_changed(wanted.mailbox.address);
  return open_text(part.bytes())();
}

}  // namespace

std::optional<MimeForm> read_mime(const MailContext& context, const std::string& message_id, std::size_t limit) {
  const GraphRequest request =
      message_request(context.mailbox, message_path(context.mailbox, message_id) + "/$value", "read the original mail");
  MimeForm form;
  try {
    const std::unique_ptr<http::Exchange> exchange = context.graph.open(request, context.stop);
    std::array<char, 16 * 1024> block;
    while (form.text.size() < limit) {
      const std::size_t count = exchange->read(block.data(), std::min(block.size(), limit - form.text.size()));
      if (count == 0) {
        form.whole = true;
        break;
      }
      form.text.append(block.data(), count);
    }
  } catch (const GraphError& error) {
    if (!is_damaged(error)) throw;
    return std::nullopt;
  } catch (const http::TransportError& error) {
    throw transport_fault(error, {request.mailbox, request.operation, false});
  }
  return form;
}

SignedContent signed_content(const MailContext& context, const std::string& message_id, const mime::Entity& root,
                             std::size_t limit) {
  SignedContent content;
  const std::vector<const mime::Entity*> parts = mime::walk(root, false);
  std::size_t kept = 0;
  for (std::size_t index = 0; index < parts.size(); ++index) {
    const mime::Entity& entity = *parts[index];
    if (entity.is_multipart()) continue;
    if (!is_attachment(entity) && entity.is("text/plain") && !content.text) {
      content.text = entity.text();
      continue;
    }
    if (!is_attachment(entity) && entity.is("text/html") && !content.html) {
      content.html = entity.text();
      continue;
    }
    mail::Part part;
    part.kind = mail::PartKind::attachment;
    part.media_type = entity.content_type.value;
    part.file_name = file_name_of(entity);
    part.content_id = entity.content_id();
    std::string bytes = entity.bytes();
    part.size_hint = static_cast<std::int64_t>(bytes.size());
    if (kept + bytes.size() <= most_kept) {
      kept += bytes.size();
      part.open = open_text(std::move(bytes));
    } else {
      part.open = [again = PartAgain{context.graph, context.mailbox, message_id, context.stop, limit, index,
                                     part.media_type, part.file_name}] { return open_again(again); };
    }
    content.attachments.push_back(std::move(part));
  }
  if (content.html) {
    const std::vector<std::string> shown = content_ids_shown(*content.html);
    for (mail::Part& part : content.attachments) {
      const bool inlined = std::binary_search(shown.begin(), shown.end(), mime::lower(part.content_id));
      if (!part.content_id.empty() && inlined) part.kind = mail::PartKind::inline_part;
    }
  }
  return content;
}

std::optional<mail::Part> calendar_part(const mime::Entity& root) {
  for (const mime::Entity* entity : mime::walk(root, false)) {
    if (!entity->is("text/calendar")) continue;
    std::string calendar = entity->text();
    mail::Part part;
    part.kind = mail::PartKind::attachment;
    part.file_name = "invite.ics";
    part.media_type = "text/calendar";
    part.size_hint = static_cast<std::int64_t>(calendar.size());
    part.open = open_text(std::move(calendar));
    return part;
  }
  return std::nullopt;
}

}  // namespace m365
