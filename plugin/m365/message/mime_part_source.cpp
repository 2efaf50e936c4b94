#include "m365/message/mime_part_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "http/transport.h"
#include "m365/message/attachment_parts.h"
#include "mime/part_reader.h"

namespace m365 {
namespace {

class MimePartSource final : public mail::ByteSource {
 public:
  MimePartSource(GraphClient& graph, GraphRequest request, std::stop_token stop, MimePart part)
      : graph_(graph), request_(std::move(request)), stop_(std::move(stop)), part_(std::move(part)) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    if (capacity == 0) return 0;
    while (at_ == decoded_.size()) {
      if (over_) return 0;
      next_block();
    }
    const std::size_t count = std::min(capacity, decoded_.size() - at_);
    std::memcpy(buffer, decoded_.data() + at_, count);
    at_ += count;
    begun_ = true;
    return count;
  }

 private:
  void next_block() {
    decoded_.clear();
    at_ = 0;
    try {
      if (!exchange_) {
        exchange_ = graph_.open(request_, stop_);
        reader_ = std::make_unique<mime::PartReader>(part_.index);
        size_ = 0;
      }
      std::array<char, 16 * 1024> block;
      const std::size_t count = exchange_->read(block.data(), block.size());
      if (count > 0) {
        reader_->feed({block.data(), count}, decoded_);
      } else {
        reader_->finish(decoded_);
      }
      size_ += decoded_.size();
      check(count == 0);
    } catch (const http::TransportError& error) {
      exchange_.reset();
      const bool again = !begun_ && !repeated_ && error.kind() == http::TransportError::Kind::cut;
      if (!again) throw transport_fault(error, {request_.mailbox, request_.operation, false});
      repeated_ = true;
    }
  }

  void check(bool mail_over) {
    const auto& entity = reader_->entity();
    const bool other = entity && (!entity->is(part_.media_type) || entity->file_name() != part_.file_name);
    const bool complete = reader_->complete();
    if (other || size_ > part_.size || (complete ? size_ != part_.size : mail_over)) {
      exchange_.reset();
      mail::Fault fault;
      fault.cause = mail::Cause::service_fault;
      fault.remedy = mail::Remedy::item;
      fault.text = request_.mailbox + ": a part of a mail is not as it was when the mail was read.";
      throw mail::FaultError(std::move(fault));
    }
    if (!complete) return;
    over_ = true;
    exchange_.reset();
    reader_.reset();
  }

  GraphClient& graph_;
  const GraphRequest request_;
  const std::stop_token stop_;
  const MimePart part_;
  std::unique_ptr<http::Exchange> exchange_;
  std::unique_ptr<mime::PartReader> reader_;
  std::string decoded_;     // of the last block
  std::size_t at_ = 0;      // in decoded_
  std::uint64_t size_ = 0;  // of the part so far
  bool begun_ = false, repeated_ = false, over_ = false;
};

}  // namespace

OpenPart open_mime_part(const MailContext& context, const std::string& message_id, MimePart part) {
  return [&graph = context.graph,
          request = message_request(context.mailbox, message_path(context.mailbox, message_id) + "/$value",
                                    "read a part of the original mail"),
          stop = context.stop,
          part = std::move(part)] { return std::make_unique<MimePartSource>(graph, request, stop, part); };
}

}  // namespace m365
