#include "service/https_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <pthread.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <ctime>
#include <map>
#include <stdexcept>
#include <thread>
#include <unordered_map>

#include "service/certificate.h"

namespace bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t record = 16 * 1024, most_head = 64 * 1024;

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

[[noreturn]] void fail(const char* what) {
  throw std::runtime_error(std::string("the load server cannot start: ") + what + ": " +
                           std::error_code(errno, std::generic_category()).message());
}

const char* reason(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 404:
      return "Not Found";
    case 410:
      return "Gone";
    default:
      return "Answer";
  }
}

struct Connection {
  enum class State { reads, waits_to_answer, waits_to_write, writes } state = State::reads;
  int fd = -1;
  std::unique_ptr<SSL, FreeSsl> ssl;
  std::string in;  ///< room; the first `filled` bytes count
  std::size_t filled = 0;
  std::size_t head_size = 0, request_size = 0;
  std::string head;
  HttpAnswer answer;
  std::size_t head_sent = 0, body_sent = 0;
  std::uint64_t block_sent = 0;

  ~Connection() {
    ssl.reset();
    if (fd >= 0) ::close(fd);
  }
  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
};

}  // namespace

std::string_view HttpRequest::header(std::string_view name) const {
  std::size_t at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    const std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
    if (line.size() > name.size() && line[name.size()] == ':' &&
        ::strncasecmp(line.data(), name.data(), name.size()) == 0) {
      const std::size_t from = line.find_first_not_of(" \t", name.size() + 1);
      return from == std::string_view::npos ? std::string_view() : line.substr(from);
    }
    at = head.find("\r\n", at + 2);
  }
  return {};
}

void HttpAnswer::clear() {
  status = 200;
  content_type = "application/json;odata.metadata=minimal;charset=utf-8";
  extra.clear();
  body.clear();
  block = nullptr;
  block_size = 0;
  work = std::chrono::microseconds(0);
}

struct HttpsServer::Loop {
  Loop(const std::filesystem::path& ca_file, HttpHandler& the_handler, std::chrono::microseconds trip)
      : handler(the_handler), round_trip(trip), context(make_server_context(ca_file)) {
    listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (listener < 0 || ::bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener, 512) != 0 || ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      fail("socket");
    port = ntohs(address.sin_port);
    poller = ::epoll_create1(EPOLL_CLOEXEC);
    stopper = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (poller < 0 || stopper < 0) fail("epoll");
    watch(listener, EPOLLIN);
    watch(stopper, EPOLLIN);
    thread = std::thread([this] { run(); });
    ::pthread_getcpuclockid(thread.native_handle(), &cpu_clock);
  }

  ~Loop() {
    const std::uint64_t one = 1;
    if (::write(stopper, &one, sizeof one) == sizeof one) thread.join();
    connections.clear();
    for (const int fd : {listener, poller, stopper}) ::close(fd);
  }

  void watch(int fd, std::uint32_t events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    if (::epoll_ctl(poller, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
  }

  void run() {
    // A client that ends while it is written to must not end the benchmark.
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    epoll_event events[64];
    for (;;) {
      timespec wait{};
      const timespec* until = nullptr;
      if (!timers.empty()) {
        const auto left = std::max<Clock::duration>(timers.begin()->first - Clock::now(), Clock::duration(0));
        wait.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(left).count();
        wait.tv_nsec = (left % std::chrono::seconds(1)).count();
        until = &wait;
      }
      const int count = ::epoll_pwait2(poller, events, 64, until, nullptr);
      for (int i = 0; i < count; ++i) {
        const int fd = events[i].data.fd;
        if (fd == stopper) return;
        if (fd == listener) {
          accept_all();
        } else {
          advance(fd);
        }
      }
      for (const auto now = Clock::now(); !timers.empty() && timers.begin()->first <= now;) {
        const int fd = timers.begin()->second;
        timers.erase(timers.begin());
        due(fd);
      }
    }
  }

  void accept_all() {
    for (;;) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (fd < 0) return;
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      auto connection = std::make_unique<Connection>();
      connection->fd = fd;
      connection->ssl.reset(SSL_new(context.get()));
      SSL_set_fd(connection->ssl.get(), fd);
      SSL_set_accept_state(connection->ssl.get());
      connections[fd] = std::move(connection);
      watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);  // each state goes on until it would have to wait
      ++handshakes;
    }
  }

  void drop(int fd) {
    std::erase_if(timers, [fd](const auto& timer) { return timer.second == fd; });
    if (connections.at(fd)->state != Connection::State::reads) --in_flight;
    connections.erase(fd);
  }

  void due(int fd) {
    Connection& connection = *connections.at(fd);
    if (connection.state == Connection::State::waits_to_answer) {
      make_answer(connection);
    } else {
      connection.state = Connection::State::writes;
    }
    advance(fd);
  }

  /// As far as it goes without waiting.
  void advance(int fd) {
    const auto found = connections.find(fd);
    if (found == connections.end()) return;
    Connection& connection = *found->second;
    ERR_clear_error();
    bool good = true;
    for (bool more = true; good && more;) {
      switch (connection.state) {
        case Connection::State::reads:
          good = read(connection, more);
          break;
        case Connection::State::writes:
          good = write(connection, more);
          break;
        default:  // a client that leaves shows when it is written to
          more = false;
      }
    }
    if (!good) drop(fd);
  }

  /// False: the connection is over.
  bool blocked(Connection& connection, int result, bool& more) {
    more = false;
    const int error = SSL_get_error(connection.ssl.get(), result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
  }

  bool read(Connection& connection, bool& more) {
    if (take_request(connection)) return true;
    std::string& in = connection.in;
    if (in.size() < connection.filled + record) in.resize(std::max(connection.request_size, 2 * in.size()) + record);
    const int got = SSL_read(connection.ssl.get(), in.data() + connection.filled, static_cast<int>(record));
    if (got <= 0) return blocked(connection, got, more);
    connection.filled += static_cast<std::size_t>(got);
    return connection.head_size > 0 || connection.filled < most_head;
  }

  bool take_request(Connection& connection) {
    const std::string_view in = std::string_view(connection.in).substr(0, connection.filled);
    if (connection.head_size == 0) {
      const std::size_t end = in.find("\r\n\r\n");
      if (end == std::string::npos) return false;
      connection.head_size = end + 4;
      HttpRequest request;
      request.head = in.substr(0, end + 2);
      std::size_t length = 0;
      const std::string_view text = request.header("Content-Length");
      std::from_chars(text.data(), text.data() + text.size(), length);
      connection.request_size = connection.head_size + length;
    }
    if (in.size() < connection.request_size) return false;
    if (++in_flight > most_in_flight) most_in_flight = in_flight.load();
    if (round_trip.count() == 0) {
      make_answer(connection);
    } else {
      connection.state = Connection::State::waits_to_answer;
      timers.emplace(Clock::now() + round_trip / 2, connection.fd);
    }
    return true;
  }

  void make_answer(Connection& connection) {
    const std::string_view in = connection.in;
    HttpRequest request;
    request.head = in.substr(0, connection.head_size - 2);
    request.body = in.substr(connection.head_size, connection.request_size - connection.head_size);
    const std::string_view line = in.substr(0, in.find("\r\n"));
    const std::size_t first = line.find(' '), second = line.rfind(' ');
    request.method = line.substr(0, first);
    request.target = second > first ? line.substr(first + 1, second - first - 1) : std::string_view();
    HttpAnswer& answer = connection.answer;
    answer.clear();
    handler.answer(request, answer);
    connection.filled -= connection.request_size;
    std::copy_n(connection.in.begin() + static_cast<std::ptrdiff_t>(connection.request_size), connection.filled,
                connection.in.begin());  // nobody pipelines: mostly nothing
    connection.head_size = connection.request_size = 0;
    connection.head_sent = connection.body_sent = 0;
    connection.block_sent = 0;
    write_head(connection);
    const auto wait = answer.work + (round_trip - round_trip / 2);
    connection.state = Connection::State::writes;
    if (wait.count() == 0) return;
    connection.state = Connection::State::waits_to_write;
    timers.emplace(Clock::now() + wait, connection.fd);
  }

  void write_head(Connection& connection) {
    const HttpAnswer& answer = connection.answer;
    const std::time_t now = std::time(nullptr);
    if (now != date_of) {
      date_of = now;
      std::tm parts{};
      ::gmtime_r(&now, &parts);
      char text[64];
      date.assign(text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    }
    std::string& head = connection.head;
    head.assign("HTTP/1.1 ").append(std::to_string(answer.status)).append(" ").append(reason(answer.status));
    head.append("\r\nDate: ").append(date);
    head.append(
        "\r\nrequest-id: 5f0b7a4e-9c9d-4a55-a3a4-0d6c1f2b8e11\r\nStrict-Transport-Security: max-age=31536000\r\n");
    head.append(answer.extra);
    const std::uint64_t size = answer.body.size() + answer.block_size;
    if (size > 0) head.append("Content-Type: ").append(answer.content_type).append("\r\n");
    if (answer.status != 204) head.append("Content-Length: ").append(std::to_string(size)).append("\r\n");
    head.append("\r\n");
    // Small answers in one record, as a real server sends them.
    if (answer.body.size() < 8192 && answer.block_size == 0) {
      head.append(answer.body);
      connection.body_sent = answer.body.size();
    }
  }

  bool write(Connection& connection, bool& more) {
    const HttpAnswer& answer = connection.answer;
    std::string_view piece;
    if (connection.head_sent < connection.head.size()) {
      piece = std::string_view(connection.head).substr(connection.head_sent);
    } else if (connection.body_sent < answer.body.size()) {
      piece = std::string_view(answer.body).substr(connection.body_sent);
    } else if (connection.block_sent < answer.block_size) {
      piece = std::string_view(*answer.block).substr(connection.block_sent % answer.block->size());
      piece = piece.substr(0, answer.block_size - connection.block_sent);
    } else {
      connection.state = Connection::State::reads;
      --in_flight;
      return true;
    }
    const int sent =
        SSL_write(connection.ssl.get(), piece.data(), static_cast<int>(std::min<std::size_t>(piece.size(), 1 << 20)));
    if (sent <= 0) return blocked(connection, sent, more);
    const auto count = static_cast<std::size_t>(sent);
    if (connection.head_sent < connection.head.size()) {
      connection.head_sent += count;
    } else if (connection.body_sent < answer.body.size()) {
      connection.body_sent += count;
    } else {
      connection.block_sent += count;
    }
    return true;
  }

  HttpHandler& handler;
  const std::chrono::microseconds round_trip;
  const ServerContext context;
  int listener = -1, poller = -1, stopper = -1, port = 0;
  clockid_t cpu_clock{};
  std::atomic<std::uint64_t> handshakes{0};
  std::atomic<unsigned> in_flight{0}, most_in_flight{0};
  // Only the thread's:
  std::unordered_map<int, std::unique_ptr<Connection>> connections;
  std::multimap<Clock::time_point, int> timers;
  std::time_t date_of = 0;
  std::string date;
  std::thread thread;  // last: it uses all above
};

HttpsServer::HttpsServer(const std::filesystem::path& ca_file, HttpHandler& handler,
                         std::chrono::microseconds round_trip)
    : loop_(std::make_unique<Loop>(ca_file, handler, round_trip)) {}

HttpsServer::~HttpsServer() = default;

int HttpsServer::port() const {
  return loop_->port;
}

double HttpsServer::cpu() const {
  timespec time{};
  ::clock_gettime(loop_->cpu_clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

unsigned HttpsServer::most_in_flight() {
  return loop_->most_in_flight.exchange(loop_->in_flight);
}

std::uint64_t HttpsServer::handshakes() const {
  return loop_->handshakes;
}

}  // namespace bench
