#include <stdexcept>
#include <string>

#include "http/steps.h"

namespace http {
namespace {

class TokenStep final : public Step {
 public:
  explicit TokenStep(const PipelineParts& parts) : tokens_(parts.tokens), graph_origin_(parts.graph_origin) {}

  Answer send(Call& call, Next next) override {
    Request& request = call.request;
    if (!request.authorize) return next(call);
    if (!tokens_)
      throw std::logic_error(request.operation + " asks for a token, but this pipeline has no source of them");
    // A nextLink or Location comes from the network; a token is worth every mailbox of the tenant.
    if (const std::string origin = origin_of(request.url); origin.empty() || origin != graph_origin_) {
      throw TransportError(TransportError::Kind::origin, false,
                           request.operation + " was to go to " + (origin.empty() ? "an unreadable address" : origin) +
                               " instead of " + graph_origin_ + "; it was not sent");
    }
    const std::string token = tokens_->current(call.stop);
    request.headers.set("Authorization", "Bearer " + token);
    Answer answer = next(call);
    if (answer.response.status != 401) return answer;
    answer.rest.reset();  // its place at the gate is needed for the second try
    tokens_->forget(token);
    request.headers.set("Authorization", "Bearer " + tokens_->current(call.stop));
    return next(call);
  }

 private:
  const std::shared_ptr<BearerTokens> tokens_;
  const std::string graph_origin_;
};

}  // namespace

std::unique_ptr<Step> make_token_step(const PipelineParts& parts) {
  return std::make_unique<TokenStep>(parts);
}

}  // namespace http
