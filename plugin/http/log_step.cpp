#include <chrono>
#include <string>

#include "http/steps.h"
#include "mail/fault.h"

namespace http {
namespace {

class LogStep final : public Step {
 public:
  explicit LogStep(const PipelineParts& parts) : clock_(*parts.clock), log_(*parts.log), source_(parts.source) {}

  Answer send(Call& call, Next next) override {
    const mail::SteadyTime begin = clock_.now();
    try {
      Answer answer = next(call);
      std::string line = call.request.operation + ": " + std::to_string(answer.response.status) + since(begin);
      if (const std::string id = answer.response.request_id(); !id.empty()) line += ", request-id " + id;
      log_.write(mail::Level::debug, source_, line);
      return answer;
    } catch (const TransportError& error) {
      // Not its text: whoever gets the error tells it once, with what it means for the mailbox.
      log_.write(mail::Level::debug, source_, call.request.operation + ": " + name_of(error.kind()) + since(begin));
      throw;
    } catch (const mail::FaultError&) {
      log_.write(mail::Level::debug, source_, call.request.operation + ": no token" + since(begin));
      throw;
    }
  }

 private:
  std::string since(mail::SteadyTime begin) const {
    const auto time = std::chrono::duration_cast<std::chrono::milliseconds>(clock_.now() - begin);
    return " in " + std::to_string(time.count()) + " ms";
  }

  mail::Clock& clock_;
  mail::Log& log_;
  const std::string source_;
};

}  // namespace

std::unique_ptr<Step> make_log_step(const PipelineParts& parts) {
  return std::make_unique<LogStep>(parts);
}

}  // namespace http
