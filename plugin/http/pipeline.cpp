#include "http/pipeline.h"

#include <array>
#include <stdexcept>
#include <utility>

#include "http/steps.h"
#include "mail/secret.h"

namespace http {

struct Pipeline::Impl {
  explicit Impl(const PipelineParts& parts)
      : random(*parts.random),
        steps{make_log_step(parts), make_retry_step(parts), make_token_step(parts), make_gate_step(parts),
              make_transport_step(parts)} {}

  Answer send(Request request, std::stop_token stop, std::optional<std::size_t> body_limit) {
    // Microsoft's support finds a request by it, also one whose answer never came (graph-mail.md, section 2).
    request.headers.set("client-request-id", random.uuid());
    request.headers.set("User-Agent", "mailplugin/1.0");
    request.headers.set("Accept-Encoding", "identity");
    Call call{std::move(request), std::move(stop), body_limit};
    std::string nothing;
    const mail::WipedAtEnd end(call.request.confidential ? call.request.body : nothing);
    return Next(steps.data())(call);
  }

  mail::Random& random;
  const std::array<std::unique_ptr<Step>, 5> steps;
};

namespace {

PipelineParts checked(PipelineParts parts) {
  if (!parts.transport || !parts.clock || !parts.random || !parts.log) {
    throw std::invalid_argument("a pipeline needs a transport, a clock, randomness and a log");
  }
  return parts;
}

}  // namespace

Pipeline::Pipeline(PipelineParts parts) : impl_(std::make_unique<Impl>(checked(std::move(parts)))) {}
Pipeline::~Pipeline() = default;

Response Pipeline::send(Request request, std::stop_token stop, std::size_t body_limit) {
  return impl_->send(std::move(request), std::move(stop), body_limit).response;
}

std::unique_ptr<Exchange> Pipeline::open(Request request, std::stop_token stop) {
  return impl_->send(std::move(request), std::move(stop), std::nullopt).rest;
}

}  // namespace http
