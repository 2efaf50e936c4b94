#include <stdexcept>
#include <string>

#include "http/steps.h"

namespace http {
namespace {

// The token stands in the request only while it is on its way.
class Bearer {
 public:
  Bearer(Request& request, const mail::Secret& token) : request_(request) {
    constexpr std::string_view scheme = "Bearer ";
    std::string value;
    value.reserve(scheme.size() + token.size());  // it does not move, which would leave a copy behind
    value.append(scheme).append(token.view());
    request_.headers.set("Authorization", std::move(value));
  }
  ~Bearer() { request_.headers.wipe("Authorization"); }
  Bearer(const Bearer&) = delete;
  Bearer& operator=(const Bearer&) = delete;

 private:
  Request& request_;
};

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
    {
      const mail::Secret token = tokens_->current(call.stop);
      const Bearer bearer(request, token);
      Answer answer = next(call);
      if (answer.response.status != 401) return answer;
      answer.rest.reset();  // its place at the gate is needed for the second try
      tokens_->forget(token);
    }
    const Bearer bearer(request, tokens_->current(call.stop));
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
