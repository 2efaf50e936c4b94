// The seam to the network. Poco stands behind it (poco_transport.h); tests put a scripted one in its place.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <stop_token>
#include <string>
#include <utility>

#include "http/message.h"

namespace http {

/// Zero means: no limit of its own.
struct TimeLimits {
  std::chrono::milliseconds connect{10'000};  ///< TCP and TLS together
  std::chrono::milliseconds silence{60'000};  ///< between two arriving bytes
  std::chrono::milliseconds total{120'000};   ///< first byte sent to last byte of the head; and of a body read whole
};

/// The exchange failed below HTTP. The text names the server and says what to do; no secret, no query.
class TransportError : public std::exception {
 public:
  enum class Kind {
    name,       ///< the host name cannot be resolved
    refused,    ///< nobody listens, or no route
    tls,        ///< certificate not trusted, wrong name, expired, protocol too old: the text says which
    proxy,      ///< the proxy is unreachable or refuses CONNECT
    timeout,    ///< a limit passed
    cut,        ///< the connection ended early, or the answer is not HTTP
    too_large,  ///< the body is larger than the caller takes
    cancelled,  ///< stop was requested
    throttled,  ///< not sent: the gate is shut for this mailbox until retry_after
    origin,     ///< not sent: a token was about to go to an origin that is not the Graph root's
  };
  TransportError(Kind kind, bool maybe_done, std::string text, std::chrono::milliseconds retry_after = {})
      : kind_(kind), maybe_done_(maybe_done), text_(std::move(text)), retry_after_(retry_after) {}
  Kind kind() const noexcept { return kind_; }
  /// The server may have handled the request: bytes of it had left.
  bool maybe_done() const noexcept { return maybe_done_; }
  std::chrono::milliseconds retry_after() const noexcept { return retry_after_; }
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  Kind kind_;
  bool maybe_done_;
  std::string text_;
  std::chrono::milliseconds retry_after_;
};

/// An answer whose body is still to be read. Destroying it early is allowed (the connection is then not reused).
/// One thread at a time; the stop token of open() also ends a blocked read().
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual int status() const = 0;
  virtual const Headers& headers() const = 0;
  /// Bytes read; 0 only when the body is complete. Throws TransportError (cut, timeout, cancelled).
  virtual std::size_t read(char* buffer, std::size_t capacity) = 0;
  /// From now on TimeLimits::total holds for the body as well. For bodies that are read whole: one that streams to a
  /// slow host may take as long as the host likes.
  virtual void limit_total() {}
};

/// Any thread, any number at a time.
class Transport {
 public:
  virtual ~Transport() = default;
  /// Sends the request and reads the head of the answer. Throws TransportError.
  virtual std::unique_ptr<Exchange> open(const Request& request, const TimeLimits& limits, std::stop_token stop) = 0;
};

/// How the log names it: "timeout".
const char* name_of(TransportError::Kind kind);

/// Reads the rest of an answer, within TimeLimits::total. Throws TransportError::too_large beyond `limit` bytes.
Response read_whole(Exchange& exchange, std::size_t limit);

}  // namespace http
