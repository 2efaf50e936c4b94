// OAuth User: passwords are precious, because each wrong attempt counts towards a lock-out.
#include <cppunit/extensions/HelperMacros.h>

#include <memory>
#include <string>

#include "m365/sign_in/token_source.h"
#include "token_world.h"

namespace {

using namespace std::chrono_literals;
using mail::Cause;
using mail::Remedy;
using support::contains;
using support::refusal;
using support::tenant_of_user;
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

class TokenUserTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TokenUserTest);
  CPPUNIT_TEST(sends_the_password_once_and_then_the_refresh_token);
  CPPUNIT_TEST(the_secret_is_sent_when_there_is_one);
  CPPUNIT_TEST(a_rotated_refresh_token_replaces_the_old_one);
  CPPUNIT_TEST(a_void_refresh_token_gives_way_to_the_password_once);
  CPPUNIT_TEST(an_outage_does_not_cost_the_refresh_token);
  CPPUNIT_TEST(a_refused_password_is_never_repeated);
  CPPUNIT_TEST(also_not_after_a_restart);
  CPPUNIT_TEST(other_refusals_are_not_remembered);
  CPPUNIT_TEST(an_unknown_refusal_of_a_password_is_not_repeated_either);
  CPPUNIT_TEST(a_locked_account_is_left_alone_for_longer_and_longer);
  CPPUNIT_TEST(a_password_is_not_repeated_after_a_lost_answer);
  CPPUNIT_TEST(a_password_that_never_left_is_repeated);
  CPPUNIT_TEST(multi_factor_is_probed_slowly);
  CPPUNIT_TEST(without_the_state_file_no_password_is_tried);
  CPPUNIT_TEST_SUITE_END();

  struct User : World {
    explicit User(std::shared_ptr<support::TemporaryFolder> state = nullptr,
                  m365::TenantSettings tenant = tenant_of_user(), const std::string& password = "p&ss wörd")
        : World(std::move(state)), source(m365::token_source_for(environment, tenant, "queue@contoso.com", password)) {}
    std::string token() { return std::string(source->current({}).view()); }
    std::string body(std::size_t i) const { return wire->requests().at(i).body; }
    std::size_t asked() const { return wire->requests().size(); }
    std::shared_ptr<m365::TokenSource> source;
  };

 public:
  void sends_the_password_once_and_then_the_refresh_token() {
    User u;
    u.wire->add(token_answer("one", 3600, "r1"));
    u.wire->add(token_answer("two", 3600, ""));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), u.token());
    CPPUNIT_ASSERT_EQUAL(std::string("grant_type=password&client_id=e7e4dbfc-046f-4074-9b3b-2ae8f144f59b"
                                     "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default%20offline_access"
                                     "&username=queue%40contoso.com&password=p%26ss%20w%C3%B6rd"),
                         u.body(0));
    u.clock.advance(56min);
    u.source->refresh_if_due({});
    CPPUNIT_ASSERT_EQUAL(std::string("two"), u.token());
    CPPUNIT_ASSERT(contains(u.body(1), "grant_type=refresh_token"));
    CPPUNIT_ASSERT(contains(u.body(1), "refresh_token=r1"));
    CPPUNIT_ASSERT(!contains(u.body(1), "password="));
    CPPUNIT_ASSERT(!u.log.has("p&ss"));
    CPPUNIT_ASSERT(!u.log.has("r1"));
  }

  void the_secret_is_sent_when_there_is_one() {
    auto tenant = tenant_of_user();
    tenant.secret = "confidential";
    User u(nullptr, tenant);
    u.wire->add(token_answer("one", 600, "r1"));
    u.wire->add(token_answer("two", 600));
    u.token();
    u.clock.advance(10min);
    u.token();
    CPPUNIT_ASSERT(contains(u.body(0), "client_secret=confidential"));
    CPPUNIT_ASSERT(contains(u.body(1), "client_secret=confidential"));
  }

  void a_rotated_refresh_token_replaces_the_old_one() {
    User u;
    u.wire->add(token_answer("one", 600, "r1"));
    u.wire->add(token_answer("two", 600, "r2"));
    u.wire->add(token_answer("three", 600));
    for (int i = 0; i < 3; ++i) {
      u.token();
      u.clock.advance(10min);
    }
    CPPUNIT_ASSERT(contains(u.body(1), "refresh_token=r1"));
    CPPUNIT_ASSERT(contains(u.body(2), "refresh_token=r2"));
  }

  void a_void_refresh_token_gives_way_to_the_password_once() {
    User u;
    u.wire->add(token_answer("one", 600, "r1"));
    u.token();
    u.clock.advance(10min);
    u.wire->add(refusal(400, "invalid_grant", 50173));
    u.wire->add(refusal(400, "invalid_grant", 50126));
    const auto fault = fault_of(*u.source);
    CPPUNIT_ASSERT(fault.cause == Cause::password_refused);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, u.asked());
    CPPUNIT_ASSERT(contains(u.body(2), "grant_type=password"));
    u.source->set_credential("", "new one");
    u.wire->add(token_answer("two", 600, "r2"));
    CPPUNIT_ASSERT_EQUAL(std::string("two"), u.token());
    CPPUNIT_ASSERT(contains(u.body(3), "password=new%20one"));  // not with the void refresh token
  }

  void an_outage_does_not_cost_the_refresh_token() {
    User u;
    u.wire->add(token_answer("one", 600, "r1"));
    u.token();
    u.clock.advance(10min);
    u.wire->otherwise(refusal(400, "temporarily_unavailable", 90033));
    CPPUNIT_ASSERT(fault_of(*u.source).remedy == Remedy::wait);
    u.clock.advance(1min);
    u.wire->otherwise(token_answer("two", 600));
    CPPUNIT_ASSERT_EQUAL(std::string("two"), u.token());
    CPPUNIT_ASSERT(contains(u.body(u.asked() - 1), "refresh_token=r1"));
  }

  void a_refused_password_is_never_repeated() {
    User u;
    u.wire->add(refusal(400, "invalid_grant", 50126));
    const auto fault = fault_of(*u.source);
    CPPUNIT_ASSERT(fault.cause == Cause::password_refused);
    CPPUNIT_ASSERT(fault.remedy == Remedy::administrator);
    CPPUNIT_ASSERT(fault.retry_after == 0s);
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS50126"), fault.code);
    CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "queue@contoso.com"));
    CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "federated"));
    CPPUNIT_ASSERT(u.source->wants_credential());
    for (int day = 0; day < 30; ++day) {
      u.clock.advance(24h);
      u.source->refresh_if_due({});
      fault_of(*u.source);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, u.asked());
  }

  void also_not_after_a_restart() {
    std::shared_ptr<support::TemporaryFolder> state;
    {
      User u;
      state = u.folder;
      u.wire->add(refusal(400, "invalid_grant", 50126));
      fault_of(*u.source);
    }
    {
      User u(state);
      const auto fault = fault_of(*u.source);
      CPPUNIT_ASSERT(fault.cause == Cause::password_refused);
      CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "not tried"));
      CPPUNIT_ASSERT(u.source->wants_credential());
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, u.asked());
    }
    User u(state, tenant_of_user(), "the right one");
    u.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), u.token());
  }

  void other_refusals_are_not_remembered() {
    std::shared_ptr<support::TemporaryFolder> state;
    {
      User u;
      state = u.folder;
      u.wire->add(refusal(400, "invalid_grant", 50057));
      CPPUNIT_ASSERT(fault_of(*u.source).cause == Cause::sign_in_blocked);
    }
    User u(state);
    u.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), u.token());
  }

  void an_unknown_refusal_of_a_password_is_not_repeated_either() {
    User u;
    u.wire->add(refusal(400, "invalid_grant", 999999, "A reason of next year."));
    const auto fault = fault_of(*u.source);
    CPPUNIT_ASSERT(fault.cause == Cause::password_refused);
    CPPUNIT_ASSERT_MESSAGE(fault.text, contains(fault.text, "A reason of next year."));
    u.clock.advance(24h);
    fault_of(*u.source);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, u.asked());
  }

  void a_locked_account_is_left_alone_for_longer_and_longer() {
    User u;
    u.wire->otherwise(refusal(400, "invalid_grant", 50053));
    for (const auto expected : {10min, 20min, 40min, 60min, 60min}) {
      const auto fault = fault_of(*u.source);
      CPPUNIT_ASSERT(fault.cause == Cause::sign_in_blocked);
      CPPUNIT_ASSERT(fault.retry_after == expected);
      u.clock.advance(expected);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, u.asked());
  }

  void a_password_is_not_repeated_after_a_lost_answer() {
    User u;
    u.wire->otherwise(http::TransportError(Kind::cut, true, "the connection ended early"));
    const auto fault = fault_of(*u.source);
    CPPUNIT_ASSERT(fault.cause == Cause::network);
    CPPUNIT_ASSERT(fault.retry_after >= 1min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, u.asked());
    User v;
    v.wire->otherwise({503, {}, ""});
    CPPUNIT_ASSERT(fault_of(*v.source).retry_after >= 1min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, v.asked());
  }

  void a_password_that_never_left_is_repeated() {
    User u;
    u.wire->add(http::TransportError(Kind::refused, false, "nobody listens"));
    u.wire->add(token_answer("one"));
    CPPUNIT_ASSERT_EQUAL(std::string("one"), u.token());
  }

  void multi_factor_is_probed_slowly() {
    User u;
    u.wire->add(refusal(400, "interaction_required", 50076));
    const auto fault = fault_of(*u.source);
    CPPUNIT_ASSERT(fault.cause == Cause::sign_in_blocked);
    CPPUNIT_ASSERT(fault.retry_after == 15min);
    CPPUNIT_ASSERT(!u.source->wants_credential());
  }

  void without_the_state_file_no_password_is_tried() {
    User u;
    std::filesystem::remove_all(u.folder->path());
    std::filesystem::path blocked = u.folder->path();
    FILE* file = fopen(blocked.c_str(), "w");  // a file where the folder should be
    CPPUNIT_ASSERT(file != nullptr);
    fclose(file);
    const auto fault = fault_of(*u.source);
    CPPUNIT_ASSERT(fault.cause == Cause::state_disk);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, u.asked());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TokenUserTest);

}  // namespace
