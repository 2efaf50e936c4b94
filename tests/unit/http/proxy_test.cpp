// Through a proxy by CONNECT.
#include <arpa/inet.h>
#include <cppunit/extensions/HelperMacros.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>

#include "client.h"
#include "mail/fault.h"
#include "tls_server.h"

namespace {

using namespace std::chrono_literals;
using http::TransportError;
using test::Client;
using test::has;
using test::Peer;
using test::TlsServer;
using Kind = TransportError::Kind;

/// Copies from one descriptor to the other until either ends.
void copy_bytes(int from, int to) {
  char buffer[16 * 1024];
  for (ssize_t got = ::recv(from, buffer, sizeof buffer, 0); got > 0; got = ::recv(from, buffer, sizeof buffer, 0)) {
    if (::send(to, buffer, static_cast<std::size_t>(got), MSG_NOSIGNAL) != got) break;
  }
  ::shutdown(to, SHUT_WR);
}

void tunnel(Peer& peer, int port) {
  const int upstream = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  if (::connect(upstream, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    std::thread back([&] { copy_bytes(upstream, peer.fd()); });
    copy_bytes(peer.fd(), upstream);
    back.join();
  }
  ::close(upstream);
}

TlsServer::Options bare() {
  TlsServer::Options options;
  options.handshake = false;
  return options;
}

class ProxyTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ProxyTest);
  CPPUNIT_TEST(without_credentials);
  CPPUNIT_TEST(with_credentials);
  CPPUNIT_TEST(credentials_are_asked_for);
  CPPUNIT_TEST(credentials_are_refused);
  CPPUNIT_TEST(the_host_is_not_allowed);
  CPPUNIT_TEST(any_2xx_opens);
  CPPUNIT_TEST(the_proxy_is_down);
  CPPUNIT_TEST(the_proxy_hangs_up);
  CPPUNIT_TEST(the_proxy_is_silent);
  CPPUNIT_TEST(the_proxy_speaks_something_else);
  CPPUNIT_TEST(the_certificate_is_the_servers);
  CPPUNIT_TEST(proxies_that_cannot_be_read);
  CPPUNIT_TEST_SUITE_END();

  static Client through(const TlsServer& proxy, const std::string& credentials = {}) {
    return Client(
        {test::shared_ca().file(), "http://" + credentials + "localhost:" + std::to_string(proxy.port()), 16});
  }

  static TransportError refuses(const std::string& answer_to_connect, const std::string& credentials = {}) {
    TlsServer proxy(bare(), [&](Peer& peer) {
      peer.read_head();
      peer.write(answer_to_connect);
    });
    Client client = through(proxy, credentials);
    const TransportError error = client.error_of("https://graph.test/v1.0/me?secret");
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), std::string("proxy"), std::string(http::name_of(error.kind())));
    CPPUNIT_ASSERT(!error.maybe_done());
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "the proxy localhost:" + std::to_string(proxy.port())));
    CPPUNIT_ASSERT_MESSAGE(error.what(), !has(error, "secret"));
    return error;
  }

  static std::string asked_for(const std::string& credentials) {
    TlsServer server(test::answer_all("hello"));
    std::promise<std::string> asked;
    TlsServer proxy(bare(), [&](Peer& peer) {
      asked.set_value(peer.read_head());
      peer.write("HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n");
      tunnel(peer, server.port());
    });
    Client client = through(proxy, credentials);
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT_EQUAL(std::string("hello"), client.get(server.url()).body);
    CPPUNIT_ASSERT_EQUAL(1, proxy.connections.load());
    std::string head = asked.get_future().get();
    const std::string host = "localhost:" + std::to_string(server.port());
    CPPUNIT_ASSERT(head.starts_with("CONNECT " + host + " HTTP/1.1\r\nHost: " + host + "\r\n"));
    CPPUNIT_ASSERT(!has(head, "Bearer"));
    return head;
  }

 public:
  void without_credentials() { CPPUNIT_ASSERT(!has(asked_for(""), "Authorization")); }

  void with_credentials() {
    CPPUNIT_ASSERT(has(asked_for("user:pass%40word@"), "\r\nProxy-Authorization: Basic dXNlcjpwYXNzQHdvcmQ=\r\n"));
  }

  void credentials_are_asked_for() {
    CPPUNIT_ASSERT(
        has(refuses("HTTP/1.1 407 Auth\r\nProxy-Authenticate: Basic\r\nContent-Length: 3\r\n\r\nwho"), "give them"));
  }

  void credentials_are_refused() {
    CPPUNIT_ASSERT(has(refuses("HTTP/1.1 407 Auth\r\n\r\n", "user:secret@"), "refuses the user or the password"));
  }

  void the_host_is_not_allowed() {
    const TransportError error = refuses("HTTP/1.1 403 Forbidden\r\n\r\n");
    CPPUNIT_ASSERT(has(error, "403") && has(error, "graph.test:443"));
    CPPUNIT_ASSERT(has(refuses("HTTP/1.1 502 Bad Gateway\r\n\r\n"), "502"));
  }

  void any_2xx_opens() {
    TlsServer server(test::answer_all("hello"));
    TlsServer proxy(bare(), [&](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.0 201 Whatever\r\n\r\n");
      tunnel(peer, server.port());
    });
    Client client = through(proxy);
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), client.get(server.url()).body);
  }

  void the_proxy_is_down() {
    std::unique_ptr<Client> client;
    {
      TlsServer proxy(bare(), [](Peer&) {});
      client = std::make_unique<Client>(through(proxy));
    }
    const TransportError error = client->error_of("https://graph.test/");
    CPPUNIT_ASSERT(error.kind() == Kind::proxy);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "the proxy localhost:") && has(error, "Connection refused"));
  }

  void the_proxy_hangs_up() { refuses(""); }

  void the_proxy_is_silent() {
    TlsServer proxy(bare(), [](Peer& peer) {
      peer.read_head();
      peer.read_some();
    });
    Client client = through(proxy);
    client.limits.connect = 200ms;
    const TransportError error = client.error_of("https://graph.test/");
    CPPUNIT_ASSERT(error.kind() == Kind::timeout);
    CPPUNIT_ASSERT(!error.maybe_done());
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "the proxy localhost:"));
  }

  void the_proxy_speaks_something_else() {
    refuses("SSH-2.0-OpenSSH_9.2\r\n");
    refuses("HTTP/1.1 200 OK\r\n" + std::string(100'000, 'x'));
  }

  void the_certificate_is_the_servers() {
    TlsServer::Options options;
    options.identity = test::shared_ca().issue({"DNS:elsewhere.test"});
    TlsServer server(std::move(options), test::answer_all("hello"));
    TlsServer proxy(bare(), [&](Peer& peer) {
      peer.read_head();
      peer.write("HTTP/1.1 200 OK\r\n\r\n");
      tunnel(peer, server.port());
    });
    Client client = through(proxy);
    const TransportError error = client.error_of(server.url());
    CPPUNIT_ASSERT(error.kind() == Kind::tls);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "localhost:" + std::to_string(server.port())));
  }

  void proxies_that_cannot_be_read() {
    for (const char* proxy : {"localhost:3128", "https://localhost:3128", "http://", "http://localhost:3128/path",
                              "http://u:secret%zz@localhost:3128", "socks5://localhost:1080", "http://local host:1"}) {
      try {
        Client client({test::shared_ca().file(), proxy, 16});
        CPPUNIT_FAIL(proxy);
      } catch (const mail::FaultError& error) {
        CPPUNIT_ASSERT(error.fault().cause == mail::Cause::proxy);
        CPPUNIT_ASSERT(!has(error.fault().text, "secret"));
      }
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ProxyTest);

}  // namespace
