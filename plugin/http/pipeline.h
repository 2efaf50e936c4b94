// The way of one request: log -> retry -> token -> gate -> transport. One concern, one step; the order is written in
// pipeline.cpp and nowhere else.
#pragma once

#include <cstddef>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/gate.h"
#include "http/transport.h"
#include "mail/clock.h"
#include "mail/log.h"
#include "mail/random.h"
#include "mail/secret.h"

namespace http {

/// Where the token step gets its tokens. Any thread.
class BearerTokens {
 public:
  virtual ~BearerTokens() = default;
  /// A token that is good now; fetches one if needed. Throws mail::FaultError.
  virtual mail::Secret current(std::stop_token stop) = 0;
  /// The service refused this token (401): the next current() is another one.
  virtual void forget(std::string_view token) = 0;
};

struct RetryPolicy {
  unsigned repeats = 2;                            ///< after the first try
  std::chrono::milliseconds first_pause{400};      ///< doubled each time, with jitter of half
  std::chrono::milliseconds longest_pause{3'000};  ///< a longer Retry-After is not waited for here: the answer goes up
};

struct PipelineParts {
  std::shared_ptr<Transport> transport;
  std::shared_ptr<Gate> gate;            ///< may be null: none
  std::shared_ptr<BearerTokens> tokens;  ///< may be null: requests with authorize are a misuse
  std::string graph_origin;              ///< the only origin that gets a token, as origin_of() writes it
  mail::Clock* clock = nullptr;
  mail::Random* random = nullptr;
  mail::Log* log = nullptr;
  std::string source;  ///< how the log names this server ("Contoso M365")
  RetryPolicy retry;
  TimeLimits limits;
};

/// Any thread. A status is an answer, whatever it says; only failures below HTTP, the gate and the token source throw
/// (TransportError, mail::FaultError). Adds client-request-id (one for a request and its repeats), User-Agent and
/// Accept-Encoding: identity.
///  - Repeats by itself only `repeatable` requests, after a lost connection, 500, 502, 503 or 504 (over a new
///  connection),
///    and 429/503 whose Retry-After is short. A request that had certainly not left is repeated in any case, once,
///    unless the reason does not heal by itself (tls, proxy).
///  - 401: one fresh token, one more try (a 401 was not executed), also for requests that are not repeatable. A second
///    401 is the answer.
///  - 429, and 503/509 with Retry-After, shut the gate for the request's mailboxes; a 429 without Retry-After for 2 s
///  and
///    twice as long each time, until the mailbox answers something else. What a batch's inner answers say, its caller
///    tells the gate.
///  - TransportError::maybe_done() speaks for all tries together.
///  - The log line at debug has operation, status, milliseconds, request-id; never URL, query or body.
class Pipeline {
 public:
  explicit Pipeline(PipelineParts parts);
  ~Pipeline();
  /// The whole answer. Throws TransportError::too_large for a body above `body_limit` bytes.
  Response send(Request request, std::stop_token stop, std::size_t body_limit = 64u << 20);
  /// For bodies of any size. The pass of the gate is held until the exchange is destroyed. Not repeated once open.
  std::unique_ptr<Exchange> open(Request request, std::stop_token stop);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
