// What a host submits.
#pragma once

#include <atomic>
#include <cstring>
#include <stdexcept>
#include <string>

#include "host.h"

namespace conformance {

inline mailplugin_text text(const char* value) {
  return {value, std::strlen(value)};
}

// One text part whose stream the plugin may open.
struct TextPart {
  explicit TextPart(const char* content) : content(content) {
    part.struct_size = sizeof part;
    part.kind = MAILPLUGIN_PART_TEXT;
    part.ctx = this;
    part.media_type = text("text/plain");
    part.size_hint = -1;
    part.open = [](const mailplugin_part* p) -> const mailplugin_stream* {
      auto* self = static_cast<TextPart*>(p->ctx);
      self->offset = 0;
      ++self->opened;
      return &self->stream;
    };
    stream.struct_size = sizeof stream;
    stream.ctx = this;
    stream.read = [](const mailplugin_stream* s, void* buffer, uint64_t capacity) -> int64_t {
      auto* self = static_cast<TextPart*>(s->ctx);
      const std::size_t left = std::strlen(self->content) - self->offset;
      const std::size_t bytes = left < capacity ? left : static_cast<std::size_t>(capacity);
      std::memcpy(buffer, self->content + self->offset, bytes);
      self->offset += bytes;
      return static_cast<int64_t>(bytes);
    };
    stream.close = [](const mailplugin_stream* s) { ++static_cast<TextPart*>(s->ctx)->closed; };
  }
  const char* content;
  std::size_t offset = 0;
  std::atomic<int> opened{0}, closed{0};
  mailplugin_part part{};
  mailplugin_stream stream{};
};

// A message that nothing is wrong with, and the count of its on_sent.
struct Submission {
  Submission() : body("Hello"), parts{&body.part}, to{{}, text("customer@fabrikam.example")} {
    mail.struct_size = sizeof mail;
    mail.stable_id = text("conformance-1");
    mail.subject = text("Re: order 17");
    mail.from.address = text("support@contoso.example");
    mail.to = &to;
    mail.to_count = 1;
    mail.parts = parts;
    mail.part_count = 1;
    table.struct_size = sizeof table;
    table.ctx = this;
    table.on_sent = [](const mailplugin_submission* s, const mailplugin_outcome* outcome) {
      auto* self = static_cast<Submission*>(s->ctx);
      self->verdict = outcome->verdict;
      self->message_id.assign(outcome->internet_message_id.data, outcome->internet_message_id.size);
      self->reason = outcome->reason == nullptr ? "" : outcome->reason;
      ++self->answers;
      if (Gate* gate = self->gate) gate->pass();
      if (self->throws) throw std::runtime_error("a host that lets exceptions out");
    };
  }
  TextPart body;
  const mailplugin_part* parts[1];
  mailplugin_address to;
  mailplugin_message mail{};
  mailplugin_submission table{};
  std::atomic<Gate*> gate{nullptr};  ///< passed by on_sent
  std::atomic<bool> throws{false};   ///< by on_sent
  std::string message_id, reason;    ///< of the outcome; to be read once there is an answer
  std::atomic<int> answers{0};
  std::atomic<mailplugin_verdict> verdict{0};
};

}  // namespace conformance
