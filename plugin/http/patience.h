// How long one exchange may wait, and what ends its waits early.
#pragma once

#include <poll.h>

#include <chrono>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <utility>

#include "http/transport.h"
#include "mail/clock.h"

namespace http {

/// All sockets here are non-blocking, and every wait for one goes through wait(): it ends when the socket is ready,
/// when a limit passes, or when stop is requested (an eventfd in the same poll). So a total deadline and a stop need
/// neither a watchdog thread nor a shutdown() from outside, and a file descriptor cannot be closed or reused under a
/// waiting thread. One thread at a time.
class Patience {
 public:
  /// `server` is named in every error. Throws TransportError when the process is out of file descriptors.
  Patience(mail::Clock& clock, const TimeLimits& limits, std::stop_token stop, std::string server);
  Patience(const Patience&) = delete;
  Patience& operator=(const Patience&) = delete;

  void begin_connect();   ///< `connect` holds from now
  void begin_exchange();  ///< `total` holds from now
  void begin_body();      ///< no limit but `silence`
  void limit_total();     ///< `total` again, counted from begin_exchange()

  /// Throws TransportError (cancelled, timeout) when stop was requested or the phase's limit has passed.
  void check() const;
  /// Waits until one of `sockets` is ready: true; false when `at_most` passed first. Throws as check() does.
  bool wait(std::span<pollfd> sockets, std::optional<std::chrono::milliseconds> at_most = {}) const;
  bool wait(int socket, short events) const;

  [[noreturn]] void fail(TransportError::Kind kind, const std::string& what) const;  ///< "SERVER WHAT"
  [[noreturn]] void cut(const std::string& what) const { fail(TransportError::Kind::cut, what); }

  mail::Clock& clock() const { return clock_; }
  const std::stop_token& stop() const { return stop_; }
  const std::string& server() const { return server_; }
  std::optional<mail::SteadyTime> deadline() const;
  void talk_to(std::string server) { server_ = std::move(server); }  ///< the proxy first, then the server behind it

  /// Bytes of the request have left: from now on every error says maybe_done.
  void request_leaves() { maybe_done_ = true; }
  bool maybe_done() const { return maybe_done_; }

 private:
  enum class Phase { connect, exchange, body, whole_body };
  /// Readable once rung.
  class Bell {
   public:
    Bell();
    ~Bell();
    Bell(const Bell&) = delete;
    Bell& operator=(const Bell&) = delete;
    int fd() const { return fd_; }
    void ring() const noexcept;

   private:
    const int fd_;
  };
  struct Ring {
    const Bell& bell;
    void operator()() const noexcept { bell.ring(); }
  };
  [[noreturn]] void late() const;
  [[noreturn]] void silent() const;
  [[noreturn]] void stopped() const;

  mail::Clock& clock_;
  const TimeLimits limits_;
  const std::stop_token stop_;
  std::string server_;
  Phase phase_ = Phase::connect;
  mail::SteadyTime connect_began_;
  mail::SteadyTime exchange_began_;
  bool maybe_done_ = false;
  const Bell bell_;  // rung by on_stop_, so it has to outlive that
  std::stop_callback<Ring> on_stop_;
};

}  // namespace http
