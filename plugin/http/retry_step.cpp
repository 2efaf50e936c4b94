#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>

#include "http/steps.h"

namespace http {
namespace {

using std::chrono::milliseconds;
using Kind = TransportError::Kind;

/// The table of graph-mail.md, section 15.
class RetryStep final : public Step {
 public:
  explicit RetryStep(const PipelineParts& parts) : clock_(*parts.clock), random_(*parts.random), policy_(parts.retry) {}

  Answer send(Call& call, Next next) override {
    bool maybe_done = false;  // by any of the tries
    for (unsigned repeat = 0;; ++repeat) {
      milliseconds wait{0};
      try {
        Answer answer = next(call);
        const auto repeat_in = pause_after(answer.response, call.request, repeat);
        if (!repeat_in) return answer;
        wait = *repeat_in;
        maybe_done = maybe_done || answer.response.status != 429;
      } catch (const TransportError& error) {
        maybe_done = maybe_done || error.maybe_done();
        if (!repeats_after(error, call.request, repeat)) {
          throw TransportError(error.kind(), maybe_done, error.what(), error.retry_after());
        }
        wait = backoff(repeat);
      }
      // best-practices.md asks for a new connection after 503; after a lost one its neighbours are suspect too.
      call.request.fresh_connection = true;
      if (!clock_.pause(wait, call.stop)) throw TransportError(Kind::cancelled, maybe_done, "stopped before a repeat");
    }
  }

 private:
  /// nullopt: the answer goes up.
  std::optional<milliseconds> pause_after(const Response& response, const Request& request, unsigned repeat) const {
    const int status = response.status;
    if (!request.repeatable || repeat >= policy_.repeats) return {};
    if (status != 429 && status != 500 && status != 502 && status != 503 && status != 504) return {};
    const auto asked = response.retry_after(clock_.wall());
    if (asked && *asked > policy_.longest_pause) return {};
    if (status == 429) return asked;  // without Retry-After the gate backs off for longer than fits here
    return std::max(backoff(repeat), asked.value_or(milliseconds(0)));
  }

  bool repeats_after(const TransportError& error, const Request& request, unsigned repeat) const {
    if (error.kind() == Kind::cut && request.repeatable) return repeat < policy_.repeats;
    const bool may_heal = error.kind() == Kind::cut || error.kind() == Kind::refused || error.kind() == Kind::name ||
                          error.kind() == Kind::timeout;
    return may_heal && !error.maybe_done() && repeat == 0;
  }

  /// Between half of the pause and all of it, so that many do not come back at once.
  milliseconds backoff(unsigned repeat) const {
    milliseconds pause = policy_.first_pause;
    for (unsigned i = 0; i < repeat && pause < policy_.longest_pause; ++i) pause *= 2;
    pause = std::min(pause, policy_.longest_pause);
    const auto half = static_cast<std::uint64_t>(pause.count() / 2);
    return pause / 2 + milliseconds(static_cast<milliseconds::rep>(random_.below(half + 1)));
  }

  mail::Clock& clock_;
  mail::Random& random_;
  const RetryPolicy policy_;
};

}  // namespace

std::unique_ptr<Step> make_retry_step(const PipelineParts& parts) {
  return std::make_unique<RetryStep>(parts);
}

}  // namespace http
