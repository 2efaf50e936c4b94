#include "m365/message/attachment_mime.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "http/transport.h"
#include "m365/message/attachment_parts.h"
#include "m365/message/attachment_source.h"
#include "m365/message/mime_part_source.h"

namespace m365 {
namespace {

bool is_attachment(const mime::Entity& entity) {
  return entity.disposition.value == "attachment" || !entity.file_name().empty();
}

std::string with_charset(const mime::Entity& entity) {
  const std::string charset = entity.content_type.parameter("charset");
  return charset.empty() ? entity.content_type.value : entity.content_type.value + "; charset=\"" + charset + '"';
}

std::string file_name_of(const mime::Entity& entity) {
  const std::string name = entity.file_name();
  if (!name.empty() || !entity.is("message/rfc822")) return name;
  mime::Headers inner;
  mime::parse_headers(entity.start, inner);
  const std::string subject = inner.text("Subject");
  return (subject.empty() ? "message" : subject) + ".eml";
}

// Decides what of a signed mail is kept: its text, and attachments as long as there is room.
class SignedChoice {
 public:
  explicit SignedChoice(const mime::OutlineReader& reader) : reader_(reader) {}

  mime::Keep operator()(const mime::Entity& entity) {
    const std::size_t index = reader_.entities().size() - 1;
    if (!is_attachment(entity) && !text_ && entity.is("text/plain")) {
      text_ = index;
      return {most_text_kept, true};
    }
    if (!is_attachment(entity) && !html_ && entity.is("text/html")) {
      html_ = index;
      return {most_text_kept, true};
    }
    std::size_t kept = 0;
    for (const std::size_t before : attachments_) kept += reader_.entities()[before].start.size();
    attachments_.push_back(index);
    const std::size_t room = most_attachments_kept - std::min(most_attachments_kept, kept);
    // A mail inside is named by its subject: its headers are needed in any case.
    if (entity.is("message/rfc822")) return {std::min(room, most_returned_kept), false};
    return {room, true};
  }

  bool is_text(std::size_t index) const { return text_ == index; }
  bool is_html(std::size_t index) const { return html_ == index; }

 private:
  const mime::OutlineReader& reader_;
  std::optional<std::size_t> text_, html_;
  std::vector<std::size_t> attachments_;
};

mail::Part attachment(const MailContext& context, const std::string& message_id, const mime::Entity& entity,
                      std::size_t index) {
  mail::Part part;
  part.kind = mail::PartKind::attachment;
  part.media_type = entity.content_type.value;
  part.file_name = file_name_of(entity);
  part.content_id = entity.content_id;
  part.size_hint = static_cast<std::int64_t>(entity.size);
  if (entity.whole()) {
    part.open = open_text(entity.start);
  } else {
    part.open =
        open_mime_part(context, message_id, {index, entity.content_type.value, entity.file_name(), entity.size});
  }
  return part;
}

}  // namespace

MimeReading read_mime(const MailContext& context, const std::string& message_id, std::uint64_t limit,
                      mime::OutlineReader& reader, const std::function<bool()>& enough) {
  const GraphRequest request =
      message_request(context.mailbox, message_path(context.mailbox, message_id) + "/$value", "read the original mail");
  try {
    const std::unique_ptr<http::Exchange> exchange = context.graph.open(request, context.stop);
    std::array<char, 16 * 1024> block;
    while (const std::size_t count = exchange->read(block.data(), block.size())) {
      reader.feed({block.data(), count});
      if (enough && enough()) return MimeReading::enough;
      if (reader.bytes_read() > limit) return MimeReading::too_long;
    }
  } catch (const GraphError& error) {
    if (!is_damaged(error)) throw;
    return MimeReading::damaged;
  } catch (const http::TransportError& error) {
    throw transport_fault(error, {request.mailbox, request.operation, false});
  }
  reader.finish();
  return MimeReading::whole;
}

std::optional<SignedContent> read_signed(const MailContext& context, const std::string& message_id,
                                         std::uint64_t limit) {
  std::optional<SignedChoice> choice;
  mime::OutlineReader reader([&choice](const mime::Entity& entity) { return (*choice)(entity); });
  choice.emplace(reader);
  SignedContent content;
  content.reading = read_mime(context, message_id, limit, reader);
  content.size = reader.bytes_read();
  if (content.reading != MimeReading::whole) return content;
  // Where the service has taken the signature off already, its JSON shows everything.
  if (!reader.find("multipart/signed") || reader.left_out()) return std::nullopt;
  for (std::size_t index = 0; index < reader.entities().size(); ++index) {
    const mime::Entity& entity = reader.entities()[index];
    if (entity.multipart) continue;
    const bool body = choice->is_text(index) || choice->is_html(index);
    if (body && entity.whole()) {
      (choice->is_text(index) ? content.text : content.html) = entity.text();
      continue;
    }
    mail::Part part = attachment(context, message_id, entity, index);
    if (body) {  // too long to be held; nobody has converted it
      part.file_name = choice->is_text(index) ? "message.txt" : "message.html";
      part.media_type = with_charset(entity);
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

std::optional<mail::Part> read_calendar(const MailContext& context, const std::string& message_id,
                                        std::uint64_t limit) {
  mime::OutlineReader reader([](const mime::Entity& entity) {
    return mime::Keep{entity.is("text/calendar") ? most_attachments_kept : 0, true};
  });
  const auto enough = [&reader] {
    const mime::Entity* calendar = reader.find("text/calendar");
    return calendar && calendar->complete;
  };
  read_mime(context, message_id, limit, reader, enough);
  const mime::Entity* calendar = reader.find("text/calendar");
  if (!calendar || !calendar->complete) return std::nullopt;
  const auto index = static_cast<std::size_t>(calendar - reader.entities().data());
  mail::Part part = attachment(context, message_id, *calendar, index);
  part.file_name = "invite.ics";
  if (calendar->whole()) {
    std::string text = calendar->text();
    part.size_hint = static_cast<std::int64_t>(text.size());
    part.open = open_text(std::move(text));
  } else {
    part.media_type = with_charset(*calendar);
  }
  return part;
}

}  // namespace m365
