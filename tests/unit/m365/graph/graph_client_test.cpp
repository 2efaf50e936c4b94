// What goes to Graph and where it may go: paths, preferences, links, batches, uploads.
#include "m365/graph/graph_client.h"

#include <cppunit/extensions/HelperMacros.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "m365/graph/graph_client_batch.h"
#include "m365/sign_in/token_world.h"

namespace {

using namespace std::chrono_literals;
using m365::BatchAnswer;
using m365::GraphError;
using m365::GraphRequest;
using mail::Cause;
using support::contains;
using support::World;
using Kind = http::TransportError::Kind;

// Tokens without Entra.
class PlainTokens final : public m365::TokenSource {
 public:
  mail::Secret current(std::stop_token) override { return "token-" + std::to_string(forgotten_); }
  void forget(std::string_view) override { ++forgotten_; }
  std::chrono::milliseconds refresh_if_due(std::stop_token) override { return 1h; }
  void set_credential(const mail::Secret&, const mail::Secret&) override {}
  bool wants_credential() const override { return false; }
  std::optional<mail::Fault> fault() const override { return std::nullopt; }
  std::string permissions() const override { return "Mail.ReadWrite"; }

 private:
  int forgotten_ = 0;
};

struct Graph : World {
  Graph() : client(environment, support::tenant_of_service(), std::make_shared<PlainTokens>(), "Contoso M365") {}
  http::Request sent(std::size_t i = 0) const { return wire->requests().at(i); }
  m365::GraphClient client;
};

GraphRequest get(const std::string& path) {
  GraphRequest request;
  request.path = path;
  request.operation = "read the folder";
  request.mailbox = "support@contoso.com";
  return request;
}

class GraphClientTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GraphClientTest);
  CPPUNIT_TEST(mailboxes_become_path_segments);
  CPPUNIT_TEST(requests_carry_their_preferences);
  CPPUNIT_TEST(bodies_are_sent_as_json);
  CPPUNIT_TEST(links_of_graph_go_in_unchanged);
  CPPUNIT_TEST(links_elsewhere_get_no_token);
  CPPUNIT_TEST(refusals_become_graph_errors);
  CPPUNIT_TEST(failures_below_http_become_faults);
  CPPUNIT_TEST(open_reads_errors_and_leaves_bodies);
  CPPUNIT_TEST(a_byte_order_mark_is_left_out);
  CPPUNIT_TEST(a_401_brings_one_fresh_token);
  CPPUNIT_TEST(uploads_carry_no_token);
  CPPUNIT_TEST(uploads_go_to_https_only_and_are_never_shown);
  CPPUNIT_TEST_SUITE_END();

 public:
  void mailboxes_become_path_segments() {
    CPPUNIT_ASSERT_EQUAL(std::string("/users/support%40contoso.com"), m365::user_path("support@contoso.com"));
    CPPUNIT_ASSERT_EQUAL(std::string("/users/a%2Fb%3F%23%25"), m365::user_path("a/b?#%"));
    CPPUNIT_ASSERT_EQUAL(std::string("/users('%24x%40contoso.com')"), m365::user_path("$x@contoso.com"));
    CPPUNIT_ASSERT_EQUAL(std::string("/users('%24o%27%27hara')"), m365::user_path("$o'hara"));
    CPPUNIT_ASSERT_EQUAL(std::string("'it''s'"), m365::odata_literal("it's"));
  }

  void requests_carry_their_preferences() {
    Graph g;
    g.wire->otherwise({200, {}, "{}"});
    auto request = get("/users/x/messages?$top=1");
    request.prefer = {"odata.maxpagesize=50", "outlook.body-content-type=\"html\""};
    CPPUNIT_ASSERT_EQUAL(std::string("{}"), g.client.send(request, {}).body);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com/v1.0/users/x/messages?$top=1"), g.sent().url);
    CPPUNIT_ASSERT_EQUAL(
        std::string("IdType=\"ImmutableId\", odata.maxpagesize=50, outlook.body-content-type=\"html\""),
        g.sent().headers.get("Prefer"));
    CPPUNIT_ASSERT_EQUAL(std::string("Bearer token-0"), g.sent().headers.get("Authorization"));
    CPPUNIT_ASSERT(g.sent().headers.find("Content-Type") == nullptr);
    CPPUNIT_ASSERT(g.sent().mailboxes == std::vector<std::string>{"support@contoso.com"});
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com"), g.client.graph_origin());
  }

  void bodies_are_sent_as_json() {
    Graph g;
    g.wire->otherwise({201, {}, "{}"});
    auto request = get("/users/x/messages");
    request.method = "POST";
    request.body = "{\"subject\":\"x\"}";
    request.urgency = http::Urgency::send;
    request.repeatable = false;
    g.client.send(request, {});
    CPPUNIT_ASSERT_EQUAL(std::string("application/json"), g.sent().headers.get("Content-Type"));
    CPPUNIT_ASSERT_EQUAL(request.body, g.sent().body);
    CPPUNIT_ASSERT(g.sent().urgency == http::Urgency::send);
    CPPUNIT_ASSERT(!g.sent().repeatable);
  }

  void links_of_graph_go_in_unchanged() {
    Graph g;
    g.wire->otherwise({200, {}, "{}"});
    const std::string link = "https://graph.microsoft.com/v1.0/users('a')/messages/delta?$deltatoken=a%2Bb_-'(";
    g.client.send(get(link), {});
    CPPUNIT_ASSERT_EQUAL(link, g.sent().url);
    const std::string with_port = "https://GRAPH.microsoft.com:443/v1.0/x";
    g.client.send(get(with_port), {});
    CPPUNIT_ASSERT_EQUAL(with_port, g.sent(1).url);
  }

  void links_elsewhere_get_no_token() {
    for (const std::string link :
         {"https://evil.example/v1.0/x", "https://graph.microsoft.com.evil.example/x", "http://graph.microsoft.com/x",
          "https://graph.microsoft.com:8443/x", "https://graph.microsoft.com@evil.example/x", "ftp://x", "x", "",
          "//evil.example/x"}) {
      Graph g;
      g.wire->otherwise({200, {}, "{}"});
      if (link.starts_with("/")) {  // a path on Graph itself, whatever it looks like
        g.client.send(get(link), {});
        CPPUNIT_ASSERT(g.sent().url.starts_with("https://graph.microsoft.com/v1.0/"));
        continue;
      }
      for (const bool in_batch : {false, true}) {
        try {
          if (in_batch) {
            g.client.batch({get(link)}, {});
          } else {
            g.client.send(get(link), {});
          }
          CPPUNIT_FAIL("followed: " + link);
        } catch (const mail::FaultError& error) {
          CPPUNIT_ASSERT_MESSAGE(link, error.fault().cause == Cause::service_fault);
        }
      }
      CPPUNIT_ASSERT(g.wire->requests().empty());
    }
  }

  void refusals_become_graph_errors() {
    Graph g;
    g.wire->add({404, {{"request-id", "r-1"}}, R"({"error":{"code":"ErrorInvalidUser"}})"});
    try {
      g.client.send(get("/users/x"), {});
      CPPUNIT_FAIL("taken");
    } catch (const GraphError& error) {
      CPPUNIT_ASSERT(error.not_found());
      CPPUNIT_ASSERT(error.fault().cause == Cause::mailbox_unknown);
      CPPUNIT_ASSERT_EQUAL(std::string("r-1"), error.fault().request_id);
      CPPUNIT_ASSERT(contains(error.fault().text, "support@contoso.com"));
    }
    // What the token holds is known to the sentence.
    g.wire->add({403, {}, R"({"error":{"code":"ErrorAccessDenied"}})"});
    auto sending = get("/users/x/sendMail");
    sending.sending = true;
    try {
      g.client.send(sending, {});
      CPPUNIT_FAIL("taken");
    } catch (const GraphError& error) {
      CPPUNIT_ASSERT(error.fault().cause == Cause::consent_missing);
    }
  }

  void failures_below_http_become_faults() {
    Graph g;
    g.wire->otherwise(http::TransportError(Kind::tls, false, "graph.microsoft.com: the certificate has expired"));
    try {
      g.client.send(get("/users/x"), {});
      CPPUNIT_FAIL("taken");
    } catch (const GraphError&) {
      CPPUNIT_FAIL("Graph has said nothing");
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(error.fault().cause == Cause::tls);
      CPPUNIT_ASSERT(contains(error.fault().text, "has expired"));
    }
  }

  void open_reads_errors_and_leaves_bodies() {
    Graph g;
    g.wire->add({200, {{"Content-Type", "text/plain"}}, "0123456789"});
    auto exchange = g.client.open(get("/users/x/messages/y/$value"), {});
    char buffer[4];
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, exchange->read(buffer, 4));
    exchange.reset();
    g.wire->add({404, {}, R"({"error":{"code":"ErrorItemNotFound"}})"});
    try {
      g.client.open(get("/users/x/messages/y/$value"), {});
      CPPUNIT_FAIL("taken");
    } catch (const GraphError& error) {
      CPPUNIT_ASSERT_EQUAL(std::string("ErrorItemNotFound"), error.fault().code);
    }
    // The body of an error breaks off: its status still says enough.
    g.wire->add(
        support::ScriptedTransport::Step(410, {}, "{\"err").then_fails(http::TransportError(Kind::cut, true, "cut")));
    try {
      g.client.open(get("/users/x/messages/delta"), {});
      CPPUNIT_FAIL("taken");
    } catch (const GraphError& error) {
      CPPUNIT_ASSERT(error.action() == m365::Action::restart_sync);
    }
  }

  void a_byte_order_mark_is_left_out() {
    Graph g;
    g.wire->add({200, {}, "\xEF\xBB\xBF{}"});
    CPPUNIT_ASSERT_EQUAL(std::string("{}"), g.client.send(get("/users/x"), {}).body);
    // What is streamed is somebody's file.
    g.wire->add({200, {}, "\xEF\xBB\xBFx"});
    auto exchange = g.client.open(get("/users/x/messages/y/$value"), {});
    char buffer[8];
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, exchange->read(buffer, sizeof buffer));
  }

  void a_401_brings_one_fresh_token() {
    Graph g;
    g.wire->add({401, {}, ""});
    g.wire->add({200, {}, "{}"});
    g.client.send(get("/users/x"), {});
    CPPUNIT_ASSERT_EQUAL(std::string("Bearer token-1"), g.sent(1).headers.get("Authorization"));
  }

  void uploads_carry_no_token() {
    Graph g;
    g.wire->add({202, {}, R"({"NextExpectedRanges":["7"]})"});
    const std::string url = "https://outlook.office.com/api/v2.0/Users('a@b')/AttachmentSessions('x')?authtoken=eyJ0";
    const auto response = g.client.upload(url, "abcd", 3, 10, "support@contoso.com", {});
    CPPUNIT_ASSERT_EQUAL(202, response.status);
    const http::Request request = g.sent();
    CPPUNIT_ASSERT_EQUAL(std::string("PUT"), request.method);
    CPPUNIT_ASSERT_EQUAL(url, request.url);
    CPPUNIT_ASSERT_EQUAL(std::string("bytes 3-6/10"), request.headers.get("Content-Range"));
    CPPUNIT_ASSERT_EQUAL(std::string("application/octet-stream"), request.headers.get("Content-Type"));
    CPPUNIT_ASSERT_EQUAL(std::string("abcd"), request.body);
    CPPUNIT_ASSERT(request.headers.find("Authorization") == nullptr);
    // Any status is an answer: the caller knows what an upload session says.
    g.wire->add({416, {}, ""});
    CPPUNIT_ASSERT_EQUAL(416, g.client.upload(url, "abcd", 3, 10, "support@contoso.com", {}).status);
    CPPUNIT_ASSERT(!g.log.has("authtoken"));
  }

  void uploads_go_to_https_only_and_are_never_shown() {
    for (const std::string url : {"http://outlook.office.com/s3cret", "outlook.office.com/s3cret", ""}) {
      Graph g;
      try {
        g.client.upload(url, "a", 0, 1, "support@contoso.com", {});
        CPPUNIT_FAIL("sent");
      } catch (const mail::FaultError& error) {
        CPPUNIT_ASSERT(!contains(error.fault().text, "s3cret"));
      }
      CPPUNIT_ASSERT(g.wire->requests().empty());
    }
    Graph g;
    g.wire->otherwise(http::TransportError(Kind::cut, true, "outlook.office.com: the connection ended early"));
    try {
      g.client.upload("https://outlook.office.com/s3cret", "a", 0, 1, "support@contoso.com", {});
      CPPUNIT_FAIL("sent");
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(error.fault().maybe_done);
      CPPUNIT_ASSERT(!contains(error.fault().text, "s3cret"));
    }
    CPPUNIT_ASSERT_EQUAL_MESSAGE("a range sent twice is refused", std::size_t{1}, g.wire->requests().size());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GraphClientTest);

// Batches: one exchange, twenty answers, each on its own.
class GraphClientBatchTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GraphClientBatchTest);
  CPPUNIT_TEST(the_question_is_composed_as_documented);
  CPPUNIT_TEST(answers_come_back_in_order);
  CPPUNIT_TEST(bodies_stay_as_they_were);
  CPPUNIT_TEST(bytes_that_are_not_utf8_cost_no_other_answer);
  CPPUNIT_TEST(an_inner_429_shuts_only_its_mailbox);
  CPPUNIT_TEST(missing_and_foreign_answers);
  CPPUNIT_TEST(what_is_no_batch_answer_is_a_fault);
  CPPUNIT_TEST(the_whole_batch_can_be_refused);
  CPPUNIT_TEST(where_batches_are_not_offered_requests_go_one_by_one);
  CPPUNIT_TEST(what_a_lost_network_did_not_reach_is_left_out);
  CPPUNIT_TEST(an_answer_becomes_an_error);
  CPPUNIT_TEST(gate_urgency_and_repetition_follow_the_requests);
  CPPUNIT_TEST(none_and_too_many);
  CPPUNIT_TEST_SUITE_END();

  static std::vector<GraphRequest> two() {
    GraphRequest patch = get("/users/b/messages/AAA");
    patch.method = "PATCH";
    patch.body = "{\"isRead\":true}";
    patch.mailbox = "b@contoso.com";
    patch.prefer = {"return=minimal"};
    GraphRequest delta = get("https://graph.microsoft.com/v1.0/users('a')/messages/delta?$deltatoken=\"x\\y");
    return {delta, patch};
  }

 public:
  void the_question_is_composed_as_documented() {
    Graph g;
    g.wire->add({200, {}, R"({"responses":[]})"});
    g.client.batch(two(), {});
    CPPUNIT_ASSERT_EQUAL(std::string("POST"), g.sent().method);
    CPPUNIT_ASSERT_EQUAL(std::string("https://graph.microsoft.com/v1.0/$batch"), g.sent().url);
    CPPUNIT_ASSERT_EQUAL(std::string("application/json"), g.sent().headers.get("Content-Type"));
    CPPUNIT_ASSERT_EQUAL(
        std::string(
            R"({"requests":[{"id":"1","method":"GET","url":"/users('a')/messages/delta?$deltatoken=\"x\\y",)"
            R"("headers":{"Prefer":"IdType=\"ImmutableId\""}},)"
            R"({"id":"2","method":"PATCH","url":"/users/b/messages/AAA",)"
            R"("headers":{"Prefer":"IdType=\"ImmutableId\", return=minimal","Content-Type":"application/json"},)"
            R"("body":{"isRead":true}}]})"),
        g.sent().body);
  }

  void answers_come_back_in_order() {
    Graph g;
    g.wire->add({200, {}, R"({"@odata.context":"c","responses":[
        {"status":204,"id":"2","body":null,"headers":{"Cache-Control":"no-cache","Retry-After":3,"X":null}},
        {"id":"1","headers":{"request-id":"r-1"},"status":200,"body":{"value":[]}}]})"});
    const auto answers = g.client.batch(two(), {});
    CPPUNIT_ASSERT_EQUAL(200, answers.at(0).status);
    CPPUNIT_ASSERT_EQUAL(std::string("r-1"), answers.at(0).headers.get("Request-Id"));
    CPPUNIT_ASSERT_EQUAL(204, answers.at(1).status);
    CPPUNIT_ASSERT_EQUAL(std::string(), answers.at(1).body);
    CPPUNIT_ASSERT_EQUAL(std::string("3"), answers.at(1).headers.get("Retry-After"));
  }

  // The decoders of messages see what Graph wrote: escapes, spacing, and lone surrogates, which cost only their field.
  void bodies_stay_as_they_were() {
    const std::string inner = R"({ "value": [ {"subject":"a\"]}\ud800", "n": 1.50, "x":"\u00e9"} ],
      "@odata.deltaLink":"https://graph.microsoft.com/x" })";
    Graph g;
    g.wire->add(
        {200, {}, R"({"responses":[{"id":"1","status":200,"body":)" + inner + R"(},{"id":"2","status":200}]})"});
    CPPUNIT_ASSERT_EQUAL(inner, g.client.batch(two(), {}).at(0).body);
  }

  // One mail of one mailbox, in an answer for twenty.
  void bytes_that_are_not_utf8_cost_no_other_answer() {
    Graph g;
    g.wire->add({200,
                 {},
                 "{\"responses\":[{\"id\":\"1\",\"status\":200,\"body\":{\"subject\":\"a\xff\"}},"
                 "{\"id\":\"2\",\"status\":200,\"body\":{\"value\":[]}}]}"});
    const auto answers = g.client.batch(two(), {});
    CPPUNIT_ASSERT_EQUAL(std::string("{\"subject\":\"a\xEF\xBF\xBD\"}"), answers.at(0).body);
    CPPUNIT_ASSERT_EQUAL(std::string("{\"value\":[]}"), answers.at(1).body);
  }

  void an_inner_429_shuts_only_its_mailbox() {
    Graph g;
    g.wire->add(
        {200, {}, R"({"responses":[{"id":"1","status":429,"headers":{"Retry-After":"12"}},{"id":"2","status":204}]})"});
    g.client.batch(two(), {});
    CPPUNIT_ASSERT(g.client.gate().shut_for("support@contoso.com") == 12s);
    CPPUNIT_ASSERT(g.client.gate().shut_for("b@contoso.com") == 0s);
    try {
      g.client.send(get("/users/x"), {});
      CPPUNIT_FAIL("asked during the wait");
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(error.fault().cause == Cause::throttled);
      CPPUNIT_ASSERT(error.fault().retry_after == 12s);
    }
    Graph h;
    h.wire->add(
        {200, {}, R"({"responses":[{"id":"1","status":429},{"id":"2","status":503,"headers":{"Retry-After":"4"}}]})"});
    h.client.batch(two(), {});
    Graph i;  // as an older page has it
    i.wire->add(
        {200, {}, R"({"responses":[{"id":"1","status":424,"headers":{"Retry-After":"3"}},{"id":"2","status":200}]})"});
    const auto answers = i.client.batch(two(), {});
    CPPUNIT_ASSERT(i.client.gate().shut_for("support@contoso.com") == 3s);
    CPPUNIT_ASSERT(i.client.error_of(answers.at(0), two().at(0)).fault().cause == Cause::throttled);
    CPPUNIT_ASSERT(h.client.gate().shut_for("support@contoso.com") > 0s);
    CPPUNIT_ASSERT(h.client.gate().shut_for("b@contoso.com") == 4s);
  }

  void missing_and_foreign_answers() {
    Graph g;
    g.wire->add(
        {200,
         {},
         R"({"responses":[{"id":"7","status":200},{"id":"x","status":200},{"status":200},{"id":2,"status":"424"}]})"});
    const auto answers = g.client.batch(two(), {});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, answers.size());
    CPPUNIT_ASSERT_EQUAL(0, answers.at(0).status);
    CPPUNIT_ASSERT_EQUAL(424, answers.at(1).status);
    const GraphError error = g.client.error_of(answers.at(0), two().at(0));
    CPPUNIT_ASSERT(error.action() == m365::Action::repeat);
    CPPUNIT_ASSERT(error.fault().maybe_done);
  }

  void what_is_no_batch_answer_is_a_fault() {
    for (const std::string body : {"", "<html>", "{}", R"({"responses":7})", R"({"responses":[7]})",
                                   R"({"responses":[{"id":"1","status":200,"body":{"a")", "{\"responses\":[\xff]}"}) {
      Graph g;
      g.wire->add({200, {}, body});
      try {
        g.client.batch(two(), {});
        CPPUNIT_FAIL("taken: " + body);
      } catch (const mail::FaultError& error) {
        CPPUNIT_ASSERT(error.fault().cause == Cause::service_fault);
        CPPUNIT_ASSERT(error.fault().maybe_done);
      }
    }
  }

  void the_whole_batch_can_be_refused() {
    Graph g;
    g.wire->add({403, {}, R"({"error":{"code":"Authorization_RequestDenied"}})"});
    CPPUNIT_ASSERT_THROW(g.client.batch(two(), {}), GraphError);
  }

  void where_batches_are_not_offered_requests_go_one_by_one() {
    for (const int status : {400, 404, 405, 501}) {
      Graph g;
      CPPUNIT_ASSERT(g.client.batches());
      g.wire->add({status, {}, "<html>no such page</html>"});
      g.wire->add({200, {{"request-id", "r-1"}}, "{\"value\":[]}"});
      g.wire->add({404, {}, R"({"error":{"code":"ErrorItemNotFound"}})"});
      const auto answers = g.client.batch(two(), {});
      CPPUNIT_ASSERT_EQUAL(200, answers.at(0).status);
      CPPUNIT_ASSERT_EQUAL(std::string("{\"value\":[]}"), answers.at(0).body);
      CPPUNIT_ASSERT_EQUAL(std::string("r-1"), answers.at(0).headers.get("request-id"));
      CPPUNIT_ASSERT(g.client.error_of(answers.at(1), two().at(1)).not_found());
      CPPUNIT_ASSERT_EQUAL(two().at(0).path, g.sent(1).url);
      CPPUNIT_ASSERT_EQUAL(std::string("PATCH"), g.sent(2).method);
      CPPUNIT_ASSERT_EQUAL(std::string("{\"isRead\":true}"), g.sent(2).body);
      CPPUNIT_ASSERT_EQUAL(std::string("IdType=\"ImmutableId\", return=minimal"), g.sent(2).headers.get("Prefer"));
      CPPUNIT_ASSERT(g.log.has("takes no $batch"));
      // For an hour nobody asks for it again.
      CPPUNIT_ASSERT(!g.client.batches());
      g.wire->otherwise({200, {}, "{}"});
      g.client.batch(two(), {});
      CPPUNIT_ASSERT_EQUAL(std::size_t{5}, g.wire->requests().size());
      g.clock.advance(1h);
      CPPUNIT_ASSERT(g.client.batches());
      g.wire->add({200, {}, R"({"responses":[]})"});
      g.client.batch(two(), {});
      CPPUNIT_ASSERT(g.sent(5).url.ends_with("/$batch"));
    }
  }

  void what_a_lost_network_did_not_reach_is_left_out() {
    Graph g;
    g.wire->add({405});
    g.wire->add({204});
    g.wire->add(http::TransportError(Kind::tls, false, "the certificate has expired"));
    const auto answers = g.client.batch(two(), {});
    CPPUNIT_ASSERT_EQUAL(204, answers.at(0).status);
    CPPUNIT_ASSERT_EQUAL(0, answers.at(1).status);
    // Nothing was reached: that is the network's fault and no answer.
    g.wire->add(http::TransportError(Kind::tls, false, "the certificate has expired"));
    try {
      g.client.batch(two(), {});
      CPPUNIT_FAIL("answered");
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(error.fault().cause == Cause::tls);
    }
  }

  void an_answer_becomes_an_error() {
    Graph g;
    const BatchAnswer answer{404, {{"request-id", "r-2"}}, R"({"error":{"code":"ErrorItemNotFound"}})"};
    const GraphError error = g.client.error_of(answer, two().at(1));
    CPPUNIT_ASSERT(error.not_found());
    CPPUNIT_ASSERT_EQUAL(std::string("r-2"), error.fault().request_id);
    CPPUNIT_ASSERT(contains(error.fault().text, "b@contoso.com"));
  }

  void gate_urgency_and_repetition_follow_the_requests() {
    Graph g;
    g.wire->otherwise({200, {}, R"({"responses":[]})"});
    g.client.batch(two(), {});
    CPPUNIT_ASSERT(g.sent().mailboxes == (std::vector<std::string>{"support@contoso.com", "b@contoso.com"}));
    CPPUNIT_ASSERT(g.sent().urgency == http::Urgency::fetch && g.sent().repeatable);
    auto requests = two();
    requests[1].urgency = http::Urgency::send;
    requests[0].repeatable = false;
    g.client.batch(requests, {});
    CPPUNIT_ASSERT(g.sent(1).urgency == http::Urgency::send && !g.sent(1).repeatable);
  }

  void none_and_too_many() {
    Graph g;
    CPPUNIT_ASSERT(g.client.batch({}, {}).empty());
    CPPUNIT_ASSERT_THROW(g.client.batch(std::vector<GraphRequest>(21, get("/x")), {}), std::invalid_argument);
    CPPUNIT_ASSERT(g.wire->requests().empty());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GraphClientBatchTest);

}  // namespace
