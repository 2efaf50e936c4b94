#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "http/steps.h"

namespace http {
namespace {

using std::chrono::milliseconds;

/// Keeps the places while somebody reads the body.
class GatedExchange final : public Exchange {
 public:
  GatedExchange(std::unique_ptr<Exchange> exchange, std::unique_ptr<Gate::Pass> pass)
      : pass_(std::move(pass)), exchange_(std::move(exchange)) {}
  int status() const override { return exchange_->status(); }
  const Headers& headers() const override { return exchange_->headers(); }
  std::size_t read(char* buffer, std::size_t capacity) override { return exchange_->read(buffer, capacity); }
  void limit_total() override { exchange_->limit_total(); }

 private:
  const std::unique_ptr<Gate::Pass> pass_;  // given back after the connection
  const std::unique_ptr<Exchange> exchange_;
};

/// How long a mailbox rests after a 429 that does not say it: 2 s, doubled each time in a row, with up to half on top.
class Backoff {
 public:
  explicit Backoff(mail::Random& random) : random_(random) {}

  milliseconds next(const std::string& mailbox) {
    const std::lock_guard lock(mutex_);
    milliseconds& last = last_[mailbox];
    last = last == milliseconds(0) ? first : std::min(last * 2, longest);
    return last + milliseconds(
                      static_cast<milliseconds::rep>(random_.below(static_cast<std::uint64_t>(last.count()) / 2 + 1)));
  }

  void reset(const std::string& mailbox) {
    const std::lock_guard lock(mutex_);
    last_.erase(mailbox);
  }

 private:
  static constexpr milliseconds first = std::chrono::seconds(2);
  static constexpr milliseconds longest = std::chrono::minutes(5);
  mail::Random& random_;
  std::mutex mutex_;
  std::map<std::string, milliseconds> last_;  // guarded by mutex_; only mailboxes whose latest answer was a 429
};

class GateStep final : public Step {
 public:
  explicit GateStep(const PipelineParts& parts) : gate_(parts.gate), clock_(*parts.clock), backoff_(*parts.random) {}

  Answer send(Call& call, Next next) override {
    const Request& request = call.request;
    if (!gate_ || request.mailboxes.empty()) return next(call);
    const bool uploads = request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    auto pass = gate_->enter(request.mailboxes, uploads ? request.body.size() : 0, request.urgency, call.stop);
    Answer answer = next(call);
    heed(answer.response, request);
    if (answer.rest) answer.rest = std::make_unique<GatedExchange>(std::move(answer.rest), std::move(pass));
    return answer;
  }

 private:
  void heed(const Response& response, const Request& request) {
    std::optional<milliseconds> wait;
    if (response.status == 429 || response.status == 503 || response.status == 509) {
      wait = response.retry_after(clock_.wall());
    }
    for (const std::string& mailbox : request.mailboxes) {
      if (response.status != 429) backoff_.reset(mailbox);
      if (wait) {
        gate_->shut(mailbox, *wait);
      } else if (response.status == 429 && gate_->shut_for(mailbox) == milliseconds(0)) {
        gate_->shut(mailbox, backoff_.next(mailbox));  // once for requests that were under way together
      }
    }
  }

  const std::shared_ptr<Gate> gate_;
  mail::Clock& clock_;
  Backoff backoff_;
};

}  // namespace

std::unique_ptr<Step> make_gate_step(const PipelineParts& parts) {
  return std::make_unique<GateStep>(parts);
}

}  // namespace http
