// What the service allows one app and mailbox (graph-mail.md, section 15), kept before every request, fetching and
// sending together: 4 requests at a time, 10,000 in 10 minutes, 150 MB of request bodies in 5 minutes; and silence
// while a Retry-After runs, because requests sent meanwhile count and prolong it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "http/message.h"
#include "mail/clock.h"

namespace http {

struct GateLimits {
  unsigned concurrent = 4;
  unsigned requests = 10'000;
  std::chrono::seconds requests_window{600};
  std::size_t upload_bytes = 150'000'000;
  std::chrono::seconds upload_window{300};
};

/// Any thread. Keys are mailboxes, compared without case; a batch names one key for each request inside.
class Gate {
 public:
  explicit Gate(mail::Clock& clock, GateLimits limits = {});
  ~Gate();
  /// Places taken; given back when destroyed.
  class Pass {
   public:
    virtual ~Pass() = default;
  };
  struct State;  ///< of gate.cpp; outlives the gate while passes are out
  /// Waits for places only (a batch takes as many of a mailbox as it has requests for it, at most all four, and all of
  /// its places at once; senders first). No mailboxes: passes at once. Where a budget is used up or a Retry-After runs
  /// it does not wait but throws TransportError::throttled with the time left. Throws TransportError::cancelled on
  /// stop.
  std::unique_ptr<Pass> enter(const std::vector<std::string>& mailboxes, std::size_t body_bytes, Urgency urgency,
                              std::stop_token stop);
  /// The service answered 429 for this mailbox: nobody asks again before `wait` has passed.
  void shut(const std::string& mailbox, std::chrono::milliseconds wait);
  /// What is left of this mailbox's wait, 0 when open.
  std::chrono::milliseconds shut_for(const std::string& mailbox) const;

 private:
  std::shared_ptr<State> state_;
};

}  // namespace http
