// What goes over the wire and comes back: the faults of feasibility.md, section 2.5, points 3, 4, 6, 7, 8 and 10.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <string>
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

const std::string chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// Answers one request with these bytes, then ends the connection: deliberately, or as if a cable was pulled.
TlsServer::Behaviour once(std::string bytes, bool close_notify) {
  return [bytes = std::move(bytes), close_notify](Peer& peer) {
    if (peer.read_request().empty()) return;
    peer.write(bytes);
    if (close_notify) peer.close_notify();
  };
}

class WireTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(WireTest);
  CPPUNIT_TEST(path_and_query_arrive_unchanged);
  CPPUNIT_TEST(a_request_without_body_still_has_a_length);
  CPPUNIT_TEST(large_bodies_arrive_whole);
  CPPUNIT_TEST(large_answers_arrive_whole);
  CPPUNIT_TEST(chunked_answers_in_pieces_of_any_size);
  CPPUNIT_TEST(a_connection_serves_after_chunks_and_empty_bodies);
  CPPUNIT_TEST(an_end_by_close_is_only_the_deliberate_one);
  CPPUNIT_TEST(a_cut_body_of_known_length);
  CPPUNIT_TEST(a_cut_body_in_chunks);
  CPPUNIT_TEST(a_cut_head);
  CPPUNIT_TEST(no_answer_at_all);
  CPPUNIT_TEST(broken_chunks);
  CPPUNIT_TEST(a_header_byte_0xff);
  CPPUNIT_TEST(a_head_without_end);
  CPPUNIT_TEST(not_http);
  CPPUNIT_TEST(informational_answers_are_skipped);
  CPPUNIT_TEST(connections_are_kept);
  CPPUNIT_TEST(a_fresh_connection_when_asked_for);
  CPPUNIT_TEST(a_stale_connection_is_found_before_use);
  CPPUNIT_TEST(a_reset_connection_is_found_before_use);
  CPPUNIT_TEST(a_connection_with_leftovers_is_not_kept);
  CPPUNIT_TEST(an_unread_answer_does_not_disturb_the_next);
  CPPUNIT_TEST(close_and_http_1_0_are_heeded);
  CPPUNIT_TEST(keep_alive_timeout_is_heeded);
  CPPUNIT_TEST(a_connection_lost_after_the_request);
  CPPUNIT_TEST(an_early_answer_to_a_large_body);
  CPPUNIT_TEST(reading_on_after_the_end);
  CPPUNIT_TEST(reading_on_after_a_cut);
  CPPUNIT_TEST(an_exchange_may_outlive_the_transport);
  CPPUNIT_TEST(many_threads_share_a_transport);
  CPPUNIT_TEST_SUITE_END();

  static void assert_cut(const TransportError& error) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), std::string("cut"), std::string(http::name_of(error.kind())));
    CPPUNIT_ASSERT_MESSAGE(error.what(), error.maybe_done());
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "localhost"));
    CPPUNIT_ASSERT_MESSAGE(error.what(), !has(error, "secret"));
  }

  /// However the connection ends after these bytes, it is a cut.
  static void assert_cut_after(const std::string& bytes) {
    for (const bool close_notify : {true, false}) {
      TlsServer server(once(bytes, close_notify));
      assert_cut(Client().error_of(server.url("/?secret")));
    }
  }

 public:
  void path_and_query_arrive_unchanged() {
    const std::string target =
        "/v1.0/users('$x@contoso.com')/messages/delta?$skiptoken=a%2Fb%2f+c==&$filter=s eq"
        "%20'it''s'&q=(1);~!*,[]|\\^`{}\"<>\xc3\xa4%zz%";
    std::string valid = target;
    valid.erase(std::remove(valid.begin(), valid.end(), ' '), valid.end());
    std::promise<std::string> arrived;
    TlsServer server([&](Peer& peer) {
      arrived.set_value(peer.read_request());
      peer.write(answer(""));
    });
    Client().get(server.url(valid));
    const std::string head = arrived.get_future().get();
    CPPUNIT_ASSERT_EQUAL("GET " + valid + " HTTP/1.1", head.substr(0, head.find('\r')));
    CPPUNIT_ASSERT(has(head, "\r\nHost: localhost:" + std::to_string(server.port()) + "\r\n"));
    CPPUNIT_ASSERT(has(head, "\r\nAuthorization: Bearer secret\r\n"));
  }

  void a_request_without_body_still_has_a_length() {
    TlsServer server([](Peer& peer) {
      for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
        peer.write(answer(has(request, "\r\nContent-Length: 0\r\n") ? "length" : "none"));
      }
    });
    Client client;
    for (const char* method : {"POST", "PATCH", "PUT"}) {
      CPPUNIT_ASSERT_EQUAL(std::string("length"), client.send(Client::request(server.url(), method)).body);
    }
    for (const char* method : {"GET", "DELETE"}) {
      CPPUNIT_ASSERT_EQUAL(std::string("none"), client.send(Client::request(server.url(), method)).body);
    }
  }

  void large_bodies_arrive_whole() {
    TlsServer server([](Peer& peer) {
      for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
        peer.write(answer(std::to_string(std::hash<std::string>()(request.substr(request.find("\r\n\r\n") + 4)))));
      }
    });
    Client client;
    for (const std::size_t size : {1u, 16'383u, 16'384u, 16'385u, 100'000u, 3'932'160u}) {
      std::string body(size, '\0');
      for (std::size_t i = 0; i < size; ++i) body[i] = static_cast<char>(i * i >> 3);
      CPPUNIT_ASSERT_EQUAL(std::to_string(std::hash<std::string>()(body)),
                           client.send(Client::request(server.url(), "PUT", body)).body);
    }
    CPPUNIT_ASSERT_EQUAL(1, server.connections.load());
  }

  void large_answers_arrive_whole() {
    std::string body(5'000'000, '\0');
    for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>(i * i >> 3);
    TlsServer server(test::answer_all(body));
    Client client;
    CPPUNIT_ASSERT(client.get(server.url()).body == body);
    CPPUNIT_ASSERT(client.get(server.url()).body == body);
  }

  void chunked_answers_in_pieces_of_any_size() {
    std::string body, wire = chunked;
    for (unsigned size = 1; size < 60'000; size = size * 3 + 1) {
      const std::string chunk(size, static_cast<char>('a' + size % 26));
      char line[16];
      std::snprintf(line, sizeof line, "%X;x=y\r\n", size);
      body += chunk;
      wire += line + chunk + "\r\n";
    }
    wire += "0\r\nTrailer: 1\r\n\r\n";
    for (const std::size_t piece : {std::size_t(7), std::size_t(1000), wire.size()}) {
      TlsServer server([&](Peer& peer) {
        while (!peer.read_request().empty()) {
          for (std::size_t i = 0; i < wire.size(); i += piece) peer.write(std::string_view(wire).substr(i, piece));
        }
      });
      Client client;
      CPPUNIT_ASSERT(client.get(server.url()).body == body);
      const auto exchange = client.open(Client::request(server.url()));
      std::string slowly;
      char buffer[5];
      while (const std::size_t got = exchange->read(buffer, sizeof buffer)) slowly.append(buffer, got);
      CPPUNIT_ASSERT(slowly == body);
      CPPUNIT_ASSERT_EQUAL(1, server.connections.load());
    }
  }

  void a_connection_serves_after_chunks_and_empty_bodies() {
    const std::vector<std::string> answers = {chunked + "3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
                                              chunked + "0\r\n\r\n",
                                              "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", answer("abc")};
    TlsServer server([&](Peer& peer) {
      for (const std::string& each : answers) {
        peer.read_request();
        peer.write(each);
      }
      peer.read_request();
    });
    Client client;
    std::string all;
    for (std::size_t i = 0; i < answers.size(); ++i) all += client.get(server.url()).body + "|";
    CPPUNIT_ASSERT_EQUAL(std::string("abc||||abc|"), all);
    CPPUNIT_ASSERT_EQUAL(1, server.connections.load());
  }

  void an_end_by_close_is_only_the_deliberate_one() {
    const std::string endless = "HTTP/1.1 200 OK\r\n\r\nsome";
    TlsServer deliberate(once(endless, true));
    CPPUNIT_ASSERT_EQUAL(std::string("some"), Client().get(deliberate.url()).body);
    TlsServer cut(once(endless, false));
    assert_cut(Client().error_of(cut.url()));
  }

  void a_cut_body_of_known_length() {
    assert_cut_after("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(500, 'x'));
    assert_cut_after("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(999, 'x'));
    assert_cut_after("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
  }

  void a_cut_body_in_chunks() {
    assert_cut_after(chunked);
    assert_cut_after(chunked + "5\r\nabc");           // inside a chunk
    assert_cut_after(chunked + "3\r\nabc");           // before its end
    assert_cut_after(chunked + "3\r\nabc\r\n");       // between two
    assert_cut_after(chunked + "3\r\nabc\r\n0");      // in the last line
    assert_cut_after(chunked + "3\r\nabc\r\n0\r\n");  // before the end of the trailer
    assert_cut_after(chunked + "3\r\nabc\r\n0\r\nX: y\r\n");
  }

  void a_cut_head() {
    assert_cut_after("HTTP/1.1 200 OK\r\nContent-Le");
    assert_cut_after("HTTP/1.1 200 OK\r\n");
  }

  void no_answer_at_all() { assert_cut_after(""); }

  void broken_chunks() {
    for (const char* body : {"x\r\n", "-1\r\nabc", "3\r\nabcd\r\n0\r\n\r\n", "\r\n", "FFFFFFFFFFFFFFFFF\r\n"}) {
      TlsServer server(once(chunked + body, true));
      assert_cut(Client().error_of(server.url()));
    }
    TlsServer server(once(chunked + std::string(10'000, '1'), true));
    assert_cut(Client().error_of(server.url()));
  }

  void a_header_byte_0xff() {
    TlsServer server([](Peer& peer) {
      while (!peer.read_request().empty()) peer.write(answer("hello", "X-Name: a\xff z\r\n"));
    });
    Client client;
    const http::Response response = client.get(server.url());
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), response.body);
    CPPUNIT_ASSERT_EQUAL(std::string("a\xff z"), response.headers.get("x-name"));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), client.get(server.url()).body);
    CPPUNIT_ASSERT_EQUAL(1, server.connections.load());
  }

  void a_head_without_end() {
    const std::vector<std::string> heads = {"HTTP/1.1 200 OK\r\nX: " + std::string(300'000, 'x'),
                                            "HTTP/1.1 200 OK\r\n" + [] {
                                              std::string fields;
                                              for (int i = 0; i < 100'000; ++i) fields += "X: y\r\n";
                                              return fields;
                                            }()};
    for (const std::string& head : heads) {
      TlsServer server(once(head, true));
      const TransportError error = Client().error_of(server.url());
      assert_cut(error);
      CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "too long"));
    }
    // What Exchange may well send is taken.
    TlsServer server(once(answer("x", "X: " + std::string(60'000, 'x') + "\r\n"), true));
    CPPUNIT_ASSERT_EQUAL(std::size_t(60'000), Client().get(server.url()).headers.get("X").size());
  }

  void not_http() {
    for (const char* bytes :
         {"SSH-2.0-OpenSSH_9.2\r\n", "\r\n\r\n", "<html>\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc"}) {
      TlsServer server(once(bytes, true));
      assert_cut(Client().error_of(server.url()));
    }
  }

  void informational_answers_are_skipped() {
    TlsServer server(
        once("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer("yes"), true));
    const http::Response response = Client().get(server.url());
    CPPUNIT_ASSERT_EQUAL(std::string("yes"), response.body);
    CPPUNIT_ASSERT(!response.headers.find("Link"));
  }

  void connections_are_kept() {
    TlsServer server(test::answer_all("x"));
    Client client;
    for (int i = 0; i < 20; ++i) client.get(server.url());
    CPPUNIT_ASSERT_EQUAL(1, server.connections.load());
  }

  void a_fresh_connection_when_asked_for() {
    TlsServer server(test::answer_all("x"));
    Client client;
    client.get(server.url());
    http::Request fresh = Client::request(server.url());
    fresh.fresh_connection = true;
    client.send(fresh);
    CPPUNIT_ASSERT_EQUAL(2, server.connections.load());
  }

  void a_stale_connection_is_found_before_use() {
    found_before_use([](Peer& peer) { peer.close_notify(); });
  }
  void a_reset_connection_is_found_before_use() {
    found_before_use([](Peer& peer) { peer.reset(); });
  }

  void a_connection_with_leftovers_is_not_kept() {
    TlsServer server([](Peer& peer) {
      peer.read_request();
      peer.write(answer("good") + answer("injected"));
      peer.read_request();
    });
    Client client;
    CPPUNIT_ASSERT_EQUAL(std::string("good"), client.get(server.url()).body);
    CPPUNIT_ASSERT_EQUAL(std::string("good"), client.get(server.url()).body);
    CPPUNIT_ASSERT_EQUAL(2, server.connections.load());
  }

  void an_unread_answer_does_not_disturb_the_next() {
    TlsServer server(test::answer_all(std::string(100'000, 'x')));
    Client client;
    for (int i = 0; i < 3; ++i) {
      const auto exchange = client.open(Client::request(server.url()));
      CPPUNIT_ASSERT_EQUAL(200, exchange->status());
      char buffer[10];
      CPPUNIT_ASSERT_EQUAL(std::size_t(10), exchange->read(buffer, sizeof buffer));
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t(100'000), client.get(server.url()).body.size());
  }

  void close_and_http_1_0_are_heeded() {
    for (const char* head : {"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
                             "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx"}) {
      TlsServer server([head](Peer& peer) {
        while (!peer.read_request().empty()) peer.write(head);
      });
      Client client;
      client.get(server.url());
      client.get(server.url());
      CPPUNIT_ASSERT_EQUAL(2, server.connections.load());
    }
  }

  void keep_alive_timeout_is_heeded() {
    for (const auto& [field, expected] :
         {std::pair<const char*, int>{"Keep-Alive: timeout=1\r\n", 2}, {"Keep-Alive: timeout=60\r\n", 1}}) {
      TlsServer server([field = field](Peer& peer) {
        while (!peer.read_request().empty()) peer.write(answer("x", field));
      });
      Client client;
      client.get(server.url());
      client.get(server.url());
      CPPUNIT_ASSERT_EQUAL(expected, server.connections.load());
    }
  }

  void a_connection_lost_after_the_request() {
    for (const bool reset : {true, false}) {
      TlsServer server([reset](Peer& peer) {
        peer.read_request();
        if (reset) peer.reset();
      });
      assert_cut(Client().error_of(Client::request(server.url("/?secret"), "POST", "{}")));
    }
  }

  void an_early_answer_to_a_large_body() {
    std::promise<void> read;
    TlsServer server([&, done = read.get_future().share()](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 413 Payload Too Large\r\nContent-Length: 3\r\n\r\nbig");
      done.wait();  // does not read the body: the client is stuck in writing
    });
    Client client;
    CPPUNIT_ASSERT_EQUAL(413, client.send(Client::request(server.url(), "PUT", std::string(50'000'000, 'x'))).status);
    read.set_value();
    client.limits.silence = 5s;
    client.get(server.url());
    CPPUNIT_ASSERT_EQUAL(2, server.connections.load());  // the half-sent one is not used again
  }

  void reading_on_after_the_end() {
    TlsServer server(test::answer_all("abc"));
    Client client;
    const auto exchange = client.open(Client::request(server.url()));
    char buffer[10];
    CPPUNIT_ASSERT_EQUAL(std::size_t(3), exchange->read(buffer, sizeof buffer));
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL(std::size_t(0), exchange->read(buffer, sizeof buffer));
  }

  void reading_on_after_a_cut() {
    TlsServer server(once("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", true));
    Client client;
    const auto exchange = client.open(Client::request(server.url()));
    char buffer[10];
    CPPUNIT_ASSERT_EQUAL(std::size_t(3), exchange->read(buffer, sizeof buffer));
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_THROW(exchange->read(buffer, sizeof buffer), TransportError);
  }

  void an_exchange_may_outlive_the_transport() {
    TlsServer server(test::answer_all(std::string(100'000, 'x')));
    auto client = std::make_unique<Client>();
    const auto exchange = client->open(Client::request(server.url()));
    client.reset();
    CPPUNIT_ASSERT_EQUAL(std::size_t(100'000), http::read_whole(*exchange, 1'000'000).body.size());
  }

  void many_threads_share_a_transport() {
    TlsServer server([](Peer& peer) {
      for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
        peer.write(answer(request.substr(0, request.find('\r'))));
      }
    });
    Client client({test::shared_ca().file(), {}, 3});
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 8; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 50; ++i) {
          const std::string target = "/" + std::to_string(t) + "/" + std::to_string(i);
          if (client.get(server.url(target)).body == "GET " + target + " HTTP/1.1") ++right;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    CPPUNIT_ASSERT_EQUAL(400, right.load());
  }

 private:
  /// The server ends the idle connection; the next request, a POST that must not be repeated, has to arrive all the
  /// same.
  template <typename End>
  static void found_before_use(End end) {
    std::atomic<int> posts = 0;
    for (int round = 0; round < 10; ++round) {
      std::promise<void> answered, ended;
      std::atomic<bool> first = true;
      TlsServer server([&](Peer& peer) {
        const bool ends = first.exchange(false);
        for (std::string request = peer.read_request(); !request.empty(); request = peer.read_request()) {
          if (request.starts_with("POST")) ++posts;
          peer.write(answer("x"));
          if (ends) break;
        }
        if (!ends) return;
        answered.get_future().wait();  // a reset would take an unread answer with it
        end(peer);
        ended.set_value();
      });
      Client client;
      client.get(server.url());
      answered.set_value();
      ended.get_future().wait();
      CPPUNIT_ASSERT_EQUAL(200, client.send(Client::request(server.url(), "POST", "{}")).status);
      CPPUNIT_ASSERT_EQUAL(2, server.connections.load());
    }
    CPPUNIT_ASSERT_EQUAL(10, posts.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(WireTest);

}  // namespace
