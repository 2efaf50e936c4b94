#include "m365/message/attachment_source.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

#include "http/transport.h"
#include "m365/graph/graph_errors.h"

namespace m365 {
namespace {

class TextSource final : public mail::ByteSource {
 public:
  explicit TextSource(std::shared_ptr<const std::string> text) : text_(std::move(text)) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t count = std::min(capacity, text_->size() - at_);
    std::memcpy(buffer, text_->data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  const std::shared_ptr<const std::string> text_;
  std::size_t at_ = 0;
};

class GraphSource final : public mail::ByteSource {
 public:
  GraphSource(GraphClient& graph, GraphRequest request, std::stop_token stop)
      : graph_(graph), request_(std::move(request)), stop_(std::move(stop)) {}

  std::size_t read(char* buffer, std::size_t capacity) override {
    if (complete_ || capacity == 0) return 0;
    for (;;) {
      try {
        if (!exchange_) exchange_ = graph_.open(request_, stop_);
        const std::size_t count = exchange_->read(buffer, capacity);
        begun_ = begun_ || count > 0;
        if (count == 0) {
          complete_ = true;
          exchange_.reset();
        }
        return count;
      } catch (const http::TransportError& error) {
        exchange_.reset();
        const bool again = !begun_ && !repeated_ && error.kind() == http::TransportError::Kind::cut;
        if (!again) throw transport_fault(error, {request_.mailbox, request_.operation, false});
        repeated_ = true;
      }
    }
  }

 private:
  GraphClient& graph_;
  const GraphRequest request_;
  const std::stop_token stop_;
  std::unique_ptr<http::Exchange> exchange_;
  bool begun_ = false, repeated_ = false, complete_ = false;
};

}  // namespace

OpenPart open_text(std::string text) {
  return
      [shared = std::make_shared<const std::string>(std::move(text))] { return std::make_unique<TextSource>(shared); };
}

OpenPart open_graph(GraphClient& graph, GraphRequest request, std::stop_token stop) {
  return [&graph, request = std::move(request), stop = std::move(stop)] {
    return std::make_unique<GraphSource>(graph, request, stop);
  };
}

OpenPart open_refused(std::string sentence) {
  return [sentence = std::move(sentence)]() -> std::unique_ptr<mail::ByteSource> {
    mail::Fault fault;
    fault.cause = mail::Cause::service_fault;
    fault.remedy = mail::Remedy::item;
    fault.text = sentence;
    throw mail::FaultError(std::move(fault));
  };
}

}  // namespace m365
