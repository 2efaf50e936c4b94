#include "m365/server/https_server.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <mutex>
#include <optional>
#include <set>
#include <stdexcept>
#include <thread>

#include "m365/mime/text.h"

namespace embedded {
namespace {

constexpr std::size_t kHeaderLimit = 64 * 1024;
// A body above the handler's limit is drained up to here, so that the refusal can be read; beyond, the line is cut.
constexpr std::size_t kDrainLimit = 256U << 20;

// A write to a dead peer must end in EPIPE, not in a signal that ends the process.
void block_sigpipe() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

struct Closed {};  // the peer or stop() ended the connection

class Wire {
 public:
  Wire(SSL_CTX* context, int socket) : ssl_(SSL_new(context)) {
    if (ssl_ == nullptr || SSL_set_fd(ssl_, socket) != 1) throw Closed();
  }
  ~Wire() { SSL_free(ssl_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void accept() {
    if (SSL_accept(ssl_) != 1) throw Closed();
  }
  void close_notify() { SSL_shutdown(ssl_); }
  // The close that follows tells the peer "connection reset".
  void reset() {
    const linger at_once{1, 0};
    ::setsockopt(SSL_get_fd(ssl_), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }

  void write(std::string_view bytes) {
    if (bytes.empty()) return;
    std::size_t written = 0;
    if (SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written) != 1 || written != bytes.size()) throw Closed();
  }

  // The next line without its end; throws Closed at the end of the stream, nullopt when longer than the limit.
  std::optional<std::string> line(std::size_t limit) {
    std::string text;
    for (;;) {
      const auto rest = std::string_view(buffer_).substr(at_);
      const auto end = rest.find('\n');
      text.append(rest.substr(0, end));
      if (text.size() > limit) return std::nullopt;
      if (end != std::string_view::npos) {
        at_ += end + 1;
        if (!text.empty() && text.back() == '\r') text.pop_back();
        return text;
      }
      fill();
    }
  }

  // Reads `count` bytes to the sink.
  template <typename Sink>
  void bytes(std::size_t count, Sink&& sink) {
    while (count > 0) {
      if (at_ == buffer_.size()) fill();
      const auto part = std::string_view(buffer_).substr(at_, count);
      sink(part);
      at_ += part.size();
      count -= part.size();
    }
  }

 private:
  void fill() {
    buffer_.resize(16 * 1024);
    at_ = 0;
    std::size_t got = 0;
    if (SSL_read_ex(ssl_, buffer_.data(), buffer_.size(), &got) != 1) {
      buffer_.clear();
      throw Closed();
    }
    buffer_.resize(got);
  }

  SSL* ssl_;
  std::string buffer_;
  std::size_t at_ = 0;
};

std::optional<std::size_t> parse_size(std::string_view text, int base) {
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// What cannot be answered by a handler: the status to refuse with.
struct Refused {
  int status;
};

HttpRequest read_head(Wire& wire) {
  HttpRequest request;
  std::optional<std::string> first = wire.line(kHeaderLimit);
  while (first && first->empty()) first = wire.line(kHeaderLimit);  // RFC 9112 2.2: blank lines before a request
  if (!first) throw Refused{431};
  const auto method_end = first->find(' ');
  const auto target_end = first->rfind(' ');
  if (method_end == std::string::npos || target_end <= method_end) throw Refused{400};
  request.method = first->substr(0, method_end);
  request.target = first->substr(method_end + 1, target_end - method_end - 1);
  if (first->compare(target_end + 1, 7, "HTTP/1.") != 0) throw Refused{400};
  if (first->substr(target_end + 1) == "HTTP/1.0") request.headers.add("Connection", "close");
  // The absolute form, which proxies send.
  if (starts_with_ignoring_case(request.target, "https://")) {
    const auto path = request.target.find('/', 8);
    request.target = path == std::string::npos ? "/" : request.target.substr(path);
  }
  if (request.target.empty() || request.target[0] != '/') throw Refused{400};
  std::size_t total = first->size();
  for (;;) {
    const auto line = wire.line(kHeaderLimit);
    if (!line || (total += line->size()) > kHeaderLimit) throw Refused{431};
    if (line->empty()) return request;
    const auto colon = line->find(':');
    if (colon == std::string::npos || colon == 0 || (*line)[colon - 1] == ' ') throw Refused{400};
    request.headers.add(line->substr(0, colon), std::string(trim(std::string_view(*line).substr(colon + 1))));
  }
}

void read_body(Wire& wire, HttpRequest& request, std::size_t limit) {
  std::size_t total = 0;
  const auto keep = [&](std::string_view part) {
    total += part.size();
    if (total > kDrainLimit) throw Closed();
    if (total > limit) {
      request.body_too_large = true;
      request.body.clear();
    } else {
      request.body.append(part);
    }
  };
  const std::string* length = request.headers.find("Content-Length");
  const std::string* coding = request.headers.find("Transfer-Encoding");
  request.has_length = length != nullptr || coding != nullptr;
  if (!request.has_length) return;
  if (length != nullptr && coding != nullptr) throw Refused{400};
  const auto size = length != nullptr ? parse_size(*length, 10) : std::optional<std::size_t>(0);
  if (!size || (coding != nullptr && !equal_ignoring_case(*coding, "chunked"))) throw Refused{400};
  if (equal_ignoring_case(request.headers.get("Expect"), "100-continue") && (coding != nullptr || *size > 0)) {
    wire.write("HTTP/1.1 100 Continue\r\n\r\n");
  }
  if (coding == nullptr) {
    if (*size <= limit) request.body.reserve(*size);
    wire.bytes(*size, keep);
    return;
  }
  for (;;) {
    const auto line = wire.line(1024);
    const auto chunk = line ? parse_size(trim(std::string_view(*line).substr(0, line->find(';'))), 16) : std::nullopt;
    if (!chunk) throw Refused{400};
    if (*chunk == 0) break;
    wire.bytes(*chunk, keep);
    if (const auto end = wire.line(2); !end || !end->empty()) throw Refused{400};
  }
  for (auto trailer = wire.line(kHeaderLimit); trailer && !trailer->empty();) trailer = wire.line(kHeaderLimit);
}

std::string head_of(const HttpResponse& response, bool close) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " " + reason_phrase(response.status) + "\r\n";
  for (const auto& [name, value] : response.headers.fields()) head += name + ": " + value + "\r\n";
  if (response.chunked) {
    head += "Transfer-Encoding: chunked\r\n";
  } else if (response.status != 204) {
    head += "Content-Length: " + std::to_string(response.content().size()) + "\r\n";
  }
  if (close) head += "Connection: close\r\n";
  return head + "\r\n";
}

// Returns false when the connection ends here.
bool write_response(Wire& wire, const HttpResponse& response, bool head_only, bool close) {
  if (response.departure == Departure::none) {
    wire.reset();
    return false;
  }
  if (response.departure == Departure::closed) {
    wire.close_notify();
    return false;
  }
  std::string head = head_of(response, close);
  std::string_view body = head_only ? std::string_view() : response.content();
  const bool halved = response.departure != Departure::whole;
  if (halved) body = body.substr(0, body.size() / 2);
  if (response.chunked && !head_only) {
    constexpr std::size_t chunk = 64 * 1024;
    while (!body.empty()) {
      const auto part = body.substr(0, chunk);
      std::array<char, 20> size{};
      const auto end = std::to_chars(size.data(), size.data() + size.size(), part.size(), 16).ptr;
      head.append(size.data(), end).append("\r\n").append(part).append("\r\n");
      wire.write(head);
      head.clear();
      body.remove_prefix(part.size());
    }
    if (!halved) head += "0\r\n\r\n";
    wire.write(head);
  } else if (body.size() <= 16 * 1024) {
    wire.write(head.append(body));  // one record, one packet
  } else {
    wire.write(head);
    wire.write(body);
  }
  if (response.departure == Departure::half_then_close) wire.close_notify();
  return !halved;
}

}  // namespace

struct HttpsServer::Impl {
  SSL_CTX* tls = nullptr;
  ServerOptions options;
  Handler handler;
  int listener = -1;
  int wake = -1;
  std::uint16_t port = 0;
  std::thread acceptor;

  std::mutex mutex;
  std::condition_variable ended;
  bool stopping = false;      // guarded by mutex
  std::set<int> connections;  // guarded by mutex; a socket is closed only under it, so none is shut down after reuse
  std::size_t threads = 0;    // guarded by mutex

  void listen_on() {
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const std::string where = options.address + ":" + std::to_string(options.port);
    if (const int error = getaddrinfo(options.address.c_str(), std::to_string(options.port).c_str(), &hints, &found)) {
      throw std::runtime_error("cannot listen on " + where + ": " + gai_strerror(error));
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
    listener = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    if (listener >= 0) ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (listener < 0 || ::bind(listener, found->ai_addr, found->ai_addrlen) != 0 || ::listen(listener, 512) != 0) {
      const std::string reason = std::strerror(errno);
      if (listener >= 0) ::close(listener);
      throw std::runtime_error("cannot listen on " + where + ": " + reason);
    }
    sockaddr_storage bound{};
    socklen_t size = sizeof bound;
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&bound), &size);
    port = ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                             : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
    wake = ::eventfd(0, EFD_CLOEXEC);
  }

  void accept_loop() {
    block_sigpipe();
    for (;;) {
      std::array<pollfd, 2> waited = {{{listener, POLLIN, 0}, {wake, POLLIN, 0}}};
      if (::poll(waited.data(), waited.size(), -1) < 0 && errno != EINTR) return;
      if (waited[1].revents != 0) return;
      if (waited[0].revents == 0) continue;
      const int socket = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      if (socket < 0) {
        // Out of descriptors, most likely: the connection stays in the backlog until one is free.
        if (errno == EMFILE || errno == ENFILE) std::this_thread::sleep_for(std::chrono::milliseconds(10));
        continue;
      }
      const int on = 1;
      ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      {
        const std::lock_guard lock(mutex);
        if (stopping || threads >= options.connection_limit) {
          ::close(socket);
          continue;
        }
        connections.insert(socket);
        ++threads;
      }
      try {
        std::thread([this, socket] { serve(socket); }).detach();
      } catch (const std::system_error&) {
        finish(socket);
      }
    }
  }

  void finish(int socket) {
    const std::lock_guard lock(mutex);
    connections.erase(socket);
    ::close(socket);
    --threads;
    ended.notify_all();
  }

  void serve(int socket) {
    block_sigpipe();
    try {
      Wire wire(tls, socket);
      wire.accept();
      while (exchange(wire)) {
      }
    } catch (const Closed&) {
    } catch (const std::exception&) {  // out of memory: this connection ends, the others go on
    }
    ERR_clear_error();
    finish(socket);
  }

  // One request and its answer. False ends the connection.
  bool exchange(Wire& wire) {
    HttpRequest request;
    HttpResponse response;
    bool close = false;
    try {
      request = read_head(wire);
      read_body(wire, request, options.body_limit());
      close = equal_ignoring_case(request.headers.get("Connection"), "close");
      try {
        response = handler(request);
      } catch (const std::exception& error) {
        response = HttpResponse();
        response.status = 500;
        response.headers.add("Content-Type", "text/plain; charset=utf-8");
        response.body = error.what();
      }
    } catch (const Refused& refused) {
      response.status = refused.status;
      close = true;
    }
    const bool goes_on = write_response(wire, response, request.method == "HEAD", close);
    if (goes_on && close) wire.close_notify();
    return goes_on && !close;
  }
};

HttpsServer::HttpsServer(SSL_CTX* tls, ServerOptions options, Handler handler) : impl_(std::make_unique<Impl>()) {
  impl_->tls = tls;
  impl_->options = std::move(options);
  impl_->handler = std::move(handler);
  impl_->listen_on();
  impl_->acceptor = std::thread([impl = impl_.get()] { impl->accept_loop(); });
}

HttpsServer::~HttpsServer() {
  stop();
}

std::uint16_t HttpsServer::port() const {
  return impl_->port;
}

void HttpsServer::stop() {
  auto& impl = *impl_;
  {
    const std::lock_guard lock(impl.mutex);
    if (impl.stopping) return;
    impl.stopping = true;
    for (const int socket : impl.connections) ::shutdown(socket, SHUT_RDWR);
  }
  const std::uint64_t one = 1;
  if (::write(impl.wake, &one, sizeof one) < 0) return;
  impl.acceptor.join();
  std::unique_lock lock(impl.mutex);
  impl.ended.wait(lock, [&] { return impl.threads == 0; });
  ::close(impl.listener);
  ::close(impl.wake);
}

}  // namespace embedded
