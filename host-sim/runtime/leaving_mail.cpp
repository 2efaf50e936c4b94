// LeavingMail: the interface's structs over an OutgoingMail, its parts as streams.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/file.h"
#include "runtime/outgoing_mail.h"

namespace runtime {
namespace {

mailplugin_text view_of(const std::string& text) {
  return {text.data(), text.size()};
}

std::vector<mailplugin_address> views_of(const std::vector<Person>& people) {
  std::vector<mailplugin_address> views;
  for (const Person& person : people) views.push_back({view_of(person.name), view_of(person.address)});
  return views;
}

// An open part: text in memory, or a file. Deletes itself in close.
struct OpenPart {
  mailplugin_stream abi{};
  std::string_view text;
  base::Fd file;
};

int64_t MAILPLUGIN_CALL read_part(const mailplugin_stream* stream, void* buffer, uint64_t capacity) {
  auto* part = static_cast<OpenPart*>(stream->ctx);
  if (part->file.get() < 0) {
    const std::size_t n = std::min<std::size_t>(part->text.size(), static_cast<std::size_t>(capacity));
    if (n > 0) std::memcpy(buffer, part->text.data(), n);
    part->text.remove_prefix(n);
    return static_cast<int64_t>(n);
  }
  while (true) {
    const ssize_t n = ::read(part->file.get(), buffer, static_cast<std::size_t>(capacity));
    if (n >= 0) return n;
    if (errno != EINTR) return MAILPLUGIN_E_IO;
  }
}

void MAILPLUGIN_CALL close_part(const mailplugin_stream* stream) {
  delete static_cast<OpenPart*>(stream->ctx);
}

}  // namespace

struct LeavingMail::Part {
  mailplugin_part abi{};
  std::string_view text;
  std::string file;  // empty: text

  static const mailplugin_stream* MAILPLUGIN_CALL open(const mailplugin_part* part) {
    const auto* self = static_cast<const Part*>(part->ctx);
    auto opened = std::make_unique<OpenPart>();
    opened->abi.struct_size = sizeof opened->abi;
    opened->abi.ctx = opened.get();
    opened->abi.read = &read_part;
    opened->abi.close = &close_part;
    opened->text = self->text;
    if (!self->file.empty()) {
      opened->file = base::Fd(::open(self->file.c_str(), O_RDONLY | O_CLOEXEC));
      if (opened->file.get() < 0) return nullptr;
    }
    return &opened.release()->abi;
  }
};

LeavingMail::LeavingMail(OutgoingMail mail, std::string key)
    : mail_(std::move(mail)),
      key_(std::move(key)),
      to_(views_of(mail_.to)),
      cc_(views_of(mail_.cc)),
      bcc_(views_of(mail_.bcc)),
      reply_to_(views_of(mail_.reply_to)) {
  for (const std::string& one : mail_.references) references_.push_back(view_of(one));
  const auto add = [this](uint32_t kind) -> Part& {
    Part& part = *parts_.emplace_back(std::make_unique<Part>());
    part.abi.struct_size = sizeof part.abi;
    part.abi.kind = kind;
    part.abi.ctx = &part;
    part.abi.open = &Part::open;
    return part;
  };
  static const std::string plain = "text/plain; charset=utf-8";
  static const std::string html = "text/html; charset=utf-8";
  if (mail_.text) {
    Part& part = add(MAILPLUGIN_PART_TEXT);
    part.text = *mail_.text;
    part.abi.media_type = view_of(plain);
    part.abi.size_hint = static_cast<int64_t>(mail_.text->size());
  }
  if (mail_.html) {
    Part& part = add(MAILPLUGIN_PART_HTML);
    part.text = *mail_.html;
    part.abi.media_type = view_of(html);
    part.abi.size_hint = static_cast<int64_t>(mail_.html->size());
  }
  for (const OutgoingAttachment& one : mail_.attachments) {
    Part& part = add(one.content_id.empty() ? MAILPLUGIN_PART_ATTACHMENT : MAILPLUGIN_PART_INLINE);
    part.file = one.file.string();
    part.abi.file_name = view_of(one.name);
    part.abi.media_type = view_of(one.media_type);
    part.abi.content_id = view_of(one.content_id);
    std::error_code error;
    const auto size = std::filesystem::file_size(one.file, error);
    part.abi.size_hint = error ? -1 : static_cast<int64_t>(size);
  }
  for (const auto& part : parts_) part_views_.push_back(&part->abi);

  view_.struct_size = sizeof view_;
  view_.flags = mail_.automatic ? static_cast<uint32_t>(MAILPLUGIN_AUTO_SUBMITTED) : 0u;
  view_.stable_id = view_of(key_);
  view_.mailbox = view_of(mail_.mailbox);
  view_.in_reply_to = view_of(mail_.in_reply_to);
  view_.subject = view_of(mail_.subject);
  view_.from.address = view_of(mail_.from);
  const auto list = [](const std::vector<mailplugin_address>& from, const mailplugin_address*& to, uint32_t& count) {
    to = from.data();
    count = static_cast<uint32_t>(from.size());
  };
  list(to_, view_.to, view_.to_count);
  list(cc_, view_.cc, view_.cc_count);
  list(bcc_, view_.bcc, view_.bcc_count);
  list(reply_to_, view_.reply_to, view_.reply_to_count);
  view_.references = references_.data();
  view_.reference_count = static_cast<uint32_t>(references_.size());
  view_.parts = part_views_.data();
  view_.part_count = static_cast<uint32_t>(part_views_.size());
  view_.size_bytes = -1;
}

LeavingMail::~LeavingMail() = default;

}  // namespace runtime
