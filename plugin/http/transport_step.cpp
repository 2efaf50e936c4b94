#include "http/sigpipe.h"
#include "http/steps.h"

namespace http {
namespace {

class TransportStep final : public Step {
 public:
  explicit TransportStep(const PipelineParts& parts) : transport_(parts.transport), limits_(parts.limits) {}

  Answer send(Call& call, Next) override {
    const SigpipeBlock block;  // one for all the reads of the body
    Answer answer;
    answer.rest = transport_->open(call.request, limits_, call.stop);
    if (call.body_limit) {
      answer.response = read_whole(*answer.rest, *call.body_limit);
      answer.rest.reset();
    } else {
      answer.response.status = answer.rest->status();
      answer.response.headers = answer.rest->headers();
    }
    return answer;
  }

 private:
  const std::shared_ptr<Transport> transport_;
  const TimeLimits limits_;
};

}  // namespace

std::unique_ptr<Step> make_transport_step(const PipelineParts& parts) {
  return std::make_unique<TransportStep>(parts);
}

}  // namespace http
