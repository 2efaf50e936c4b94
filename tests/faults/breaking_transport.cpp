#include "breaking_transport.h"

#include <utility>

namespace faults {
namespace {

using http::TransportError;

constexpr std::chrono::seconds minute{60};
constexpr std::size_t any_size = 256u << 20;

/// As long as it lives the clock stands.
class WatchedExchange final : public http::Exchange {
 public:
  WatchedExchange(std::unique_ptr<http::Exchange> inner, std::unique_ptr<FastClock::Busy> busy)
      : inner_(std::move(inner)), busy_(std::move(busy)) {}
  int status() const override { return inner_->status(); }
  const http::Headers& headers() const override { return inner_->headers(); }
  std::size_t read(char* buffer, std::size_t capacity) override { return inner_->read(buffer, capacity); }
  void limit_total() override { inner_->limit_total(); }

 private:
  std::unique_ptr<http::Exchange> inner_;
  std::unique_ptr<FastClock::Busy> busy_;
};

class BreakingTransport final : public http::Transport {
 public:
  BreakingTransport(std::shared_ptr<http::Transport> inner, FastClock& clock, Breaker& breaker)
      : inner_(std::move(inner)), clock_(clock), breaker_(breaker) {}

  std::unique_ptr<http::Exchange> open(const http::Request& request, const http::TimeLimits& limits,
                                       std::stop_token stop) override {
    const Break now = breaker_.take();
    if (now.way.kind == Way::Kind::refused)
      throw TransportError(TransportError::Kind::refused, false, "connection refused");
    auto busy = std::make_unique<FastClock::Busy>(clock_);
    auto exchange = inner_->open(request, limits, stop);
    if (now.way.kind == Way::Kind::timeout) {
      http::read_whole(*exchange, any_size);
      busy.reset();  // the clock may jump over the wait
      wait(limits.silence.count() > 0 ? limits.silence : limits.total, stop);
      throw TransportError(TransportError::Kind::timeout, true, "no answer in time");
    }
    if (now.way.kind == Way::Kind::stall) {
      busy.reset();
      wait(minute, stop);
      if (limits.silence.count() > 0 && limits.silence < minute)
        throw TransportError(TransportError::Kind::timeout, true, "no answer in time");
      busy = std::make_unique<FastClock::Busy>(clock_);
    }
    return std::make_unique<WatchedExchange>(std::move(exchange), std::move(busy));
  }

 private:
  void wait(std::chrono::milliseconds time, const std::stop_token& stop) {
    if (!clock_.pause(time, stop)) throw TransportError(TransportError::Kind::cancelled, true, "stopped");
  }

  const std::shared_ptr<http::Transport> inner_;
  FastClock& clock_;
  Breaker& breaker_;
};

}  // namespace

void Breaker::arm(const Break& what) {
  const std::lock_guard lock(mutex_);
  next_ = what;
  count_ = 0;
  happened_ = false;
}

Break Breaker::take() {
  const std::lock_guard lock(mutex_);
  ++count_;
  if (!next_.armed() || !next_.at_client() || count_ != next_.at) return {};
  happened_ = true;
  return next_;
}

std::size_t Breaker::exchanges() const {
  const std::lock_guard lock(mutex_);
  return count_;
}

bool Breaker::broken() const {
  const std::lock_guard lock(mutex_);
  return happened_;
}

std::shared_ptr<http::Transport> make_breaking_transport(std::shared_ptr<http::Transport> inner, FastClock& clock,
                                                         Breaker& breaker) {
  return std::make_shared<BreakingTransport>(std::move(inner), clock, breaker);
}

}  // namespace faults
