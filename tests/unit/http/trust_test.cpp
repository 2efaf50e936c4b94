// Whom the transport talks to: the faults of feasibility.md, section 2.5, points 1, 2 and 9, and bad certificates.
#include <Poco/Net/AcceptCertificateHandler.h>
#include <Poco/Net/SSLManager.h>
#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <future>
#include <string>

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

class TrustTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TrustTest);
  CPPUNIT_TEST(a_trusted_server);
  CPPUNIT_TEST(a_trusted_address);
  CPPUNIT_TEST(a_name_in_upper_case);
  CPPUNIT_TEST(a_late_handshake_with_a_wrong_certificate);
  CPPUNIT_TEST(a_foreign_handler_that_accepts_everything);
  CPPUNIT_TEST(a_certificate_for_another_name);
  CPPUNIT_TEST(a_certificate_for_another_address);
  CPPUNIT_TEST(an_unknown_issuer);
  CPPUNIT_TEST(the_system_does_not_know_the_test_ca);
  CPPUNIT_TEST(an_expired_certificate);
  CPPUNIT_TEST(a_certificate_of_tomorrow);
  CPPUNIT_TEST(tls_1_1_only);
  CPPUNIT_TEST(not_tls_at_all);
  CPPUNIT_TEST(plain_http_is_refused);
  CPPUNIT_TEST(urls_that_cannot_be_asked);
  CPPUNIT_TEST(tls_1_3_sessions_are_resumed);
  CPPUNIT_TEST(tls_1_2_sessions_are_resumed);
  CPPUNIT_TEST(a_bad_ca_file_is_refused_at_once);
  CPPUNIT_TEST_SUITE_END();

  static TlsServer::Options with_names(const std::vector<std::string>& names, int from_day = -1, int to_day = 1) {
    TlsServer::Options options;
    options.identity = test::shared_ca().issue(names, from_day, to_day);
    return options;
  }

  /// The client must refuse: not a byte of the request may have arrived.
  static TransportError refuses(TlsServer::Options options, const std::string& host = "localhost") {
    std::atomic<bool> leaked = false;
    TransportError error(Kind::cut, false, "");
    {
      TlsServer server(std::move(options), [&](Peer& peer) { leaked = !peer.read_some().empty(); });
      Client client;
      error = client.error_of(server.url("/", host));
    }
    CPPUNIT_ASSERT(!leaked);
    CPPUNIT_ASSERT(!error.maybe_done());
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, host));
    return error;
  }

  static void assert_kind(Kind kind, const TransportError& error) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(error.what(), std::string(http::name_of(kind)),
                                 std::string(http::name_of(error.kind())));
  }

 public:
  void a_trusted_server() {
    TlsServer server(test::answer_all("hello"));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), Client().get(server.url()).body);
  }

  void a_trusted_address() {
    TlsServer server(test::answer_all("hello"));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), Client().get(server.url("/", "127.0.0.1")).body);
  }

  void a_name_in_upper_case() {
    TlsServer server(test::answer_all("hello"));
    CPPUNIT_ASSERT_EQUAL(std::string("hello"), Client().get(server.url("/", "LocalHost")).body);
  }

  // Poco's client verifies "no certificate" when the handshake is later than the connect limit, and then sends the
  // request to whoever completes it.
  void a_late_handshake_with_a_wrong_certificate() {
    std::promise<void> client_gave_up;
    std::atomic<bool> leaked = false;
    TlsServer::Options options = with_names({"DNS:elsewhere.test"});
    options.before_handshake = [done = client_gave_up.get_future().share()] { done.wait(); };
    {
      TlsServer server(std::move(options), [&](Peer& peer) { leaked = !peer.read_some().empty(); });
      Client client;
      client.limits.connect = 200ms;
      assert_kind(Kind::timeout, client.error_of(server.url()));
      client_gave_up.set_value();
    }
    CPPUNIT_ASSERT(!leaked);
  }

  void a_foreign_handler_that_accepts_everything() {
    Poco::Net::SSLManager::instance().initializeClient(nullptr, new Poco::Net::AcceptCertificateHandler(false),
                                                       nullptr);
    const test::TestCa other("Somebody's CA");
    TlsServer::Options options;
    options.identity = other.issue({"DNS:localhost"});
    const TransportError error = refuses(std::move(options));
    const TransportError name = refuses(with_names({"DNS:elsewhere.test"}));
    Poco::Net::SSLManager::instance().shutdown();
    assert_kind(Kind::tls, error);
    assert_kind(Kind::tls, name);
    CPPUNIT_ASSERT(!Poco::Net::SSLManager::instance().ClientVerificationError.hasDelegates());
  }

  void a_certificate_for_another_name() {
    const TransportError error = refuses(with_names({"DNS:a.elsewhere.test", "DNS:b.elsewhere.test"}));
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "another name (a.elsewhere.test, b.elsewhere.test)"));
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "hostname mismatch"));
  }

  void a_certificate_for_another_address() {
    // A name that resolves to the address proves nothing about the address itself.
    const TransportError error = refuses(with_names({"DNS:localhost", "IP:127.0.0.2"}), "127.0.0.1");
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "IP address mismatch"));
  }

  void an_unknown_issuer() {
    const test::TestCa other("Somebody's CA");
    TlsServer::Options options;
    options.identity = other.issue({"DNS:localhost"});
    const TransportError error = refuses(std::move(options));
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "Somebody's CA"));
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "ca_file"));
  }

  void the_system_does_not_know_the_test_ca() {
    TlsServer server(test::answer_all("hello"));
    Client client(http::TransportOptions{});
    assert_kind(Kind::tls, client.error_of(server.url()));
  }

  void an_expired_certificate() {
    const TransportError error = refuses(with_names({"DNS:localhost"}, -400, -2));
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "expired on 20"));
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "certificate has expired"));
  }

  void a_certificate_of_tomorrow() {
    const TransportError error = refuses(with_names({"DNS:localhost"}, 1, 400));
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "not valid before 20"));
  }

  void tls_1_1_only() {
    TlsServer::Options options;
    options.max_protocol = TLS1_1_VERSION;
    const TransportError error = refuses(std::move(options));
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "TLS 1.2 or newer"));
  }

  void not_tls_at_all() {
    TlsServer::Options options;
    options.handshake = false;
    TlsServer server(std::move(options), [](Peer& peer) {
      peer.read_some();
      peer.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    });
    const TransportError error = Client().error_of(server.url());
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT_MESSAGE(error.what(), has(error, "does not speak TLS"));
  }

  void plain_http_is_refused() {
    const TransportError error = Client().error_of("http://graph.microsoft.com/v1.0/me?token=secret");
    assert_kind(Kind::tls, error);
    CPPUNIT_ASSERT(has(error, "graph.microsoft.com") && !has(error, "secret"));
  }

  void urls_that_cannot_be_asked() {
    for (const char* url : {"", "nonsense", "https://user@localhost/secret", "https://localhost/a b?secret"}) {
      const TransportError error = Client().error_of(url);
      assert_kind(Kind::name, error);
      CPPUNIT_ASSERT(!has(error, "secret"));
    }
  }

  void tls_1_3_sessions_are_resumed() { sessions_are_resumed(TLS1_3_VERSION); }
  void tls_1_2_sessions_are_resumed() { sessions_are_resumed(TLS1_2_VERSION); }

  void a_bad_ca_file_is_refused_at_once() {
    for (const char* file : {"/nonexistent/ca.pem", "/dev/null"}) {
      try {
        Client client({file, {}, 16});
        CPPUNIT_FAIL("taken");
      } catch (const mail::FaultError& error) {
        CPPUNIT_ASSERT(error.fault().cause == mail::Cause::tls);
        CPPUNIT_ASSERT(has(error.fault().text, file));
      }
    }
  }

 private:
  static void sessions_are_resumed(int protocol) {
    TlsServer::Options options;
    options.max_protocol = protocol;
    TlsServer server(std::move(options), [](Peer& peer) {
      peer.read_request();
      peer.write(test::answer("x", "Connection: close\r\n"));
      peer.close_notify();
    });
    Client client;
    for (int i = 0; i < 5; ++i) CPPUNIT_ASSERT_EQUAL(std::string("x"), client.get(server.url()).body);
    CPPUNIT_ASSERT_EQUAL(5, server.handshakes.load());
    CPPUNIT_ASSERT_EQUAL(4, server.resumed.load());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(TrustTest);

}  // namespace
