// Limits, stop and SIGPIPE: feasibility.md, sections 2.3, 2.4 and 2.5, point 5.
#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>

#include <chrono>
#include <csignal>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "client.h"
#include "tls_server.h"

namespace {

using namespace std::chrono_literals;
using http::TransportError;
using test::answer;
using test::Client;
using test::has;
using test::Peer;
using test::TlsServer;
using Kind = TransportError::Kind;

/// Far beyond any limit set here, far below the ten seconds after which a test server gives up by itself.
constexpr auto generous = 5s;

class LimitsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LimitsTest);
  CPPUNIT_TEST(a_tls_peer_that_is_silent);
  CPPUNIT_TEST(a_server_that_never_answers);
  CPPUNIT_TEST(a_server_that_stops_in_the_middle);
  CPPUNIT_TEST(a_server_that_takes_nothing);
  CPPUNIT_TEST(a_head_that_drips);
  CPPUNIT_TEST(a_body_that_drips_when_read_whole);
  CPPUNIT_TEST(a_body_that_drips_may_be_streamed);
  CPPUNIT_TEST(no_limits);
  CPPUNIT_TEST(nobody_listens);
  CPPUNIT_TEST(a_name_that_does_not_exist);
  CPPUNIT_TEST(the_next_address_is_tried);
  CPPUNIT_TEST(stopped_before);
  CPPUNIT_TEST(stopped_in_the_handshake);
  CPPUNIT_TEST(stopped_while_writing);
  CPPUNIT_TEST(stopped_before_the_head);
  CPPUNIT_TEST(stopped_in_the_head);
  CPPUNIT_TEST(stopped_in_the_body);
  CPPUNIT_TEST(stopped_between_reads);
  CPPUNIT_TEST(a_stop_afterwards_harms_nobody);
  CPPUNIT_TEST(a_dead_peer_raises_no_signal);
  CPPUNIT_TEST(a_peer_that_dies_while_we_write);
  CPPUNIT_TEST(a_pending_signal_stays_pending);
  CPPUNIT_TEST_SUITE_END();

  /// Writes a byte each 20 ms until the client goes away; for ever, as far as a test is concerned.
  static void drip(Peer& peer, const std::string& text) {
    for (int i = 0; i < 1000; ++i) {
      if (!peer.write(text)) return;
      std::this_thread::sleep_for(20ms);
    }
  }

  static TransportError expect(Kind kind, Client& client, const http::Request& request, bool maybe_done) {
    const auto begin = std::chrono::steady_clock::now();
    const TransportError error = client.error_of(request);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), std::string(http::name_of(kind)),
                                 std::string(http::name_of(error.kind())));
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), maybe_done, error.maybe_done());
    CPPUNIT_ASSERT_MESSAGE(error.what(), std::chrono::steady_clock::now() - begin < generous);
    return error;
  }

  /// A client that waits for good unless it is stopped.
  static void set_no_limits(Client& client) { client.limits = {0ms, 0ms, 0ms}; }

  /// Stops the client once the server says that it has come to the phase in question.
  template <typename Make>
  static void stopped_in_phase(Make make_server, const http::Request& base, bool maybe_done) {
    std::promise<void> reached;
    std::promise<void> over;
    const std::shared_future<void> until = over.get_future().share();
    {
      const auto server = make_server([&reached] { reached.set_value(); }, until);
      std::stop_source stop;
      Client client;
      set_no_limits(client);
      client.stop = stop.get_token();
      http::Request request = base;
      request.url = server->url();
      std::thread stopper([&] {
        reached.get_future().wait();
        stop.request_stop();
      });
      expect(Kind::cancelled, client, request, maybe_done);
      stopper.join();
      over.set_value();
    }
  }

  template <typename Behaviour>
  static void stopped_by(Behaviour behaviour, const http::Request& request) {
    stopped_in_phase(
        [&](auto reached, std::shared_future<void> until) {
          return std::make_unique<TlsServer>([reached, until, behaviour](Peer& peer) {
            behaviour(peer);
            reached();
            until.wait();
          });
        },
        request, true);
  }

 public:
  void a_tls_peer_that_is_silent() {
    std::promise<void> over;
    TlsServer::Options options;
    options.handshake = false;
    TlsServer server(std::move(options), [until = over.get_future().share()](Peer&) { until.wait(); });
    Client client;
    client.limits.connect = 200ms;
    const TransportError error = expect(Kind::timeout, client, Client::request(server.url()), false);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "localhost") && has(error, "200 ms"));
    over.set_value();
  }

  void a_server_that_never_answers() {
    TlsServer server([](Peer& peer) {
      while (!peer.read_some().empty()) continue;
    });
    Client client;
    client.limits.silence = 200ms;
    const TransportError error = expect(Kind::timeout, client, Client::request(server.url("/?secret")), true);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "silent for 200 ms") && !has(error, "secret"));
    client.limits = {};
    client.limits.total = 200ms;
    expect(Kind::timeout, client, Client::request(server.url(), "POST"), true);
  }

  void a_server_that_stops_in_the_middle() {
    TlsServer server([](Peer& peer) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
      peer.read_some();
    });
    Client client;
    client.limits.silence = 200ms;
    expect(Kind::timeout, client, Client::request(server.url()), true);
  }

  void a_server_that_takes_nothing() {
    std::promise<void> over;
    TlsServer server([until = over.get_future().share()](Peer&) { until.wait(); });
    Client client;
    client.limits.silence = 200ms;
    expect(Kind::timeout, client, Client::request(server.url(), "PUT", std::string(50'000'000, 'x')), true);
    client.limits = {};
    client.limits.total = 200ms;
    expect(Kind::timeout, client, Client::request(server.url(), "PUT", std::string(50'000'000, 'x')), true);
    over.set_value();
  }

  void a_head_that_drips() {
    TlsServer server([](Peer& peer) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nX: ");
      drip(peer, "x");
    });
    Client client;
    client.limits.total = 300ms;
    expect(Kind::timeout, client, Client::request(server.url()), true);
  }

  void a_body_that_drips_when_read_whole() {
    TlsServer server([](Peer& peer) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
      drip(peer, "x");
    });
    Client client;
    client.limits.total = 300ms;
    const TransportError error = expect(Kind::timeout, client, Client::request(server.url()), true);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "300 ms"));
  }

  void a_body_that_drips_may_be_streamed() {
    TlsServer server([](Peer& peer) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n");
      drip(peer, "x");
    });
    Client client;
    client.limits.total = 100ms;
    const auto exchange = client.open(Client::request(server.url()));
    std::size_t total = 0;
    char buffer[100];
    while (const std::size_t got = exchange->read(buffer, sizeof buffer)) total += got;
    CPPUNIT_ASSERT_EQUAL(std::size_t(30), total);
  }

  void no_limits() {
    TlsServer server(test::answer_all("x"));
    Client client;
    set_no_limits(client);
    CPPUNIT_ASSERT_EQUAL(std::string("x"), client.get(server.url()).body);
  }

  void nobody_listens() {
    int port = 0;
    {
      TlsServer server(test::answer_all("x"));
      port = server.port();
    }
    Client client;
    const TransportError error =
        expect(Kind::refused, client, Client::request("https://localhost:" + std::to_string(port) + "/?secret"), false);
    CPPUNIT_ASSERT_MESSAGE(error.what(),
                           has(error, "127.0.0.1") && has(error, "Connection refused") && !has(error, "secret"));
  }

  void a_name_that_does_not_exist() {
    Client client;
    client.limits.connect =
        4s;  // a resolver without network may take long: then it is a timeout, and that is right too
    const TransportError error = client.error_of("https://no-such-host.invalid/");
    CPPUNIT_ASSERT_MESSAGE(error.what(), error.kind() == Kind::name || error.kind() == Kind::timeout);
    CPPUNIT_ASSERT(!error.maybe_done());
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "no-such-host.invalid"));
  }

  void the_next_address_is_tried() {
    // The server listens at 127.0.0.1 only, and localhost is ::1 as well where the machine has IPv6.
    TlsServer server(test::answer_all("x"));
    Client client;
    for (int i = 0; i < 3; ++i) {
      http::Request request = Client::request(server.url());
      request.fresh_connection = true;
      CPPUNIT_ASSERT_EQUAL(std::string("x"), client.send(request).body);
    }
  }

  void stopped_before() {
    TlsServer server(test::answer_all("x"));
    std::stop_source stop;
    stop.request_stop();
    Client client;
    client.stop = stop.get_token();
    expect(Kind::cancelled, client, Client::request(server.url()), false);
    CPPUNIT_ASSERT_EQUAL(0, server.connections.load());
  }

  void stopped_in_the_handshake() {
    stopped_in_phase(
        [](auto reached, std::shared_future<void> until) {
          TlsServer::Options options;
          options.handshake = false;
          return std::make_unique<TlsServer>(std::move(options), [reached, until](Peer& peer) {
            peer.read_some();
            reached();
            until.wait();
          });
        },
        Client::request(""), false);
  }

  void stopped_while_writing() {
    stopped_by([](Peer& peer) { peer.read_some(); }, Client::request("", "PUT", std::string(50'000'000, 'x')));
  }

  void stopped_before_the_head() {
    stopped_by([](Peer& peer) { peer.read_request(); }, Client::request(""));
  }

  void stopped_in_the_head() {
    stopped_by(
        [](Peer& peer) {
          peer.read_request();
          peer.write("HTTP/1.1 200 OK\r\nX");
        },
        Client::request("", "POST"));
  }

  void stopped_in_the_body() {
    stopped_by(
        [](Peer& peer) {
          peer.read_request();
          peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        },
        Client::request(""));
  }

  void stopped_between_reads() {
    TlsServer server(test::answer_all(std::string(1'000'000, 'x')));
    std::stop_source stop;
    Client client;
    client.stop = stop.get_token();
    const auto exchange = client.open(Client::request(server.url()));
    char buffer[10];
    exchange->read(buffer, sizeof buffer);
    stop.request_stop();
    std::vector<char> large(100'000);
    try {
      for (int i = 0; i < 100; ++i) exchange->read(large.data(), large.size());
      CPPUNIT_FAIL("read to the end");
    } catch (const TransportError& error) {
      CPPUNIT_ASSERT(error.kind() == Kind::cancelled);
    }
  }

  void a_stop_afterwards_harms_nobody() {
    TlsServer server(test::answer_all("x"));
    Client client;
    for (int i = 0; i < 5; ++i) {
      std::stop_source stop;
      client.stop = stop.get_token();
      const auto exchange = client.open(Client::request(server.url()));
      CPPUNIT_ASSERT_EQUAL(std::string("x"), http::read_whole(*exchange, 10).body);
      stop.request_stop();  // the exchange still lives, its connection is back in the pool
    }
    CPPUNIT_ASSERT_EQUAL(1, server.connections.load());
  }

  void a_dead_peer_raises_no_signal() {
    // On a thread with SIGPIPE at its default: without the guard the first write to the dead peer ends this program.
    struct sigaction before {};
    struct sigaction by_default {};
    by_default.sa_handler = SIG_DFL;
    sigaction(SIGPIPE, &by_default, &before);
    std::promise<void> dead;
    TlsServer server([&](Peer& peer) {
      peer.read_request();
      peer.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
      ::shutdown(peer.fd(), SHUT_WR);  // closed first, then reset: now the next write is an EPIPE, not an ECONNRESET
      peer.reset();
      dead.set_value();
    });
    bool blocked_afterwards = true, pending_afterwards = true;
    std::thread host_thread([&] {
      sigset_t set;
      sigemptyset(&set);
      pthread_sigmask(SIG_SETMASK, &set, nullptr);
      Client client;
      auto exchange = client.open(Client::request(server.url()));
      dead.get_future().wait();
      exchange.reset();  // says close_notify to a dead peer
      pthread_sigmask(SIG_SETMASK, nullptr, &set);
      blocked_afterwards = sigismember(&set, SIGPIPE) == 1;
      sigpending(&set);
      pending_afterwards = sigismember(&set, SIGPIPE) == 1;
    });
    host_thread.join();
    sigaction(SIGPIPE, &before, nullptr);
    CPPUNIT_ASSERT(!blocked_afterwards);
    CPPUNIT_ASSERT(!pending_afterwards);
  }

  void a_peer_that_dies_while_we_write() {
    TlsServer server([](Peer& peer) {
      peer.read_some();
      peer.reset();
    });
    Client client;
    for (int i = 0; i < 20; ++i) {
      expect(Kind::cut, client, Client::request(server.url(), "PUT", std::string(5'000'000, 'x')), true);
    }
  }

  void a_pending_signal_stays_pending() {
    TlsServer server(test::answer_all("x"));
    bool still_pending = false, still_blocked = false;
    std::thread host_thread([&] {
      sigset_t pipe, pending;
      sigemptyset(&pipe);
      sigaddset(&pipe, SIGPIPE);
      pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
      pthread_kill(pthread_self(), SIGPIPE);  // the host's own, for the host to take
      Client().get(server.url());
      sigpending(&pending);
      still_pending = sigismember(&pending, SIGPIPE) == 1;
      sigset_t blocked;
      pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
      still_blocked = sigismember(&blocked, SIGPIPE) == 1;
      int signal = 0;
      if (still_pending) sigwait(&pipe, &signal);
    });
    host_thread.join();
    CPPUNIT_ASSERT(still_pending);
    CPPUNIT_ASSERT(still_blocked);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(LimitsTest);

}  // namespace
