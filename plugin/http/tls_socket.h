#pragma once

#include <cstddef>
#include <memory>
#include <stdexcept>

#include "http/patience.h"
#include "http/url.h"

namespace http {

class TlsHost;
struct Proxy;

/// The connection ended without close_notify; what() says how.
class ConnectionLost : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One TLS connection over a non-blocking Poco SecureStreamSocket. One thread at a time, SIGPIPE blocked on it.
class TlsSocket {
 public:
  /// TCP, CONNECT where there is a proxy, and the TLS handshake with everything verified. Throws TransportError.
  static std::unique_ptr<TlsSocket> connect(std::shared_ptr<TlsHost> host, const Url& url, const Proxy* proxy,
                                            Patience& patience);
  virtual ~TlsSocket() = default;

  enum class Progress {
    done,         ///< `bytes` of them
    wants_read,   ///< again when the socket is readable
    wants_write,  ///< again when it is writable
    closed,       ///< the peer said close_notify: a deliberate end
  };
  struct Step {
    Progress progress;
    std::size_t bytes;
  };
  /// Never wait. Throw ConnectionLost.
  virtual Step read(char* buffer, std::size_t capacity) = 0;
  virtual Step write(const char* data, std::size_t size) = 0;

  virtual int fd() const = 0;
  /// For the next connection to this host. TLS 1.3 sends its tickets after the handshake, so this is called once the
  /// first answer has come; before, there is nothing to resume (feasibility.md, 2.1).
  virtual void keep_session() = 0;
};

}  // namespace http
