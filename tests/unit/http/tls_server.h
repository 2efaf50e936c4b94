// A TLS server on loopback whose behaviour the test writes as a function, down to how it closes.
#pragma once

#include <openssl/ssl.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "test_ca.h"

namespace test {

/// One accepted connection, on a thread of its own. Blocking; gives up after ten seconds of silence.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  bool handshake(SSL_CTX* context);  ///< false: the client went away or refused
  std::string read_some();           ///< empty: the client closed
  std::string read_head();           ///< up to the blank line; empty: the client closed before
  std::string read_request();        ///< head and the body its Content-Length announces
  bool write(std::string_view text);
  void close_notify();
  void close();  ///< FIN without close_notify
  void reset();  ///< RST
  bool resumed() const { return ssl_ && SSL_session_reused(ssl_); }
  int fd() const { return fd_; }

 private:
  std::string buffered_;
  int fd_;
  SSL* ssl_ = nullptr;
};

class TlsServer {
 public:
  using Behaviour = std::function<void(Peer&)>;
  struct Options {
    Identity identity = shared_ca().issue({"DNS:localhost", "IP:127.0.0.1"});
    int max_protocol = TLS1_3_VERSION;
    std::function<void()> before_handshake;  ///< once TCP is accepted
    bool handshake = true;                   ///< false: `behaviour` gets the bare TCP connection
    bool accepts = true;                     ///< false: nobody accepts; a client's connect still succeeds
  };

  explicit TlsServer(Behaviour behaviour) : TlsServer(Options(), std::move(behaviour)) {}
  TlsServer(Options options, Behaviour behaviour);
  ~TlsServer();  ///< ends every connection and joins all threads

  std::string url(const std::string& target = "/", const std::string& host = "localhost") const;
  int port() const { return port_; }
  SSL_CTX* context() const { return context_; }

  std::atomic<int> connections{0};  ///< accepted
  std::atomic<int> handshakes{0};   ///< completed
  std::atomic<int> resumed{0};      ///< of these

 private:
  void accept_all();
  void serve(int fd);

  const Options options_;
  const Behaviour behaviour_;
  SSL_CTX* context_;
  int listener_;
  int port_;
  std::mutex mutex_;
  bool ending_ = false;               // guarded by mutex_
  std::vector<Peer*> open_;           // guarded by mutex_
  std::vector<std::thread> serving_;  // guarded by mutex_
  std::thread accepting_;
};

/// "HTTP/1.1 200 OK" with Content-Length.
std::string answer(std::string_view body, std::string_view more_header = {});
/// Answers every request with `body` until the client closes.
TlsServer::Behaviour answer_all(std::string body);

}  // namespace test
