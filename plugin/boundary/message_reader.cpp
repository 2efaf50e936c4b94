// A host's message as a mail::Mail, and the host's streams as byte sources.
#include <cxxabi.h>

#include <memory>
#include <string>

#include "boundary/guard.h"
#include "boundary/message_view.h"
#include "boundary/text.h"
#include "mail/fault.h"

namespace boundary {
namespace {

// Also for MAILPLUGIN_E_CANCELLED: whatever the host cancels, it is not this server's stop.
mail::FaultError unreadable(const std::string& name, const std::string& why) {
  mail::Fault fault;
  fault.remedy = mail::Remedy::item;
  fault.text = "the host could not read the part \"" + name + "\" of its message (" + why + "); see the host's own log";
  return mail::FaultError(fault);
}

std::string status_text(std::int64_t status) {
  return "status " + std::to_string(status);
}

// Calls the host's code; what a C++ host lets out becomes a fault of this part.
template <typename Call>
auto host_call(const std::string& name, Call&& call) {
  try {
    const InHost inside;
    return call();
  } catch (abi::__forced_unwind&) {
    throw;  // the thread is being cancelled (pthread_cancel); swallowing that ends the process
  } catch (...) {
    throw unreadable(name, "it let an exception out");
  }
}

class HostSource final : public mail::ByteSource {
 public:
  HostSource(const mailplugin_stream* stream, std::string name) : stream_(stream), name_(std::move(name)) {}
  ~HostSource() override {
    try {
      const InHost inside;
      stream_->close(stream_);
    } catch (...) {
      // Nobody can be told from here, and the stream is over either way.
    }
  }
  HostSource(const HostSource&) = delete;
  HostSource& operator=(const HostSource&) = delete;

  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::int64_t bytes = host_call(name_, [&] { return stream_->read(stream_, buffer, capacity); });
    if (bytes < 0) throw unreadable(name_, status_text(bytes));
    if (static_cast<std::uint64_t>(bytes) > capacity)
      throw unreadable(name_, "it gave more bytes than there was room for");
    return static_cast<std::size_t>(bytes);
  }

 private:
  const mailplugin_stream* stream_;
  const std::string name_;
};

// The host's part, opened when the plugin sends it.
mail::Part read_part(const mailplugin_part& part) {
  mail::Part result;
  result.kind = static_cast<mail::PartKind>(part.kind);
  result.file_name = copy(part.file_name);
  result.media_type = copy(part.media_type);
  result.content_id = copy(part.content_id);
  result.size_hint = part.size_hint < 0 ? -1 : part.size_hint;
  result.open = [&part, name = result.file_name]() -> std::unique_ptr<mail::ByteSource> {
    const mailplugin_stream* stream = host_call(name, [&part] { return part.open(&part); });
    if (stream == nullptr) throw unreadable(name, "it gave no stream");
    if (!MAILPLUGIN_CAN(stream, mailplugin_stream, read) || !MAILPLUGIN_CAN(stream, mailplugin_stream, close)) {
      throw unreadable(name, "its stream is smaller than that of ABI 1.0");
    }
    return std::make_unique<HostSource>(stream, name);
  };
  return result;
}

bool read_addresses(const mailplugin_address* items, std::uint32_t count, const char* field,
                    std::vector<mail::Address>& result, std::string& why) {
  if (count > 0 && items == nullptr) {
    why = std::string(field) + "_count is not 0 but " + field + " is NULL";
    return false;
  }
  for (std::uint32_t i = 0; i < count; ++i) result.push_back(copy(items[i]));
  return true;
}

}  // namespace

bool read_message(const mailplugin_message& message, mail::Mail& mail, std::string& why) {
  if (!MAILPLUGIN_HAS(&message, mailplugin_message, part_count)) {
    why = "mailplugin_message.struct_size is smaller than that of ABI 1.0";
    return false;
  }
  mail.flags = message.flags;
  mail.stable_id = copy(message.stable_id);
  mail.service_id = copy(message.service_id);
  mail.mailbox = copy(message.mailbox);
  mail.internet_message_id = copy(message.internet_message_id);
  mail.in_reply_to = copy(message.in_reply_to);
  mail.conversation_id = copy(message.conversation_id);
  mail.subject = copy(message.subject);
  mail.from = copy(message.from);
  mail.sender = copy(message.sender);
  if (!read_addresses(message.reply_to, message.reply_to_count, "reply_to", mail.reply_to, why) ||
      !read_addresses(message.to, message.to_count, "to", mail.to, why) ||
      !read_addresses(message.cc, message.cc_count, "cc", mail.cc, why) ||
      !read_addresses(message.bcc, message.bcc_count, "bcc", mail.bcc, why)) {
    return false;
  }
  if ((message.reference_count > 0 && message.references == nullptr) ||
      (message.header_count > 0 && message.headers == nullptr) ||
      (message.part_count > 0 && message.parts == nullptr)) {
    why = "a count of references, headers or parts is not 0 but the array is NULL";
    return false;
  }
  for (std::uint32_t i = 0; i < message.reference_count; ++i) mail.references.push_back(copy(message.references[i]));
  for (std::uint32_t i = 0; i < message.header_count; ++i) {
    mail.headers.emplace_back(copy(message.headers[i].name), copy(message.headers[i].value));
  }
  if (message.importance > MAILPLUGIN_IMPORTANCE_HIGH) {
    why = "importance " + std::to_string(message.importance) + " is not known";
    return false;
  }
  mail.importance = static_cast<mail::Importance>(message.importance);
  for (std::uint32_t i = 0; i < message.part_count; ++i) {
    const mailplugin_part* part = message.parts[i];
    if (part == nullptr || !MAILPLUGIN_CAN(part, mailplugin_part, open)) {
      why = "parts[" + std::to_string(i) + "] is NULL, too small, or cannot be opened";
      return false;
    }
    if (part->kind < MAILPLUGIN_PART_TEXT || part->kind > MAILPLUGIN_PART_ATTACHMENT) {
      why = "parts[" + std::to_string(i) + "].kind " + std::to_string(part->kind) + " cannot be sent";
      return false;
    }
    mail.parts.push_back(read_part(*part));
  }
  return true;
}

}  // namespace boundary
