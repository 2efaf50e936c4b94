#include "http/tls_socket.h"

#include <Poco/Exception.h>
#include <Poco/Net/SSLException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <openssl/err.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <string>
#include <utility>

#include "http/dial.h"
#include "http/proxy.h"
#include "http/resolver.h"
#include "http/tls_host.h"

namespace http {
namespace {

using Kind = TransportError::Kind;
using Poco::Net::SecureStreamSocket;

/// "error:0A00042E:SSL routines::tlsv1 alert protocol version" -> "tlsv1 alert protocol version"
std::string reason(const Poco::Exception& error) {
  const std::string& text = error.message();
  std::string last = text.substr(text.rfind(':') + 1);
  return last.empty() ? error.name() : last;
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

class PocoTlsSocket final : public TlsSocket {
 public:
  PocoTlsSocket(std::shared_ptr<TlsHost> host, const Poco::Net::StreamSocket& connected)
      : host_(std::move(host)),
        socket_(SecureStreamSocket::attach(connected, host_->server_name(), host_->context(), host_->session())) {}

  void handshake(const Patience& patience) {
    CertificateWitness witness;
    for (;;) {
      patience.check();
      int result = 0;
      try {
        begin_call();
        result = socket_.completeHandshake();
      } catch (const Poco::Exception& error) {
        handshake_failed(error, witness, patience);
      }
      if (result == 1) break;
      if (result == 0) patience.cut("closed the connection during the TLS handshake");
      patience.wait(fd(), result == SecureStreamSocket::ERR_SSL_WANT_WRITE ? POLLOUT : POLLIN);
    }
    // OpenSSL cannot end a verified handshake without one; a token depends on it, so it is not taken on trust.
    if (!socket_.havePeerCertificate()) patience.fail(Kind::tls, "showed no certificate");
  }

  Step read(char* buffer, std::size_t capacity) override {
    return step(
        [&] { return socket_.receiveBytes(buffer, static_cast<int>(std::min<std::size_t>(capacity, INT_MAX))); });
  }

  Step write(const char* data, std::size_t size) override {
    return step([&] { return socket_.sendBytes(data, static_cast<int>(std::min<std::size_t>(size, INT_MAX))); });
  }

  int fd() const override { return socket_.impl()->sockfd(); }

  void keep_session() override {
    if (const auto session = socket_.currentSession()) host_->keep(session);
  }

 private:
  /// Errors left over by somebody else on this thread would be read as ours.
  static void begin_call() {
    ERR_clear_error();
    errno = 0;
  }

  template <typename Call>
  Step step(Call call) {
    try {
      begin_call();
      const int result = call();
      if (result > 0) return {Progress::done, static_cast<std::size_t>(result)};
      if (result == SecureStreamSocket::ERR_SSL_WANT_READ) return {Progress::wants_read, 0};
      if (result == SecureStreamSocket::ERR_SSL_WANT_WRITE) return {Progress::wants_write, 0};
      return {Progress::closed, 0};
    } catch (const Poco::Exception& error) {
      throw ConnectionLost(reason(error));
    }
  }

  [[noreturn]] static void handshake_failed(const Poco::Exception& error, const CertificateWitness& witness,
                                            const Patience& patience) {
    if (witness.problem()) patience.fail(Kind::tls, *witness.problem());
    const std::string why = reason(error);
    if (has(why, "protocol version") || has(why, "unsupported protocol") || has(why, "no protocols")) {
      patience.fail(Kind::tls, "does not offer TLS 1.2 or newer (" + why + ")");
    }
    if (has(why, "wrong version number") || has(why, "http request") || has(why, "packet length")) {
      patience.fail(Kind::tls, "does not speak TLS on this port (" + why + ")");
    }
    const bool by_tls =
        dynamic_cast<const Poco::Net::SSLException*>(&error) && !has(why, "unexpected eof") && !has(why, "closed");
    if (by_tls) patience.fail(Kind::tls, "does not agree on a TLS connection (" + why + ")");
    patience.cut("closed the connection during the TLS handshake (" + why + ")");
  }

  const std::shared_ptr<TlsHost> host_;
  SecureStreamSocket socket_;
};

Poco::Net::StreamSocket dial_proxy(const Proxy& proxy, const Url& url, Patience& patience) {
  const std::string server = patience.server();
  patience.talk_to("the proxy " + proxy.url.host_port());
  try {
    Poco::Net::StreamSocket connected = dial(resolve(proxy.url.host, proxy.url.port, patience), patience);
    open_tunnel(connected.impl()->sockfd(), proxy, url, patience);
    patience.talk_to(server);
    return connected;
  } catch (const TransportError& error) {
    if (error.kind() != Kind::name && error.kind() != Kind::refused) throw;
    patience.talk_to(server);
    throw TransportError(Kind::proxy, false, error.what());
  }
}

}  // namespace

std::unique_ptr<TlsSocket> TlsSocket::connect(std::shared_ptr<TlsHost> host, const Url& url, const Proxy* proxy,
                                              Patience& patience) {
  patience.begin_connect();
  patience.check();
  const Poco::Net::StreamSocket connected =
      proxy ? dial_proxy(*proxy, url, patience) : dial(resolve(url.host, url.port, patience), patience);
  auto socket = std::make_unique<PocoTlsSocket>(std::move(host), connected);
  socket->handshake(patience);
  return socket;
}

}  // namespace http
