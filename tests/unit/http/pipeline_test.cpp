#include "http/pipeline.h"

#include <cppunit/extensions/HelperMacros.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "mail/fault.h"
#include "support/capturing_log.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"
#include "support/scripted_transport.h"

namespace {

using namespace std::chrono_literals;
using http::Request;
using http::Response;
using http::TransportError;
using support::ScriptedTransport;
using Kind = TransportError::Kind;
using Step = ScriptedTransport::Step;
using Pauses = std::vector<std::chrono::milliseconds>;

const std::string graph = "https://graph.microsoft.com:443";

TransportError failure(Kind kind, bool maybe_done) {
  return TransportError(kind, maybe_done, "graph.microsoft.com failed");
}

/// Numbered tokens; a forgotten one is not given again.
class CountingTokens final : public http::BearerTokens {
 public:
  mail::Secret current(std::stop_token) override {
    if (fails) {
      mail::Fault fault;
      fault.cause = mail::Cause::secret_refused;
      throw mail::FaultError(fault);
    }
    return "token-" + std::to_string(number);
  }
  void forget(std::string_view token) override {
    forgotten.emplace_back(token);
    ++number;
  }
  int number = 1;
  bool fails = false;
  std::vector<std::string> forgotten;
};

class PipelineTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(PipelineTest);
  CPPUNIT_TEST(adds_what_every_request_needs);
  CPPUNIT_TEST(one_request_id_for_a_request_and_its_repeats);
  CPPUNIT_TEST(repeats_after_a_server_error);
  CPPUNIT_TEST(gives_up_after_the_repeats);
  CPPUNIT_TEST(repeats_after_a_lost_connection);
  CPPUNIT_TEST(repeats_after_a_body_that_was_cut);
  CPPUNIT_TEST(pauses_grow_with_jitter_of_half);
  CPPUNIT_TEST(does_not_repeat_what_may_be_done);
  CPPUNIT_TEST(repeats_once_what_has_not_left);
  CPPUNIT_TEST(does_not_repeat_what_does_not_heal);
  CPPUNIT_TEST(maybe_done_speaks_for_all_tries);
  CPPUNIT_TEST(client_errors_are_answers);
  CPPUNIT_TEST(waits_for_a_short_retry_after);
  CPPUNIT_TEST(a_long_retry_after_goes_up);
  CPPUNIT_TEST(stop_ends_a_pause);
  CPPUNIT_TEST(a_new_token_after_401);
  CPPUNIT_TEST(a_second_401_is_the_answer);
  CPPUNIT_TEST(a_401_is_not_a_try);
  CPPUNIT_TEST(no_token_for_another_origin);
  CPPUNIT_TEST(no_token_unless_asked_for);
  CPPUNIT_TEST(a_token_without_a_source_is_a_misuse);
  CPPUNIT_TEST(a_token_failure_goes_up);
  CPPUNIT_TEST(throttling_shuts_the_gate);
  CPPUNIT_TEST(throttling_without_a_time_backs_off);
  CPPUNIT_TEST(a_batch_shuts_for_all_inside);
  CPPUNIT_TEST(uploads_count_bytes);
  CPPUNIT_TEST(an_open_body_keeps_its_place);
  CPPUNIT_TEST(an_open_body_is_not_repeated);
  CPPUNIT_TEST(too_large_a_body);
  CPPUNIT_TEST(the_log_line_has_nothing_else);
  CPPUNIT_TEST_SUITE_END();

  std::shared_ptr<ScriptedTransport> wire_;
  std::shared_ptr<CountingTokens> tokens_;
  std::shared_ptr<http::Gate> gate_;
  std::unique_ptr<support::ManualClock> clock_;
  std::unique_ptr<support::FixedRandom> random_;
  std::unique_ptr<support::CapturingLog> log_;
  std::unique_ptr<http::Pipeline> pipeline_;

 public:
  void setUp() override {
    wire_ = std::make_shared<ScriptedTransport>();
    tokens_ = std::make_shared<CountingTokens>();
    clock_ = std::make_unique<support::ManualClock>();
    gate_ = std::make_shared<http::Gate>(*clock_);
    random_ = std::make_unique<support::FixedRandom>();
    log_ = std::make_unique<support::CapturingLog>();
    http::PipelineParts parts;
    parts.transport = wire_;
    parts.gate = gate_;
    parts.tokens = tokens_;
    parts.graph_origin = graph;
    parts.clock = clock_.get();
    parts.random = random_.get();
    parts.log = log_.get();
    parts.source = "Contoso M365";
    pipeline_ = std::make_unique<http::Pipeline>(parts);
  }

  void tearDown() override { pipeline_.reset(); }

 private:
  static Request request(bool repeatable = true) {
    Request request;
    request.url = "https://graph.microsoft.com/v1.0/users/a/messages?$skiptoken=secret";
    request.operation = "delta";
    request.mailboxes = {"a@contoso.com"};
    request.repeatable = repeatable;
    return request;
  }

  static Request post(bool repeatable) {
    Request post = request(repeatable);
    post.method = "POST";
    post.body = "0123456789";
    return post;
  }

  Response send(Request request) { return pipeline_->send(std::move(request), {}); }

  TransportError error_of(Request request, std::stop_token stop = {}) {
    try {
      pipeline_->send(std::move(request), stop);
    } catch (const TransportError& error) {
      return error;
    }
    CPPUNIT_FAIL("no error");
    throw std::logic_error("unreachable");
  }

 public:
  void adds_what_every_request_needs() {
    wire_->add(200);
    CPPUNIT_ASSERT_EQUAL(200, send(request()).status);
    const Request sent = wire_->requests().at(0);
    CPPUNIT_ASSERT_EQUAL(request().url, sent.url);
    CPPUNIT_ASSERT_EQUAL(std::string("Bearer token-1"), sent.headers.get("Authorization"));
    CPPUNIT_ASSERT_EQUAL(std::string("identity"), sent.headers.get("Accept-Encoding"));
    CPPUNIT_ASSERT_EQUAL(std::size_t(36), sent.headers.get("client-request-id").size());
    CPPUNIT_ASSERT(!sent.headers.get("User-Agent").empty());
    CPPUNIT_ASSERT(!sent.fresh_connection);
  }

  void one_request_id_for_a_request_and_its_repeats() {
    for (int status : {503, 200, 200}) wire_->add(status);
    send(request());
    send(request());
    const auto sent = wire_->requests();
    CPPUNIT_ASSERT_EQUAL(sent[0].headers.get("client-request-id"), sent[1].headers.get("client-request-id"));
    CPPUNIT_ASSERT(sent[1].headers.get("client-request-id") != sent[2].headers.get("client-request-id"));
  }

  void repeats_after_a_server_error() {
    for (const int status : {500, 502, 503, 504}) {
      wire_->add(status);
      wire_->add({200, {}, "good"});
      CPPUNIT_ASSERT_EQUAL(std::string("good"), send(request()).body);
      CPPUNIT_ASSERT(wire_->requests().back().fresh_connection);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t(4), clock_->paused().size());
  }

  void gives_up_after_the_repeats() {
    for (int i = 0; i < 3; ++i) wire_->add(503);
    CPPUNIT_ASSERT_EQUAL(503, send(request()).status);
    CPPUNIT_ASSERT_EQUAL(std::size_t(3), wire_->requests().size());
  }

  void repeats_after_a_lost_connection() {
    wire_->add(failure(Kind::cut, true));
    wire_->add(failure(Kind::cut, true));
    wire_->add(200);
    CPPUNIT_ASSERT_EQUAL(200, send(request()).status);
    CPPUNIT_ASSERT(wire_->requests()[1].fresh_connection);
  }

  void repeats_after_a_body_that_was_cut() {
    wire_->add(Step(200, {}, "hal").then_fails(failure(Kind::cut, true)));
    wire_->add({200, {}, "whole"});
    CPPUNIT_ASSERT_EQUAL(std::string("whole"), send(request()).body);
  }

  void pauses_grow_with_jitter_of_half() {
    random_->always(0);
    for (int i = 0; i < 3; ++i) wire_->add(500);
    send(request());
    random_->always(UINT64_MAX);
    for (int i = 0; i < 3; ++i) wire_->add(500);
    send(request());
    CPPUNIT_ASSERT((Pauses{200ms, 400ms, 400ms, 800ms}) == clock_->paused());
  }

  void does_not_repeat_what_may_be_done() {
    for (const int status : {500, 502, 503, 504}) {
      wire_->add(status);
      CPPUNIT_ASSERT_EQUAL(status, send(post(false)).status);
    }
    wire_->add(failure(Kind::cut, true));
    CPPUNIT_ASSERT(error_of(post(false)).maybe_done());
    wire_->add(failure(Kind::timeout, true));
    CPPUNIT_ASSERT(error_of(request(true)).kind() == Kind::timeout);  // it had its time
    wire_->add({429, {{"Retry-After", "1"}}});
    CPPUNIT_ASSERT_EQUAL(429, send(post(false)).status);
    CPPUNIT_ASSERT(clock_->paused().empty());
  }

  void repeats_once_what_has_not_left() {
    for (const Kind kind : {Kind::cut, Kind::refused, Kind::name, Kind::timeout}) {
      wire_->add(failure(kind, false));
      wire_->add(202);
      CPPUNIT_ASSERT_EQUAL(202, send(post(false)).status);
      wire_->add(failure(kind, false));
      wire_->add(failure(kind, false));
      CPPUNIT_ASSERT(error_of(post(false)).kind() == kind);
    }
  }

  void does_not_repeat_what_does_not_heal() {
    for (const Kind kind : {Kind::tls, Kind::proxy, Kind::too_large, Kind::cancelled}) {
      wire_->add(failure(kind, false));
      CPPUNIT_ASSERT(error_of(request()).kind() == kind);
    }
    CPPUNIT_ASSERT(clock_->paused().empty());
  }

  void maybe_done_speaks_for_all_tries() {
    wire_->add(failure(Kind::cut, true));
    wire_->add(failure(Kind::refused, false));
    const TransportError error = error_of(request());
    CPPUNIT_ASSERT(error.kind() == Kind::refused);
    CPPUNIT_ASSERT(error.maybe_done());
    wire_->add(504);
    wire_->add(failure(Kind::tls, false));
    CPPUNIT_ASSERT(error_of(request()).maybe_done());
    wire_->add({429, {{"Retry-After", "1"}}});  // certainly not done
    wire_->add(failure(Kind::tls, false));
    CPPUNIT_ASSERT(!error_of(request()).maybe_done());
  }

  void client_errors_are_answers() {
    for (const int status : {400, 403, 404, 409, 410, 412, 413, 501, 507}) {
      wire_->add(status);
      CPPUNIT_ASSERT_EQUAL(status, send(request()).status);
    }
    CPPUNIT_ASSERT(clock_->paused().empty());
  }

  void waits_for_a_short_retry_after() {
    wire_->add({429, {{"Retry-After", "2.128"}}});
    wire_->add({503, {{"Retry-After", "3"}}});
    wire_->add(200);
    CPPUNIT_ASSERT_EQUAL(200, send(request()).status);
    CPPUNIT_ASSERT((Pauses{2128ms, 3000ms}) == clock_->paused());
  }

  void a_long_retry_after_goes_up() {
    for (const int status : {429, 503}) {
      wire_->add({status, {{"Retry-After", "3.001"}}});
      const Response response = send(request());
      CPPUNIT_ASSERT_EQUAL(status, response.status);
      CPPUNIT_ASSERT(response.retry_after(clock_->wall()) == 3001ms);
      CPPUNIT_ASSERT(gate_->shut_for("a@contoso.com") == 3001ms);
      clock_->advance(3001ms);
    }
    CPPUNIT_ASSERT(clock_->paused().empty());
  }

  void stop_ends_a_pause() {
    std::stop_source stop;
    wire_->add([&](const Request&) {
      stop.request_stop();
      return Step(503);
    });
    const TransportError error = error_of(request(), stop.get_token());
    CPPUNIT_ASSERT(error.kind() == Kind::cancelled);
    CPPUNIT_ASSERT(error.maybe_done());
  }

  void a_new_token_after_401() {
    wire_->add(401);
    wire_->add(202);
    CPPUNIT_ASSERT_EQUAL(202, send(post(false)).status);
    CPPUNIT_ASSERT(tokens_->forgotten == std::vector<std::string>{"token-1"});
    CPPUNIT_ASSERT_EQUAL(std::string("Bearer token-2"), wire_->requests()[1].headers.get("Authorization"));
  }

  void a_second_401_is_the_answer() {
    wire_->add(401);
    wire_->add({401, {}, "why"});
    CPPUNIT_ASSERT_EQUAL(std::string("why"), send(request()).body);
    CPPUNIT_ASSERT_EQUAL(std::size_t(1), tokens_->forgotten.size());
  }

  void a_401_is_not_a_try() {
    wire_->add(503);
    wire_->add(401);
    wire_->add(503);
    wire_->add(200);
    CPPUNIT_ASSERT_EQUAL(200, send(request()).status);
  }

  void no_token_for_another_origin() {
    for (const char* url :
         {"https://evil.test/v1.0/x?token=secret", "http://graph.microsoft.com/", "https://graph.microsoft.com:444/",
          "https://graph.microsoft.com@evil.test/", "https://graph.microsoft.com.evil.test/", "not a url"}) {
      Request other = request();
      other.url = url;
      const TransportError error = error_of(other);
      CPPUNIT_ASSERT(error.kind() == Kind::origin);
      CPPUNIT_ASSERT(!error.maybe_done());
      CPPUNIT_ASSERT(std::string(error.what()).find("secret") == std::string::npos);
    }
    CPPUNIT_ASSERT(wire_->requests().empty());
  }

  void no_token_unless_asked_for() {
    wire_->add(201);
    Request upload = request();
    upload.authorize = false;
    upload.url = "https://outlook.office.com/upload?authtoken=x";
    CPPUNIT_ASSERT_EQUAL(201, send(upload).status);
    CPPUNIT_ASSERT(!wire_->requests()[0].headers.find("Authorization"));
  }

  void a_token_without_a_source_is_a_misuse() {
    http::PipelineParts parts;
    parts.transport = wire_;
    parts.clock = clock_.get();
    parts.random = random_.get();
    CPPUNIT_ASSERT_THROW(http::Pipeline{parts}, std::invalid_argument);
    parts.log = log_.get();
    CPPUNIT_ASSERT_THROW(http::Pipeline{parts}.send(request(), {}), std::logic_error);
  }

  void a_token_failure_goes_up() {
    tokens_->fails = true;
    CPPUNIT_ASSERT_THROW(send(request()), mail::FaultError);
    CPPUNIT_ASSERT(log_->has("delta: no token in 0 ms"));
    CPPUNIT_ASSERT(wire_->requests().empty());
  }

  void throttling_shuts_the_gate() {
    for (const int status : {429, 503, 509}) {
      wire_->add({status, {{"Retry-After", "10"}}});
      CPPUNIT_ASSERT_EQUAL(status, send(request(false)).status);
      const TransportError error = error_of(request());
      CPPUNIT_ASSERT(error.kind() == Kind::throttled);
      CPPUNIT_ASSERT(error.retry_after() == 10s);
      clock_->advance(10s);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t(3), wire_->requests().size());
    wire_->add(503);  // without a time: not shut
    send(request(false));
    CPPUNIT_ASSERT(gate_->shut_for("a@contoso.com") == 0ms);
  }

  void throttling_without_a_time_backs_off() {
    random_->always(0);
    const auto throttled = [&] {
      wire_->add(429);
      CPPUNIT_ASSERT_EQUAL(429, send(request()).status);
      const auto wait = gate_->shut_for("a@contoso.com");
      clock_->advance(wait);
      return wait;
    };
    CPPUNIT_ASSERT(throttled() == 2s);
    CPPUNIT_ASSERT(throttled() == 4s);
    random_->always(UINT64_MAX);
    CPPUNIT_ASSERT(throttled() == 12s);
    random_->always(0);
    for (int i = 0; i < 10; ++i) throttled();
    CPPUNIT_ASSERT(throttled() == 300s);
    wire_->add(200);
    send(request());
    CPPUNIT_ASSERT(throttled() == 2s);
  }

  void a_batch_shuts_for_all_inside() {
    Request batch = request(false);
    batch.mailboxes = {"a", "b", "a"};
    wire_->add({429, {{"Retry-After", "10"}}});
    send(batch);
    CPPUNIT_ASSERT(gate_->shut_for("a") == 10s);
    CPPUNIT_ASSERT(gate_->shut_for("b") == 10s);
    CPPUNIT_ASSERT(gate_->shut_for("c") == 0s);
  }

  void uploads_count_bytes() {
    Request large = post(true);
    large.body.assign(90'000'000, 'x');
    wire_->otherwise(200);
    send(large);
    CPPUNIT_ASSERT(error_of(large).kind() == Kind::throttled);
    large.method = "GET";  // not an upload
    CPPUNIT_ASSERT_EQUAL(200, send(large).status);
  }

  void an_open_body_keeps_its_place() {
    auto gate = std::make_shared<http::Gate>(*clock_, http::GateLimits{1});
    http::PipelineParts parts;
    parts.transport = wire_;
    parts.gate = gate;
    parts.clock = clock_.get();
    parts.random = random_.get();
    parts.log = log_.get();
    http::Pipeline pipeline(parts);
    Request plain = request();
    plain.authorize = false;
    wire_->otherwise({200, {}, "bytes"});
    auto exchange = pipeline.open(plain, {});
    std::stop_source stop;
    std::thread later([&] {
      clock_->await_waiters(1);  // the second one stands at the gate
      stop.request_stop();
    });
    CPPUNIT_ASSERT_THROW(pipeline.send(plain, stop.get_token()), TransportError);
    later.join();
    char buffer[10];
    CPPUNIT_ASSERT_EQUAL(std::size_t(5), exchange->read(buffer, sizeof buffer));
    exchange.reset();
    CPPUNIT_ASSERT_EQUAL(200, pipeline.send(plain, {}).status);
  }

  void an_open_body_is_not_repeated() {
    wire_->add(503);
    wire_->add(Step(200, {}, "hal").then_fails(failure(Kind::cut, true)));
    auto exchange = pipeline_->open(request(), {});
    CPPUNIT_ASSERT_EQUAL(200, exchange->status());
    char buffer[10];
    CPPUNIT_ASSERT_EQUAL(std::size_t(3), exchange->read(buffer, sizeof buffer));
    CPPUNIT_ASSERT_THROW(exchange->read(buffer, sizeof buffer), TransportError);
    CPPUNIT_ASSERT_EQUAL(std::size_t(2), wire_->requests().size());
  }

  void too_large_a_body() {
    for (const char* length : {"", "11", "nonsense"}) {
      wire_->add({200, {{"Content-Length", length}}, "0123456789+"});
      try {
        pipeline_->send(request(), {}, 10);
        CPPUNIT_FAIL("taken");
      } catch (const TransportError& error) {
        CPPUNIT_ASSERT(error.kind() == Kind::too_large);
        CPPUNIT_ASSERT(error.maybe_done());
      }
    }
    wire_->add({200, {{"Content-Length", "10"}}, "0123456789"});
    CPPUNIT_ASSERT_EQUAL(std::size_t(10), pipeline_->send(request(), {}, 10).body.size());
    wire_->add({200, {}, std::string(3'000'000, 'x')});
    CPPUNIT_ASSERT_EQUAL(std::size_t(3'000'000), send(request()).body.size());
  }

  void the_log_line_has_nothing_else() {
    wire_->add([&](const Request&) {
      clock_->advance(123ms);
      return Step(200, {{"request-id", "4711"}}, "body");
    });
    send(request());
    wire_->add(failure(Kind::timeout, true));
    error_of(request());
    const auto lines = log_->lines();
    CPPUNIT_ASSERT_EQUAL(std::size_t(2), lines.size());
    CPPUNIT_ASSERT_EQUAL(std::string("delta: 200 in 123 ms, request-id 4711"), lines[0].text);
    CPPUNIT_ASSERT_EQUAL(std::string("delta: timeout in 0 ms"), lines[1].text);
    CPPUNIT_ASSERT_EQUAL(std::string("Contoso M365"), lines[0].source);
    CPPUNIT_ASSERT(lines[0].level == mail::Level::debug);
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(PipelineTest);

}  // namespace
