#include "boundary/message_view.h"

#include <cstdint>
#include <string>

#include "boundary/guard.h"
#include "boundary/text.h"

namespace boundary {
namespace {

std::uint32_t count_of(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

std::vector<mailplugin_address> views(const std::vector<mail::Address>& addresses) {
  std::vector<mailplugin_address> result;
  result.reserve(addresses.size());
  for (const auto& address : addresses) result.push_back(view(address));
  return result;
}

std::vector<mailplugin_pair> views(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::vector<mailplugin_pair> result;
  result.reserve(pairs.size());
  for (const auto& [name, value] : pairs) result.push_back({view(name), view(value)});
  return result;
}

}  // namespace

// One open stream: freed by the host's close().
struct MessageView::StreamView {
  mailplugin_stream stream{};
  std::unique_ptr<mail::ByteSource> source;
  MessageView* owner = nullptr;
  mailplugin_status failed = MAILPLUGIN_OK;  // a source that threw might begin again at its first byte

  static std::int64_t MAILPLUGIN_CALL read(const mailplugin_stream* s, void* buffer, std::uint64_t capacity) {
    if (s == nullptr) return MAILPLUGIN_E_ARGUMENT;
    auto* self = static_cast<StreamView*>(s->ctx);
    if (self->owner->cancelled_) return MAILPLUGIN_E_CANCELLED;
    if (buffer == nullptr) return MAILPLUGIN_E_ARGUMENT;
    if (self->failed != MAILPLUGIN_OK) return self->failed;
    std::size_t bytes = 0;
    self->failed = guarded(self->owner->log_, "part", [&]() -> mailplugin_status {
      bytes = self->source->read(static_cast<char*>(buffer), static_cast<std::size_t>(capacity));
      return MAILPLUGIN_OK;
    });
    return self->failed == MAILPLUGIN_OK ? static_cast<std::int64_t>(bytes) : self->failed;
  }

  static void MAILPLUGIN_CALL close(const mailplugin_stream* s) {
    if (s != nullptr) delete static_cast<StreamView*>(s->ctx);
  }
};

const mailplugin_stream* MAILPLUGIN_CALL MessageView::open_part(const mailplugin_part* part) {
  if (part == nullptr || part->ctx == nullptr) return nullptr;
  const auto& self = *static_cast<const PartView*>(part->ctx);
  if (self.owner->cancelled_) return nullptr;
  std::unique_ptr<StreamView> stream;
  const mailplugin_status status = guarded(self.owner->log_, "part", [&]() -> mailplugin_status {
    stream = std::make_unique<StreamView>();
    stream->source = self.source->open();
    stream->owner = self.owner;
    stream->stream = {sizeof(mailplugin_stream), 0, stream.get(), &StreamView::read, &StreamView::close};
    return MAILPLUGIN_OK;
  });
  return status == MAILPLUGIN_OK ? &stream.release()->stream : nullptr;
}

MessageView::MessageView(const mail::Mail& mail, mail::Log& log)
    : log_(log),
      reply_to_(views(mail.reply_to)),
      to_(views(mail.to)),
      cc_(views(mail.cc)),
      bcc_(views(mail.bcc)),
      links_(views(mail.links)),
      headers_(views(mail.headers)) {
  for (const auto& reference : mail.references) references_.push_back(view(reference));
  for (const auto& part : mail.parts) {
    PartView& shown = parts_.emplace_back();
    shown.source = &part;
    shown.owner = this;
    shown.part.struct_size = sizeof(mailplugin_part);
    shown.part.kind = static_cast<std::uint32_t>(part.kind);
    shown.part.ctx = &shown;
    shown.part.file_name = view(part.file_name);
    shown.part.media_type = view(part.media_type);
    shown.part.content_id = view(part.content_id);
    shown.part.size_hint = part.size_hint;
    shown.part.open = &MessageView::open_part;
    part_pointers_.push_back(&shown.part);
  }
  if (mail.report) {
    report_.struct_size = sizeof(mailplugin_report);
    report_.kind = static_cast<std::uint32_t>(mail.report->kind);
    report_.recipient = view(mail.report->recipient);
    report_.status = view(mail.report->status);
    report_.original_message_id = view(mail.report->original_message_id);
    report_.key = view(mail.report->key);
  }
  mailplugin_message& m = message_;
  m.struct_size = sizeof(mailplugin_message);
  m.flags = mail.flags;
  m.stable_id = view(mail.stable_id);
  m.service_id = view(mail.service_id);
  m.mailbox = view(mail.mailbox);
  m.folder = view(mail.folder);
  m.delivered_to = view(mail.delivered_to);
  m.internet_message_id = view(mail.internet_message_id);
  m.in_reply_to = view(mail.in_reply_to);
  m.conversation_id = view(mail.conversation_id);
  m.subject = view(mail.subject);
  m.from = view(mail.from);
  m.sender = view(mail.sender);
  m.reply_to = reply_to_.data();
  m.reply_to_count = count_of(reply_to_.size());
  m.to = to_.data();
  m.to_count = count_of(to_.size());
  m.cc = cc_.data();
  m.cc_count = count_of(cc_.size());
  m.bcc = bcc_.data();
  m.bcc_count = count_of(bcc_.size());
  m.received_unix_ms = mail.received.time_since_epoch().count();
  m.sent_unix_ms = mail.sent.time_since_epoch().count();
  m.size_bytes = mail.size_bytes;
  m.references = references_.data();
  m.reference_count = count_of(references_.size());
  m.links = links_.data();
  m.link_count = count_of(links_.size());
  m.report = mail.report ? &report_ : nullptr;
  m.importance = static_cast<std::uint32_t>(mail.importance);
  m.headers = headers_.data();
  m.header_count = count_of(headers_.size());
  m.parts = part_pointers_.data();
  m.part_count = count_of(part_pointers_.size());
}

}  // namespace boundary
