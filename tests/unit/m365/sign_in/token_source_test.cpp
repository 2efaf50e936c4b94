// When Entra is asked, by whom, and when it is left alone.
#include "m365/sign_in/token_source.h"

#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "token_world.h"

namespace {

using namespace std::chrono_literals;
using mail::Cause;
using mail::Remedy;
using support::contains;
using support::refusal;
using support::tenant_of_service;
using support::token_answer;
using support::World;
using Kind = http::TransportError::Kind;

mail::Fault fault_of(m365::TokenSource& source) {
  try {
    source.current({});
  } catch (const mail::FaultError& error) {
    return error.fault();
  }
  CPPUNIT_FAIL("a token was given");
  return {};
}

class TokenSourceTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TokenSourceTest);
  CPPUNIT_TEST(asks_once_and_shares);
  CPPUNIT_TEST(sends_what_the_documents_say);
  CPPUNIT_TEST(one_asks_while_many_wait);
  CPPUNIT_TEST(a_waiter_takes_over_when_the_asker_is_stopped);
  CPPUNIT_TEST(a_stopped_waiter_leaves_at_once);
  CPPUNIT_TEST(is_renewed_ahead_of_expiry);
  CPPUNIT_TEST(a_short_life_is_renewed_in_its_last_tenth);
  CPPUNIT_TEST(an_expired_token_is_not_given);
  CPPUNIT_TEST(a_forgotten_token_is_replaced);
  CPPUNIT_TEST(refused_fresh_tokens_do_not_flood_entra);
  CPPUNIT_TEST(a_failing_renewal_keeps_the_present_token);
  CPPUNIT_TEST(transient_failures_back_off);
  CPPUNIT_TEST(retry_after_is_kept);
  CPPUNIT_TEST(a_5xx_is_repeated_once);
  CPPUNIT_TEST(an_administrators_fault_is_asked_about_every_15_minutes);
  CPPUNIT_TEST(a_new_secret_is_tried_at_once);
  CPPUNIT_TEST(a_refusal_of_a_replaced_secret_is_dropped);
  CPPUNIT_TEST(no_secret_is_ever_seen);
  CPPUNIT_TEST(failures_below_http_keep_their_cause);
  CPPUNIT_TEST(what_is_no_token_is_refused);
  CPPUNIT_TEST(expires_in_may_be_text_missing_or_absurd);
  CPPUNIT_TEST(a_life_of_seconds_is_kept_to);
  CPPUNIT_TEST(a_foreign_graph_may_have_the_public_name);
  CPPUNIT_TEST(a_name_that_is_refused_twice);
  CPPUNIT_TEST(no_other_name_where_microsoft_is_involved);
  CPPUNIT_TEST(permissions_are_read_from_the_payload);
  CPPUNIT_TEST(equal_credentials_share_others_do_not);
  CPPUNIT_TEST_SUITE_END();

  struct Service : World {
    explicit Service(m365::TenantSettings tenant = tenant_of_service())
        : source(m365::token_source_for(environment, tenant, "", "")) {}
    std::string token() { return std::string(source->current({}).view()); }
    std::size_t asked() const { return wire->requests().size(); }
    std::shared_ptr<m365::TokenSource> source;
  };

 public:
  void asks_once_and_shares() {
    Service s;
    s.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.asked());
    CPPUNIT_ASSERT(!s.source->fault());
  }

  void sends_what_the_documents_say() {
    Service s;
    s.wire->add(token_answer("one"));
    s.token();
    const http::Request request = s.wire->requests().at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("POST"), request.method);
    CPPUNIT_ASSERT_EQUAL(
        std::string("https://login.microsoftonline.com/8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10/oauth2/v2.0/token"),
        request.url);
    CPPUNIT_ASSERT_EQUAL(std::string("application/x-www-form-urlencoded"), request.headers.get("Content-Type"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{36}, request.headers.get("client-request-id").size());
    CPPUNIT_ASSERT(request.headers.find("Authorization") == nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("grant_type=client_credentials&client_id=e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"
                                     "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
                                     "&client_secret=s3cret~v.a%2Bl%2Fue"),
                         request.body);
  }

  // The race on purpose: everybody stands in current() before the one that asks gets its answer.
  void one_asks_while_many_wait() {
    Service s;
    std::promise<void> asked, answer;
    s.wire->add([&](const http::Request&) {
      asked.set_value();
      answer.get_future().wait();
      return token_answer("one");
    });
    std::vector<std::future<std::string>> all;
    all.push_back(std::async(std::launch::async, [&] { return s.token(); }));
    asked.get_future().wait();
    std::atomic<int> started{0};
    for (int i = 0; i < 7; ++i) {
      all.push_back(std::async(std::launch::async, [&] {
        ++started;
        return s.token();
      }));
    }
    while (started < 7) std::this_thread::yield();
    answer.set_value();
    for (auto& token : all) CPPUNIT_ASSERT_EQUAL(std::string("one"), token.get());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.asked());
  }

  void a_waiter_takes_over_when_the_asker_is_stopped() {
    Service s;
    std::promise<void> asked, answer;
    s.wire->add([&](const http::Request&) -> support::ScriptedTransport::Step {
      asked.set_value();
      answer.get_future().wait();
      throw http::TransportError(Kind::cancelled, true, "stopped");
    });
    s.wire->add(token_answer("two"));
    auto asker = std::async(std::launch::async, [&] { return s.token(); });
    asked.get_future().wait();
    auto waiter = std::async(std::launch::async, [&] { return s.token(); });
    answer.set_value();
    try {
      asker.get();
      CPPUNIT_FAIL("the stopped one got a token");
    } catch (const mail::FaultError& error) {
      CPPUNIT_ASSERT(error.fault().remedy == Remedy::cancelled);
    }
    CPPUNIT_ASSERT_EQUAL(std::string("two"), waiter.get());
    CPPUNIT_ASSERT(!s.source->fault());
  }

  void a_stopped_waiter_leaves_at_once() {
    Service s;
    std::promise<void> asked, answer;
    s.wire->add([&](const http::Request&) {
      asked.set_value();
      answer.get_future().wait();
      return token_answer("one");
    });
    auto asker = std::async(std::launch::async, [&] { return s.token(); });
    asked.get_future().wait();
    std::stop_source stop;
    auto waiter = std::async(std::launch::async, [&] { return s.source->current(stop.get_token()); });
    stop.request_stop();
    CPPUNIT_ASSERT_THROW(waiter.get(), mail::FaultError);  // while the asker still waits
    answer.set_value();
    CPPUNIT_ASSERT_EQUAL(std::string("one"), asker.get());
  }

  void is_renewed_ahead_of_expiry() {
    Service s;
    s.wire->add(token_answer("one", 3600));
    CPPUNIT_ASSERT(s.source->refresh_if_due({}) == 55min);  // asks when there is none yet
    s.clock.advance(55min - 1s);
    CPPUNIT_ASSERT(s.source->refresh_if_due({}) == 1s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.asked());
    s.clock.advance(1s);
    s.wire->add(token_answer("two", 3600));
    CPPUNIT_ASSERT(s.source->refresh_if_due({}) == 55min);
    CPPUNIT_ASSERT_EQUAL(std::string("two"), s.token());
  }

  void a_short_life_is_renewed_in_its_last_tenth() {
    Service s;
    s.wire->add(token_answer("one", 600));
    CPPUNIT_ASSERT(s.source->refresh_if_due({}) == 9min);
  }

  void an_expired_token_is_not_given() {
    Service s;
    s.wire->add(token_answer("one", 600));
    s.wire->add(token_answer("two", 600));
    s.token();
    s.clock.advance(10min);
    CPPUNIT_ASSERT_EQUAL(std::string("two"), s.token());
  }

  void a_forgotten_token_is_replaced() {
    Service s;
    s.wire->add(token_answer("one"));
    s.wire->add(token_answer("two"));
    s.token();
    s.source->forget("another");
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    s.source->forget("one");
    CPPUNIT_ASSERT_EQUAL(std::string("two"), s.token());
    s.source->forget("one");  // somebody slow, who still had the old one
    CPPUNIT_ASSERT_EQUAL(std::string("two"), s.token());
  }

  void refused_fresh_tokens_do_not_flood_entra() {
    Service s;
    for (const char* token : {"one", "two", "three"}) s.wire->add(token_answer(token));
    s.source->forget(s.token());
    s.source->forget(s.token());
    s.source->forget(s.token());
    CPPUNIT_ASSERT_EQUAL(std::string("two"), s.token());
    s.clock.advance(1min);
    s.source->forget(s.token());
    CPPUNIT_ASSERT_EQUAL(std::string("three"), s.token());
  }

  void a_failing_renewal_keeps_the_present_token() {
    Service s;
    s.wire->add(token_answer("one", 3600));
    s.token();
    s.clock.advance(56min);
    s.wire->otherwise({503, {}, "<html>busy</html>"});
    const auto again = s.source->refresh_if_due({});
    CPPUNIT_ASSERT(again >= 1s && again <= 1min);
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    CPPUNIT_ASSERT(s.source->fault()->cause == Cause::service_fault);
    s.clock.advance(4min);
    CPPUNIT_ASSERT(fault_of(*s.source).cause == Cause::service_fault);
  }

  void transient_failures_back_off() {
    Service s;
    s.random.always(0);
    s.wire->otherwise({500, {}, ""});
    std::vector<std::int64_t> waits;
    for (int i = 0; i < 7; ++i) {
      const auto fault = fault_of(*s.source);
      CPPUNIT_ASSERT(fault.remedy == Remedy::wait);
      waits.push_back(std::chrono::duration_cast<std::chrono::seconds>(fault.retry_after).count());
      const std::size_t asked = s.asked();
      fault_of(*s.source);
      CPPUNIT_ASSERT_EQUAL_MESSAGE("asked again during the pause", asked, s.asked());
      s.clock.advance(fault.retry_after);
    }
    CPPUNIT_ASSERT((waits == std::vector<std::int64_t>{5, 10, 20, 40, 80, 120, 120}));
    s.wire->otherwise(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    CPPUNIT_ASSERT(!s.source->fault());
  }

  void retry_after_is_kept() {
    Service s;
    s.wire->otherwise({429, {{"Retry-After", "600"}}, ""});
    const auto fault = fault_of(*s.source);
    CPPUNIT_ASSERT(fault.cause == Cause::throttled);
    CPPUNIT_ASSERT(fault.retry_after == 600s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.asked());
  }

  void a_5xx_is_repeated_once() {
    Service s;
    s.wire->add({502, {}, ""});
    s.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.clock.paused().size());
    CPPUNIT_ASSERT(s.clock.paused().at(0) <= 1s);
  }

  void an_administrators_fault_is_asked_about_every_15_minutes() {
    Service s;
    s.wire->add(refusal(401, "invalid_client", 7000222));
    const auto fault = fault_of(*s.source);
    CPPUNIT_ASSERT(fault.cause == Cause::secret_expired);
    CPPUNIT_ASSERT(fault.remedy == Remedy::administrator);
    CPPUNIT_ASSERT(fault.retry_after == 15min);
    CPPUNIT_ASSERT(s.source->wants_credential());
    s.clock.advance(14min);
    CPPUNIT_ASSERT(fault_of(*s.source).retry_after == 1min);
    CPPUNIT_ASSERT(s.source->refresh_if_due({}) == 10s);  // to look for a new secret, not to ask
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.asked());
    s.clock.advance(1min);
    s.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    CPPUNIT_ASSERT(!s.source->wants_credential());
  }

  void a_new_secret_is_tried_at_once() {
    Service s;
    s.wire->add(refusal(401, "invalid_client", 7000215));
    fault_of(*s.source);
    s.source->set_credential(tenant_of_service().secret, "");  // the same: changes nothing
    fault_of(*s.source);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.asked());
    s.source->set_credential("n3w", "");
    s.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    CPPUNIT_ASSERT(contains(s.wire->requests().at(1).body, "client_secret=n3w"));
  }

  void a_refusal_of_a_replaced_secret_is_dropped() {
    Service s;
    s.wire->add([&](const http::Request&) {
      s.source->set_credential("n3w", "");  // repaired while the old one was on its way
      return refusal(401, "invalid_client", 7000215);
    });
    s.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
  }

  void no_secret_is_ever_seen() {
    Service s;
    // An endpoint that repeats what it was sent, as it stood and as it was encoded.
    s.wire->add(refusal(400, "invalid_thing", 123456, "You sent s3cret~v.a+l/ue, or s3cret~v.a%2Bl%2Fue."));
    const auto fault = fault_of(*s.source);
    CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "{secret}"));
    CPPUNIT_ASSERT_MESSAGE(fault.text, !contains(fault.text, "s3cret"));
    s.clock.advance(15min);
    s.wire->add(token_answer("t0ken"));
    s.token();
    CPPUNIT_ASSERT(s.log.has("client_secret={secret}"));
    CPPUNIT_ASSERT(!s.log.has("s3cret"));
    CPPUNIT_ASSERT(!s.log.has("t0ken"));
  }

  void failures_below_http_keep_their_cause() {
    const std::vector<std::pair<Kind, Cause>> expected = {
        {Kind::name, Cause::network}, {Kind::refused, Cause::network}, {Kind::timeout, Cause::network},
        {Kind::cut, Cause::network},  {Kind::tls, Cause::tls},         {Kind::proxy, Cause::proxy}};
    for (const auto& pair : expected) {
      Service s;
      s.wire->otherwise(http::TransportError(pair.first, false, "login.microsoftonline.com: the reason"));
      const auto fault = fault_of(*s.source);
      CPPUNIT_ASSERT(fault.cause == pair.second);
      CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "Signing in at login.microsoftonline.com"));
      CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "the reason"));
      CPPUNIT_ASSERT(fault.retry_after > 0s && fault.retry_after < 10s);
      CPPUNIT_ASSERT(!s.source->wants_credential());
    }
  }

  void what_is_no_token_is_refused() {
    for (const std::string body : {"", "<html>Sign in to the hotel's network</html>", "{}", R"({"access_token":""})",
                                   R"({"access_token":7})", R"({"access_token":"a\r\nX-Evil: 1"})", "[1]"}) {
      Service s;
      s.wire->otherwise({200, {}, body});
      const auto fault = fault_of(*s.source);
      CPPUNIT_ASSERT_MESSAGE(body, fault.cause == Cause::service_fault);
      CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "not one of Microsoft Entra's"));
    }
  }

  void expires_in_may_be_text_missing_or_absurd() {
    const auto again = [](const std::string& member) {
      Service s;
      s.wire->add({200, {}, R"({"access_token":"a")" + member + "}"});
      return s.source->refresh_if_due({});
    };
    CPPUNIT_ASSERT(again(R"(,"expires_in":"3600")") == 55min);
    CPPUNIT_ASSERT(again(R"(,"expires_in":3600.0)") == 55min);
    CPPUNIT_ASSERT(again("") == 9min);
    CPPUNIT_ASSERT(again(R"(,"expires_in":"soon")") == 9min);
    CPPUNIT_ASSERT(again(R"(,"expires_in":0)") == 9min);
    CPPUNIT_ASSERT(again(R"(,"expires_in":5)") == 4500ms);
    CPPUNIT_ASSERT(again(R"(,"expires_in":-5)") == 9min);
    CPPUNIT_ASSERT(again(R"(,"expires_in":18446744073709551615)") == 1h);  // a week, looked at every hour
  }

  // expires_in is the only value to plan with (entra-oauth.md, section 2), also where a tenant is set up for seconds.
  void a_life_of_seconds_is_kept_to() {
    Service s;
    s.wire->add(token_answer("one", 4));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
    s.clock.advance(4s);
    s.wire->add(token_answer("two", 4));
    CPPUNIT_ASSERT_EQUAL(std::string("two"), s.token());
    s.source->forget("two");  // the service's clock runs ahead
    s.wire->add(token_answer("three", 4));
    CPPUNIT_ASSERT_EQUAL(std::string("three"), s.token());
    s.source->forget("three");
    CPPUNIT_ASSERT_EQUAL(std::string("three"), s.token());  // not at once again
    s.clock.advance(4s);
    s.source->forget("three");
    s.wire->add(token_answer("four", 4));
    CPPUNIT_ASSERT_EQUAL(std::string("four"), s.token());
  }

  static m365::TenantSettings foreign_tenant() {
    m365::TenantSettings tenant = tenant_of_service();
    tenant.login_origin = "https://localhost:8443";
    tenant.graph_origin = "https://localhost:8444";
    return tenant;
  }

  void a_foreign_graph_may_have_the_public_name() {
    for (const auto& [error, code] : {std::pair{"invalid_resource", 500011}, std::pair{"invalid_scope", 1002012}}) {
      Service s(foreign_tenant());
      s.wire->add(refusal(400, error, code));
      s.wire->add(token_answer("one"));
      CPPUNIT_ASSERT_EQUAL(std::string("one"), s.token());
      CPPUNIT_ASSERT(contains(s.wire->requests().at(0).body, "scope=https%3A%2F%2Flocalhost%3A8444%2F.default"));
      CPPUNIT_ASSERT(contains(s.wire->requests().at(1).body, "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"));
      // Remembered: the next one costs one request.
      s.clock.advance(1h);
      s.wire->add(token_answer("two"));
      CPPUNIT_ASSERT_EQUAL(std::string("two"), s.token());
      CPPUNIT_ASSERT(contains(s.wire->requests().at(2).body, "scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"));
    }
  }

  void a_name_that_is_refused_twice() {
    Service s(foreign_tenant());
    s.wire->otherwise(refusal(400, "invalid_resource", 500011));
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS500011"), fault_of(*s.source).code);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, s.asked());
    // Where the name is right and the secret is not, that is what is told.
    Service t(foreign_tenant());
    t.wire->add(refusal(400, "invalid_resource", 500011));
    t.wire->add(refusal(401, "invalid_client", 7000215));
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS7000215"), fault_of(*t.source).code);
    // And another refusal than of the name is no reason to try another name.
    Service u(foreign_tenant());
    u.wire->otherwise(refusal(401, "invalid_client", 7000215));
    fault_of(*u.source);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, u.asked());
  }

  // A token that is good for the real Graph must not come to be sent to another host.
  void no_other_name_where_microsoft_is_involved() {
    for (const bool own_login : {true, false}) {
      m365::TenantSettings tenant = foreign_tenant();
      (own_login ? tenant.graph_origin : tenant.login_origin) =
          own_login ? "https://graph.microsoft.us" : "https://login.microsoftonline.com";
      Service s(tenant);
      s.wire->otherwise(refusal(400, "invalid_resource", 500011));
      fault_of(*s.source);
      CPPUNIT_ASSERT_EQUAL(std::size_t{1}, s.asked());
    }
  }

  void permissions_are_read_from_the_payload() {
    const auto permissions = [](const std::string& token) {
      Service s;
      s.wire->add(token_answer(token));
      s.token();
      return s.source->permissions();
    };
    // {"roles":["Mail.ReadWrite","Mail.Send"]}, {"scp":"Mail.Read"}, {"aud":"x"}
    CPPUNIT_ASSERT_EQUAL(std::string("Mail.ReadWrite Mail.Send"),
                         permissions("h.eyJyb2xlcyI6WyJNYWlsLlJlYWRXcml0ZSIsIk1haWwuU2VuZCJdfQ.s"));
    CPPUNIT_ASSERT_EQUAL(std::string("Mail.Read"), permissions("h.eyJzY3AiOiJNYWlsLlJlYWQifQ.s"));
    CPPUNIT_ASSERT_EQUAL(std::string("none"), permissions("h.eyJhdWQiOiJ4In0.s"));
    CPPUNIT_ASSERT_EQUAL(std::string(), permissions("opaque"));
    CPPUNIT_ASSERT_EQUAL(std::string(), permissions("a.%%%.b"));
    CPPUNIT_ASSERT_EQUAL(std::string(), permissions("a..b"));
  }

  void equal_credentials_share_others_do_not() {
    World w;
    const auto of = [&](const m365::TenantSettings& tenant) {
      return m365::token_source_for(w.environment, tenant, "", "");
    };
    auto other_secret = tenant_of_service(), other_tenant = tenant_of_service();
    other_secret.secret = "another";
    other_tenant.tenant = "fabrikam.com";
    const auto one = of(tenant_of_service()), two = of(other_secret), three = of(other_tenant);
    CPPUNIT_ASSERT(one == of(tenant_of_service()));
    CPPUNIT_ASSERT(one != two && one != three && two != three);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TokenSourceTest);

}  // namespace
