#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/patience.h"
#include "http/tls_socket.h"
#include "mail/clock.h"

namespace http {

/// A TLS connection with an input buffer, waiting as `patience` allows. One thread at a time. Closing says
/// close_notify, with SIGPIPE blocked.
class Connection {
 public:
  Connection(std::unique_ptr<TlsSocket> socket, mail::SteadyTime born);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// All of it: true. False: the server began to answer before it had everything (413, 401), so the rest was not sent.
  /// Throws TransportError.
  bool write(std::string_view data, Patience& patience);
  /// Bytes read; 0: the peer said close_notify. Throws TransportError.
  std::size_t read(char* buffer, std::size_t capacity, Patience& patience);
  /// A line without its end (CR LF, or LF alone); its bytes are taken off `budget`. Throws TransportError (cut, also
  /// when the budget is used up).
  std::string read_line(std::size_t& budget, Patience& patience);

  /// Before reuse: nothing has arrived since the last answer, not even the peer's close. TLS tickets do not count.
  bool still_open();
  /// Bytes that nobody asked for are waiting: the next answer could not be told from them.
  bool has_leftovers() const { return begin_ != end_; }
  /// The first answer has come.
  void answered();

  const mail::SteadyTime born;
  mail::SteadyTime idle_until{};  ///< set by whoever gives it to the pool

 private:
  enum class Pump { bytes, nothing, closed };
  Pump pump(TlsSocket::Progress* wants = nullptr);

  std::unique_ptr<TlsSocket> socket_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0, end_ = 0;  // what was received and not yet taken
  bool answered_ = false;
};

}  // namespace http
