#include "tls_server.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace test {

Peer::~Peer() {
  close();
  if (ssl_) SSL_free(ssl_);
}

bool Peer::handshake(SSL_CTX* context) {
  ssl_ = SSL_new(context);
  SSL_set_fd(ssl_, fd_);
  const bool done = SSL_accept(ssl_) == 1;
  ERR_clear_error();
  return done;
}

std::string Peer::read_some() {
  char buffer[16 * 1024];
  if (!buffered_.empty()) return std::exchange(buffered_, {});
  ERR_clear_error();
  const ssize_t got = ssl_ ? SSL_read(ssl_, buffer, sizeof buffer) : ::recv(fd_, buffer, sizeof buffer, 0);
  return got > 0 ? std::string(buffer, static_cast<std::size_t>(got)) : std::string();
}

std::string Peer::read_head() {
  std::string text;
  for (;;) {
    if (const std::size_t end = text.find("\r\n\r\n"); end != std::string::npos) {
      buffered_ = text.substr(end + 4);
      return text.substr(0, end + 4);
    }
    const std::string more = read_some();
    if (more.empty()) return {};
    text += more;
  }
}

std::string Peer::read_request() {
  const std::string head = read_head();
  const std::size_t field = head.find("Content-Length: ");
  const std::size_t size = field == std::string::npos ? 0 : std::strtoul(head.c_str() + field + 16, nullptr, 10);
  std::string body;
  while (body.size() < size) {
    const std::string more = read_some();
    if (more.empty()) return {};
    body += more;
  }
  buffered_ = body.substr(size);
  return head + body.substr(0, size);
}

bool Peer::write(std::string_view text) {
  ERR_clear_error();
  if (ssl_) return text.empty() || SSL_write(ssl_, text.data(), static_cast<int>(text.size())) > 0;
  return ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

void Peer::close_notify() {
  if (ssl_) SSL_shutdown(ssl_);
}

void Peer::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

void Peer::reset() {
  const linger now = {1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  close();
}

TlsServer::TlsServer(Options options, Behaviour behaviour)
    : options_(std::move(options)), behaviour_(std::move(behaviour)), context_(SSL_CTX_new(TLS_server_method())) {
  SSL_CTX_set_min_proto_version(context_, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context_, options_.max_protocol);
  if (options_.max_protocol < TLS1_2_VERSION) SSL_CTX_set_security_level(context_, 0);
  SSL_CTX_use_certificate(context_, options_.identity.certificate.get());
  SSL_CTX_use_PrivateKey(context_, options_.identity.key.get());
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("no loopback server");
  }
  port_ = ntohs(address.sin_port);
  if (options_.accepts) accepting_ = std::thread([this] { accept_all(); });
}

TlsServer::~TlsServer() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    for (const Peer* peer : open_) ::shutdown(peer->fd(), SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  if (accepting_.joinable()) accepting_.join();
  for (std::thread& thread : serving_) thread.join();
  ::close(listener_);
  SSL_CTX_free(context_);
}

std::string TlsServer::url(const std::string& target, const std::string& host) const {
  return "https://" + host + ":" + std::to_string(port_) + target;
}

void TlsServer::accept_all() {
  for (;;) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd < 0) return;
    ++connections;
    const std::lock_guard lock(mutex_);
    serving_.emplace_back([this, fd] { serve(fd); });
  }
}

void TlsServer::serve(int fd) {
  sigset_t pipe;
  sigemptyset(&pipe);
  sigaddset(&pipe, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
  const timeval patience = {10, 0};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);

  const int now = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);

  Peer peer(fd);
  {
    const std::lock_guard lock(mutex_);
    if (ending_) return;
    open_.push_back(&peer);
  }
  if (options_.before_handshake) options_.before_handshake();
  bool ready = true;
  if (options_.handshake) {
    ready = peer.handshake(context_);
    if (ready) ++handshakes;
    if (ready && peer.resumed()) ++resumed;
  }
  if (ready) behaviour_(peer);
  const std::lock_guard lock(mutex_);
  std::erase(open_, &peer);
  peer.close();
}

std::string answer(std::string_view body, std::string_view more_header) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + std::string(more_header) +
         "\r\n" + std::string(body);
}

TlsServer::Behaviour answer_all(std::string body) {
  return [body = std::move(body)](Peer& peer) {
    while (!peer.read_request().empty()) {
      if (!peer.write(answer(body))) return;
    }
  };
}

}  // namespace test
