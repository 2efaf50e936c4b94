// A network that answers what a test wrote down, and keeps the questions.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>
#include <functional>
#include <initializer_list>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "http/transport.h"

namespace support {

/// Any thread. Each open() takes the next step of the script; when it is used up, the `otherwise` step, if one was
/// given; else std::logic_error, so that an unexpected request fails the test.
class ScriptedTransport final : public http::Transport {
 public:
  /// One answer: a response, a failure instead of one, or whatever a function makes of the request (it may throw).
  /// {429, {{"Retry-After", "2"}}}, http::TransportError(...), [](const http::Request&) { return Step(200); }
  struct Step {
    Step(int status, http::Headers headers = {}, std::string body = {})
        : response{status, std::move(headers), std::move(body)} {}
    Step(http::TransportError error) : failure(std::move(error)) {}
    Step(http::Response answer) : response(std::move(answer)) {}
    template <typename Function>
    requires std::is_invocable_r_v<Step, Function, const http::Request&> Step(Function answer)
        : compute(std::move(answer)) {}

    /// The head arrives, then the body breaks off with this failure after `response.body`.
    Step then_fails(http::TransportError error) && {
      body_failure = std::move(error);
      return std::move(*this);
    }

    http::Response response;
    std::optional<http::TransportError> failure;
    std::optional<http::TransportError> body_failure;
    std::function<Step(const http::Request&)> compute;
  };

  ScriptedTransport() = default;
  ScriptedTransport(std::initializer_list<Step> steps) : steps_(steps) {}

  void add(Step step) {
    const std::lock_guard lock(mutex_);
    steps_.push_back(std::move(step));
  }

  void otherwise(Step step) {
    const std::lock_guard lock(mutex_);
    otherwise_ = std::move(step);
  }

  /// Every request so far, in order, with all headers the pipeline added.
  std::vector<http::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

  /// Steps not used yet.
  std::size_t left() const {
    const std::lock_guard lock(mutex_);
    return steps_.size();
  }

  std::unique_ptr<http::Exchange> open(const http::Request& request, const http::TimeLimits&,
                                       std::stop_token stop) override {
    using Kind = http::TransportError::Kind;
    if (stop.stop_requested()) throw http::TransportError(Kind::cancelled, false, "stop was requested");
    Step step = next(request);
    while (step.compute) step = std::function(std::move(step.compute))(request);
    if (step.failure) throw *step.failure;
    return std::make_unique<ScriptedExchange>(std::move(step));
  }

 private:
  class ScriptedExchange final : public http::Exchange {
   public:
    explicit ScriptedExchange(Step step) : step_(std::move(step)) {}
    int status() const override { return step_.response.status; }
    const http::Headers& headers() const override { return step_.response.headers; }
    std::size_t read(char* buffer, std::size_t capacity) override {
      const std::size_t size = std::min(capacity, step_.response.body.size() - at_);
      if (size == 0 && step_.body_failure) throw *step_.body_failure;
      std::memcpy(buffer, step_.response.body.data() + at_, size);
      at_ += size;
      return size;
    }

   private:
    Step step_;
    std::size_t at_ = 0;
  };

  Step next(const http::Request& request) {
    const std::lock_guard lock(mutex_);
    requests_.push_back(request);
    if (steps_.empty()) {
      if (otherwise_) return *otherwise_;
      throw std::logic_error("the script has no answer left for " + request.method + " " + request.url);
    }
    Step step = std::move(steps_.front());
    steps_.pop_front();
    return step;
  }

  // Everything below is guarded by mutex_.
  mutable std::mutex mutex_;
  std::deque<Step> steps_;
  std::optional<Step> otherwise_;
  std::vector<http::Request> requests_;
};

}  // namespace support
