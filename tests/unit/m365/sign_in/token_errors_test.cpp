// Entra's refusals: every number of the reference has a cause and advice, and a sentence says where and what to do.
#include <cppunit/extensions/HelperMacros.h>

#include <initializer_list>
#include <string>

#include "m365/sign_in/entra_errors.h"
#include "token_world.h"

namespace {

using namespace std::chrono_literals;
using m365::Grant;
using m365::Retry;
using m365::SignInFailure;
using mail::Cause;
using mail::Remedy;
using support::contains;

SignInFailure failure(const http::Response& response, Grant grant = Grant::client_credentials,
                      m365::TenantSettings tenant = support::tenant_of_service()) {
  const m365::SignInContext context{
      tenant, grant, grant == Grant::client_credentials ? "" : "queue@contoso.com", {tenant.secret, "", "p4ss"}};
  return m365::sign_in_failure(response, context, support::ManualClock::start);
}

SignInFailure refused(int status, const std::string& error, int code, Grant grant = Grant::client_credentials) {
  return failure(support::refusal(status, error, code).response, grant);
}

class TokenErrorsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(TokenErrorsTest);
  CPPUNIT_TEST(every_number_of_the_reference_is_known);
  CPPUNIT_TEST(the_sentence_says_where_and_what);
  CPPUNIT_TEST(causes_of_the_usual_mistakes);
  CPPUNIT_TEST(a_secret_id_is_recognised);
  CPPUNIT_TEST(the_older_form_of_server_user_is_recognised);
  CPPUNIT_TEST(error_decides_where_the_number_is_unknown);
  CPPUNIT_TEST(numbers_are_found_in_the_description);
  CPPUNIT_TEST(bodies_that_are_no_json);
  CPPUNIT_TEST(hostile_texts_are_tamed);
  CPPUNIT_TEST(a_refresh_token_gives_way_only_where_the_password_helps);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_number_of_the_reference_is_known() {
    const std::initializer_list<int> codes = {
        7000215, 7000222, 7000218, 700025, 70002, 700027,  700024, 700030, 50012,  50013, 50027,  50048,   700016,
        700011,  70001,   7000112, 50105,  65001, 90094,   90008,  650056, 650057, 65005, 500011, 50001,   1002012,
        70011,   28002,   700022,  50194,  90002, 900023,  90019,  50059,  50128,  50049, 90038,  9001023, 500021,
        500022,  50002,   90014,   900144, 90013, 9002313, 90004,  90100,  70003,  50126, 50034,  51004,   50020,
        50056,   50057,   50053,   50055,  50144, 50135,   50072,  50079,  50074,  50076, 50078,  50158,   50131,
        53000,   53001,   53002,   53004,  53011, 530032,  53003,  530035, 50173,  50132, 50133,  700082,  70008,
        70043,   70000,   50089,   90072,  80001, 80002,   80005,  80007,  80014,  80010, 80012,  80013,   50033,
        90006,   90012,   90024,   90033,  90090, 90091,   50087,  90055,  50196,  90036, 90092,  50000,   1002016};
    for (const int code : codes) {
      const m365::EntraCode* known = m365::find_entra_code(code);
      CPPUNIT_ASSERT_MESSAGE(std::to_string(code), known != nullptr);
      CPPUNIT_ASSERT_MESSAGE(std::to_string(code), known->cause != Cause::none);
      CPPUNIT_ASSERT_MESSAGE(std::to_string(code), known->advice.size() > 40 && known->advice.ends_with('.'));
    }
    CPPUNIT_ASSERT(m365::find_entra_code(1) == nullptr);
  }

  void the_sentence_says_where_and_what() {
    const mail::Fault fault = refused(401, "invalid_client", 7000222).fault;
    for (const char* part :
         {"login.microsoftonline.com", "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10", "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b",
          "has expired", "Certificates & secrets", "AADSTS7000222", "2026-01-09 02:02:12Z",
          "0000aaaa-11bb-cccc-dd22-eeeeee333333", "aaaa0000-bb11-2222-33cc-444444dddddd"}) {
      CPPUNIT_ASSERT_MESSAGE(part + (": " + fault.text), contains(fault.text, part));
    }
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS7000222"), fault.code);
    CPPUNIT_ASSERT_EQUAL(std::string("0000aaaa-11bb-cccc-dd22-eeeeee333333"), fault.request_id);
    CPPUNIT_ASSERT(
        contains(refused(400, "invalid_grant", 50057, Grant::password).fault.text, "user queue@contoso.com"));
  }

  void causes_of_the_usual_mistakes() {
    CPPUNIT_ASSERT(refused(401, "invalid_client", 7000215).fault.cause == Cause::secret_refused);
    CPPUNIT_ASSERT(refused(401, "invalid_client", 7000215).credential);
    CPPUNIT_ASSERT(refused(400, "unauthorized_client", 700016).fault.cause == Cause::client_unknown);
    CPPUNIT_ASSERT(!refused(400, "unauthorized_client", 700016).credential);
    CPPUNIT_ASSERT(refused(400, "invalid_request", 90002).fault.cause == Cause::tenant_unknown);
    CPPUNIT_ASSERT(refused(400, "invalid_grant", 65001).fault.cause == Cause::consent_missing);
    CPPUNIT_ASSERT(refused(400, "interaction_required", 53003).fault.cause == Cause::sign_in_blocked);
    CPPUNIT_ASSERT(refused(400, "invalid_request", 500021).fault.cause == Cause::proxy);
    const auto outage = refused(503, "temporarily_unavailable", 90033);
    CPPUNIT_ASSERT(outage.fault.remedy == Remedy::wait && outage.retry == Retry::soon);
    CPPUNIT_ASSERT(refused(400, "invalid_grant", 80001).retry == Retry::slow);
    CPPUNIT_ASSERT(refused(401, "invalid_client", 7000222).retry == Retry::probe);
  }

  void a_secret_id_is_recognised() {
    auto tenant = support::tenant_of_service();
    CPPUNIT_ASSERT(!contains(refused(401, "invalid_client", 7000215).fault.text, "looks like a Secret ID"));
    tenant.secret = "0a1b2c3d-0000-1111-2222-333344445555";
    const auto known =
        failure(support::refusal(401, "invalid_client", 7000215).response, Grant::client_credentials, tenant);
    CPPUNIT_ASSERT_MESSAGE(known.fault.text, contains(known.fault.text, "looks like a Secret ID"));
    CPPUNIT_ASSERT_MESSAGE(known.fault.text, contains(known.fault.text, "Value column"));
    CPPUNIT_ASSERT_MESSAGE(known.fault.text, !contains(known.fault.text, "0a1b2c3d"));
  }

  void the_older_form_of_server_user_is_recognised() {
    auto tenant = support::tenant_of_service();
    const auto response = support::refusal(400, "unauthorized_client", 700016).response;
    CPPUNIT_ASSERT(!contains(failure(response).fault.text, "older form"));
    tenant.client_id_may_be_user = true;
    const auto told = failure(response, Grant::client_credentials, tenant).fault.text;
    CPPUNIT_ASSERT_MESSAGE(told, contains(told, "this looks like the older form: enter the app's client ID"));
  }

  void error_decides_where_the_number_is_unknown() {
    const auto decided = [](const std::string& error, Grant grant = Grant::client_credentials) {
      return refused(400, error, 987654, grant);
    };
    CPPUNIT_ASSERT(decided("invalid_client").fault.cause == Cause::secret_refused);
    CPPUNIT_ASSERT(decided("unauthorized_client").fault.cause == Cause::client_unknown);
    CPPUNIT_ASSERT(decided("consent_required").fault.cause == Cause::consent_missing);
    CPPUNIT_ASSERT(decided("interaction_required").fault.cause == Cause::sign_in_blocked);
    CPPUNIT_ASSERT(decided("temporarily_unavailable").fault.remedy == Remedy::wait);
    CPPUNIT_ASSERT(decided("invalid_grant", Grant::password).retry == Retry::never);
    CPPUNIT_ASSERT(!decided("invalid_grant", Grant::password).remember);
    CPPUNIT_ASSERT(decided("invalid_grant", Grant::refresh_token).retry == Retry::sign_in_again);
    CPPUNIT_ASSERT(decided("something_new").retry == Retry::probe);
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS987654"), decided("something_new").fault.code);
    CPPUNIT_ASSERT(contains(decided("something_new").fault.text, "Microsoft Entra says: AADSTS987654: Something"));
    CPPUNIT_ASSERT(!contains(decided("something_new").fault.text, "Timestamp"));
  }

  void numbers_are_found_in_the_description() {
    const auto told = failure({400,
                               {},
                               R"({"error":"invalid_request","error_description":"AADSTS90002: Tenant 'x' not)"
                               R"( found."})"});
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS90002"), told.fault.code);
    const auto several = failure({400, {}, R"({"error":"invalid_grant","error_codes":[111111,50053,50126]})"});
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS50053"), several.fault.code);  // the first that is known
    const auto nothing = failure({400, {}, R"({"error":"invalid_client","error_codes":"x","error_description":7})"});
    CPPUNIT_ASSERT_EQUAL(std::string("invalid_client"), nothing.fault.code);
    CPPUNIT_ASSERT(nothing.fault.cause == Cause::secret_refused);
  }

  void bodies_that_are_no_json() {
    const auto busy = failure({503, {{"x-ms-request-id", "r-1"}, {"Retry-After", "7"}}, "<html>busy</html>"});
    CPPUNIT_ASSERT(busy.fault.remedy == Remedy::wait);
    CPPUNIT_ASSERT_EQUAL(std::string("HTTP 503"), busy.fault.code);
    CPPUNIT_ASSERT_EQUAL(std::string("r-1"), busy.fault.request_id);
    CPPUNIT_ASSERT(busy.fault.retry_after == 7s);
    CPPUNIT_ASSERT(failure({429, {}, ""}).fault.cause == Cause::throttled);
    const auto portal = failure({302, {{"Location", "http://hotel.example/"}}, ""});
    CPPUNIT_ASSERT(portal.fault.remedy == Remedy::administrator);
    CPPUNIT_ASSERT(contains(portal.fault.text, "proxy"));
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS90002"), failure({400, {}, "<p>AADSTS90002: no tenant</p>"}).fault.code);
  }

  void hostile_texts_are_tamed() {
    const std::string words(100'000, 'x');
    const auto longest = failure(support::refusal(400, "odd", 987654, words).response);
    CPPUNIT_ASSERT(longest.fault.text.size() < 1'000);
    const auto told = failure({400,
                               {},
                               R"({"error":"odd\nline","error_description":"one\r\n\u0007two p4ss \ud83d\ude00 three",)"
                               R"("trace_id":"<script>","correlation_id":"a\nb"})"});
    CPPUNIT_ASSERT_EQUAL(std::string("HTTP 400"), told.fault.code);
    CPPUNIT_ASSERT_MESSAGE(told.fault.text, contains(told.fault.text, "one two {secret} three"));
    CPPUNIT_ASSERT_MESSAGE(told.fault.text, !contains(told.fault.text, "script"));
    CPPUNIT_ASSERT_EQUAL(std::string(), told.fault.request_id);
    for (const char c : told.fault.text) CPPUNIT_ASSERT(static_cast<unsigned char>(c) >= ' ');
  }

  void a_refresh_token_gives_way_only_where_the_password_helps() {
    for (const int code : {50173, 50133, 700082, 70008, 70043, 70000}) {
      CPPUNIT_ASSERT(refused(400, "invalid_grant", code, Grant::refresh_token).retry == Retry::sign_in_again);
    }
    CPPUNIT_ASSERT(refused(400, "invalid_grant", 50053, Grant::refresh_token).retry == Retry::locked);
    CPPUNIT_ASSERT(refused(400, "invalid_grant", 80002, Grant::refresh_token).retry == Retry::slow);
    CPPUNIT_ASSERT(refused(401, "invalid_client", 7000215, Grant::refresh_token).retry == Retry::probe);
    CPPUNIT_ASSERT(refused(400, "invalid_grant", 50173, Grant::password).retry == Retry::never);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(TokenErrorsTest);

}  // namespace
