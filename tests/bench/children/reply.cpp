#include "children/reply.h"

#include <cstdio>

namespace bench {
namespace {

using std::chrono::steady_clock;

std::int64_t read_reply(const mailplugin_stream* stream, void* buffer, std::uint64_t capacity) {
  auto& reply = *static_cast<Reply*>(stream->ctx);
  const std::size_t size = reply.text.copy(static_cast<char*>(buffer), static_cast<std::size_t>(capacity), reply.at);
  reply.at += size;
  return static_cast<std::int64_t>(size);
}

void close_reply(const mailplugin_stream*) {}

const mailplugin_stream* open_reply(const mailplugin_part* part) {
  auto& reply = *static_cast<Reply*>(part->ctx);
  reply.at = 0;
  return &reply.stream;
}

void on_sent(const mailplugin_submission* submission, const mailplugin_outcome* outcome) {
  const auto& reply = *static_cast<Reply*>(submission->ctx);
  const double ms = std::chrono::duration<double, std::milli>(steady_clock::now() - reply.submitted).count();
  const std::lock_guard lock(reply.counts->mutex);
  ++reply.counts->sent;
  reply.counts->reply_ms.push_back(ms);
  if (outcome->verdict != MAILPLUGIN_ACCEPTED) {
    ++reply.counts->failed;
    std::fprintf(stderr, "%s: %s\n", reply.key.c_str(), outcome->reason == nullptr ? "" : outcome->reason);
  }
  reply.counts->changed.notify_all();
}

}  // namespace

void fill_reply(Reply& reply, Counts& counts, unsigned index, unsigned mailboxes) {
  const std::string box = five_digits(index % mailboxes), mail = "000" + five_digits(index / mailboxes);
  reply.counts = &counts;
  reply.key = "reply-" + std::to_string(index);
  reply.from = "m" + box + "@bench.example";
  reply.to = "customer" + mail + "@fabrikam.example";
  reply.subject = "Re: Order " + mail;
  reply.answered = "<bench." + box + "." + mail + "@fabrikam.example>";
  reply.recipient = {view(""), view(reply.to)};
  reply.stream.struct_size = sizeof reply.stream;
  reply.stream.ctx = &reply;
  reply.stream.read = &read_reply;
  reply.stream.close = &close_reply;
  reply.part.struct_size = sizeof reply.part;
  reply.part.kind = MAILPLUGIN_PART_TEXT;
  reply.part.ctx = &reply;
  reply.part.media_type = view("text/plain; charset=utf-8");
  reply.part.size_hint = static_cast<std::int64_t>(reply.text.size());
  reply.part.open = &open_reply;
  reply.parts[0] = &reply.part;
  reply.message.struct_size = sizeof reply.message;
  reply.message.stable_id = view(reply.key);
  reply.message.in_reply_to = view(reply.answered);
  reply.message.subject = view(reply.subject);
  reply.message.from = {view(""), view(reply.from)};
  reply.message.to = &reply.recipient;
  reply.message.to_count = 1;
  reply.message.size_bytes = -1;
  reply.message.parts = reply.parts;
  reply.message.part_count = 1;
  reply.submission.struct_size = sizeof reply.submission;
  reply.submission.ctx = &reply;
  reply.submission.on_sent = &on_sent;
}

}  // namespace bench
