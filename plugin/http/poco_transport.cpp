#include "http/poco_transport.h"

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "http/body.h"
#include "http/connection.h"
#include "http/http1.h"
#include "http/patience.h"
#include "http/pool.h"
#include "http/proxy.h"
#include "http/sigpipe.h"
#include "http/tls_host.h"
#include "http/tls_socket.h"
#include "http/trust.h"
#include "http/url.h"

namespace http {
namespace {

using Kind = TransportError::Kind;

constexpr std::size_t longest_head = 128 * 1024;
constexpr std::size_t small_body = 16 * 1024;
/// Load balancers and firewalls forget a silent connection after minutes without telling anyone.
constexpr std::chrono::seconds longest_idle{90};

class PocoExchange final : public Exchange {
 public:
  PocoExchange(std::shared_ptr<Pool> pool, std::string origin, std::unique_ptr<Patience> patience,
               std::unique_ptr<Connection> connection, Head head, Framing framing, bool reusable)
      : pool_(std::move(pool)),
        origin_(std::move(origin)),
        patience_(std::move(patience)),
        connection_(std::move(connection)),
        head_(std::move(head)),
        body_(framing),
        reusable_(reusable && head_.persistent) {
    if (body_.complete()) finish();
  }

  int status() const override { return head_.status; }
  const Headers& headers() const override { return head_.headers; }
  void limit_total() override { patience_->limit_total(); }

  std::size_t read(char* buffer, std::size_t capacity) override {
    if (body_.complete()) return 0;
    if (!connection_) patience_->cut("was lost earlier in this answer");
    const SigpipeBlock block;
    try {
      const std::size_t got = body_.read(*connection_, buffer, capacity, *patience_);
      if (body_.complete()) finish();
      return got;
    } catch (...) {
      connection_.reset();
      throw;
    }
  }

 private:
  /// The connection goes back as soon as the body is complete, not when the caller gets round to drop the exchange.
  void finish() {
    const mail::SteadyTime now = patience_->clock().now();
    std::unique_ptr<Connection> connection = std::move(connection_);
    if (!reusable_ || !body_.leaves_connection_open() || connection->has_leftovers()) return;
    connection->idle_until = now + longest_idle;
    if (const auto timeout = keep_alive_timeout(head_.headers)) {
      // A second less than announced: the request has to arrive before the peer's time is up.
      connection->idle_until =
          std::min(connection->idle_until, now + std::chrono::seconds(*timeout ? *timeout - 1 : 0));
    }
    pool_->give(origin_, std::move(connection), now);
  }

  const std::shared_ptr<Pool> pool_;
  const std::string origin_;
  const std::unique_ptr<Patience> patience_;
  std::unique_ptr<Connection> connection_;  // null once the body is complete or lost
  const Head head_;
  Body body_;
  const bool reusable_;
};

class PocoTransport final : public Transport {
 public:
  PocoTransport(const TransportOptions& options, mail::Clock& clock)
      : clock_(clock),
        trust_(options.ca_file),
        proxy_(parse_proxy(options.proxy)),
        pool_(std::make_shared<Pool>(options.idle_connections)) {}

  std::unique_ptr<Exchange> open(const Request& request, const TimeLimits& limits, std::stop_token stop) override {
    const Url url = checked(request.url);
    const bool together = request.body.size() <= small_body;  // head and body in one record, one packet
    std::string text = write_head(request, url, together ? request.body.size() : 0);
    const mail::WipedAtEnd end(text);  // a token, or a secret
    auto patience = std::make_unique<Patience>(clock_, limits, std::move(stop), url.authority());
    patience->check();
    const SigpipeBlock block;
    const std::string origin = url.host_port();
    std::unique_ptr<Connection> connection = request.fresh_connection ? nullptr : pool_->take(origin, clock_.now());
    if (!connection) {
      connection = std::make_unique<Connection>(
          TlsSocket::connect(host_of(url), url, proxy_ ? &*proxy_ : nullptr, *patience), clock_.now());
    }
    patience->begin_exchange();
    if (together) text += request.body;
    bool all_sent = connection->write(text, *patience);
    if (!together) all_sent = all_sent && connection->write(request.body, *patience);
    try {
      Head head = read_head(*connection, *patience);
      const Framing framing = framing_of(request.method, head);
      connection->answered();
      patience->begin_body();
      return std::make_unique<PocoExchange>(pool_, origin, std::move(patience), std::move(connection), std::move(head),
                                            framing, all_sent);
    } catch (const BadAnswer& error) {
      patience->cut(error.what());
    }
  }

 private:
  static Url checked(const std::string& text) {
    auto url = parse_url(text);
    // The text may hold a signature in its query: it is not repeated.
    if (!url || !url->userinfo.empty()) throw TransportError(Kind::name, false, "not a URL that can be asked");
    if (!url->secure) {
      throw TransportError(Kind::tls, false, url->authority() + " was to be asked over http; only https is allowed");
    }
    return std::move(*url);
  }

  static Head read_head(Connection& connection, Patience& patience) {
    std::size_t budget = longest_head;
    for (;;) {
      HeadReader reader;
      while (!reader.take(connection.read_line(budget, patience))) continue;
      Head head = std::move(reader).head();
      if (head.status == 101) throw BadAnswer("switched to another protocol unasked");
      if (head.status >= 200) return head;  // 100 Continue, 103 Early Hints: the answer is still to come
    }
  }

  /// One Context a host: making one costs, and resumption lives in it.
  std::shared_ptr<TlsHost> host_of(const Url& url) {
    const std::lock_guard lock(mutex_);
    auto& host = hosts_[url.host_port()];
    if (!host) host = std::make_shared<TlsHost>(trust_, url);
    return host;
  }

  mail::Clock& clock_;
  const Trust trust_;
  const std::optional<Proxy> proxy_;
  const std::shared_ptr<Pool> pool_;  // shared with exchanges, which may outlive the transport
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<TlsHost>>
      hosts_;  // guarded by mutex_; a handful, for the life of the transport
};

}  // namespace

std::shared_ptr<Transport> make_poco_transport(TransportOptions options, mail::Clock& clock) {
  return std::make_shared<PocoTransport>(options, clock);
}

}  // namespace http
