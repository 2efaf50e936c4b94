// Graph's refusals: the table of graph-mail.md, section 16, and what stands in the sentences.
#include "m365/graph/graph_errors.h"

#include <cppunit/extensions/HelperMacros.h>

#include <string>
#include <vector>

#include "m365/graph/graph_error_codes.h"
#include "m365/sign_in/token_world.h"

namespace {

using namespace std::chrono_literals;
using m365::Action;
using m365::GraphError;
using mail::Cause;
using mail::Remedy;
using support::contains;

const m365::Subject reading{"support@contoso.com", "read the folder", false};
const m365::Subject sending{"support@contoso.com", "send", true};

GraphError error(int status, const std::string& body, const m365::Subject& subject = reading,
                 const std::string& granted = "", http::Headers headers = {}) {
  return m365::graph_error({status, std::move(headers), body}, subject, granted, support::ManualClock::start);
}

std::string body(const std::string& code, const std::string& message = "Words.") {
  return R"({"error":{"code":")" + code + R"(","message":")" + message +
         R"(","innerError":{"date":"2026-01-01T00:00:00","request-id":"r-1","client-request-id":"c-1"}}})";
}

class GraphErrorsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GraphErrorsTest);
  CPPUNIT_TEST(every_code_of_the_reference_is_known);
  CPPUNIT_TEST(codes_become_action_and_cause);
  CPPUNIT_TEST(the_deepest_known_code_decides);
  CPPUNIT_TEST(unknown_codes_are_decided_by_status);
  CPPUNIT_TEST(bodies_of_every_kind);
  CPPUNIT_TEST(a_forbidden_names_all_its_reasons);
  CPPUNIT_TEST(a_401_without_permissions_is_missing_consent);
  CPPUNIT_TEST(the_services_own_words_are_not_repeated);
  CPPUNIT_TEST(request_id_and_retry_after_are_kept);
  CPPUNIT_TEST(only_5xx_may_have_been_done);
  CPPUNIT_TEST(failures_below_http);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_code_of_the_reference_is_known() {
    for (const char* code : {"InvalidAuthenticationToken",
                             "TokenExpired",
                             "TokenCreatedWithOutdatedPolicies",
                             "TokenIssuedBeforeRevocationTimestamp",
                             "InvalidAudience",
                             "TokenNotYetValid",
                             "NoPermissionsInAccessToken",
                             "Authorization_RequestDenied",
                             "ErrorAccessDenied",
                             "ErrorSendAsDenied",
                             "ErrorInvalidUser",
                             "Request_ResourceNotFound",
                             "ResourceNotFound",
                             "MailboxNotEnabledForRESTAPI",
                             "MailboxNotHostedInExchangeOnline",
                             "MailboxNotSupportedForRESTAPI",
                             "RESTAPINotEnabledForUser",
                             "ErrorNonExistentMailbox",
                             "MailboxInfoStale",
                             "ErrorItemNotFound",
                             "ErrorInvalidIdMalformed",
                             "ErrorFolderNotFound",
                             "ErrorToFolderNotFound",
                             "ErrorParentFolderNotFound",
                             "ErrorFolderExists",
                             "ErrorCannotDeleteObject",
                             "ErrorIrresolvableConflict",
                             "InefficientFilter",
                             "ErrorInvalidUrlQuery",
                             "BadRequest",
                             "RequestBroker--ParseUri",
                             "SyncStateNotFound",
                             "syncStateInvalid",
                             "resyncRequired",
                             "InvalidSyncStateData",
                             "ErrorMessageSizeExceeded",
                             "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
                             "ErrorMimeContentInvalidBase64String",
                             "ErrorMimeContentInvalid",
                             "InvalidInternetMessageHeader",
                             "InvalidInternetMessageHeaderCollection",
                             "ErrorInvalidRecipients",
                             "ErrorMissingRecipients",
                             "ErrorExceededMaxRecipientLimit",
                             "ErrorQuotaExceeded",
                             "QuotaExceededException",
                             "ErrorExceededMessageLimit",
                             "ErrorExceededHourlyMessageLimit",
                             "ErrorSubmissionQuotaExceeded",
                             "ErrorMessageSubmissionBlocked",
                             "ErrorAccountSuspend",
                             "ErrorVirusDetected",
                             "ErrorItemCorrupt",
                             "ErrorCorruptData",
                             "ErrorContentConversionFailed",
                             "ErrorAccountDisabled",
                             "ErrorMailboxStoreUnavailable",
                             "ErrorMailboxMoveInProgress",
                             "ErrorMailboxFailover",
                             "ErrorADUnavailable",
                             "ErrorExceededConnectionCount",
                             "ErrorServerBusy",
                             "ErrorInternalServerTransientError",
                             "ErrorInsufficientResources",
                             "ErrorTimeoutExpired",
                             "ErrorConnectionFailed",
                             "ErrorTooManyObjectsOpened",
                             "CommandConcurrencyLimitReached",
                             "ApplicationThrottled",
                             "TooManyRequests",
                             "activityLimitReached",
                             "UnknownError",
                             "generalException",
                             "ServiceUnavailable",
                             "ErrorInternalServerError",
                             "ErrorExecuteSearchStaleData"}) {
      const m365::GraphCode* known = m365::find_graph_code(code);
      CPPUNIT_ASSERT_MESSAGE(code, known != nullptr);
      CPPUNIT_ASSERT_MESSAGE(code, known->advice.empty() || known->advice.ends_with('.'));
    }
    CPPUNIT_ASSERT(m365::find_graph_code("ErrorOfNextYear") == nullptr);
  }

  void codes_become_action_and_cause() {
    struct Expected {
      int status;
      const char* code;
      Action action;
      Cause cause;
      Remedy remedy;
    };
    for (const Expected& e : std::vector<Expected>{
             {403, "ErrorSendAsDenied", Action::configuration, Cause::sender_forbidden, Remedy::administrator},
             {403, "ErrorQuotaExceeded", Action::configuration, Cause::mailbox_full, Remedy::administrator},
             {429, "ErrorExceededMessageLimit", Action::configuration, Cause::send_limit, Remedy::wait},
             {404, "ErrorInvalidUser", Action::configuration, Cause::mailbox_unknown, Remedy::administrator},
             {401, "MailboxNotEnabledForRESTAPI", Action::configuration, Cause::mailbox_unknown, Remedy::administrator},
             {404, "ErrorFolderNotFound", Action::configuration, Cause::folder_missing, Remedy::administrator},
             {404, "ErrorItemNotFound", Action::permanent, Cause::none, Remedy::item},
             {400, "SyncStateNotFound", Action::restart_sync, Cause::none, Remedy::wait},
             {409, "ErrorFolderExists", Action::done, Cause::none, Remedy::item},
             {401, "InvalidAuthenticationToken", Action::fresh_token, Cause::sign_in_blocked, Remedy::administrator},
             {400, "ErrorInvalidRecipients", Action::permanent, Cause::service_fault, Remedy::item},
             {503, "MailboxInfoStale", Action::repeat, Cause::service_fault, Remedy::wait},
             {429, "ApplicationThrottled", Action::repeat, Cause::throttled, Remedy::wait}}) {
      const GraphError told = error(e.status, body(e.code), sending);
      CPPUNIT_ASSERT_MESSAGE(e.code, told.action() == e.action);
      CPPUNIT_ASSERT_MESSAGE(e.code, told.fault().cause == e.cause);
      CPPUNIT_ASSERT_MESSAGE(e.code, told.fault().remedy == e.remedy);
      CPPUNIT_ASSERT_EQUAL(std::string(e.code), told.fault().code);
      CPPUNIT_ASSERT_EQUAL(e.status, told.status());
      CPPUNIT_ASSERT_MESSAGE(told.fault().text, told.fault().text.starts_with("support@contoso.com: send failed: "));
    }
    CPPUNIT_ASSERT(error(404, body("ErrorItemNotFound")).not_found());
  }

  void the_deepest_known_code_decides() {
    const auto nested = [](const std::string& member, const std::string& inner) {
      return R"({"error":{"code":"BadRequest","message":"m",")" + member + R"(":{"code":")" + inner +
             R"(","requestId":"r-2"}}})";
    };
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorItemNotFound"),
                         error(404, nested("innerError", "ErrorItemNotFound")).fault().code);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorItemNotFound"),
                         error(404, nested("innererror", "ErrorItemNotFound")).fault().code);
    CPPUNIT_ASSERT_EQUAL(std::string("BadRequest"), error(400, nested("innerError", "NobodyKnows")).fault().code);
    CPPUNIT_ASSERT_EQUAL(std::string("r-2"), error(400, nested("innerError", "NobodyKnows")).fault().request_id);
    // As throttling is seen: the inner code is the status as text (section 15).
    CPPUNIT_ASSERT(error(429, R"({"error":{"code":"TooManyRequests","innerError":{"code":"429"}}})").fault().cause ==
                   Cause::throttled);
    std::string deep = R"({"code":"ErrorItemNotFound"})";
    for (int i = 0; i < 500; ++i) deep = R"({"code":"x","innerError":)" + deep + "}";
    CPPUNIT_ASSERT(error(400, R"({"error":)" + deep + "}").action() == Action::permanent);
  }

  void unknown_codes_are_decided_by_status() {
    CPPUNIT_ASSERT(error(400, body("Next")).action() == Action::permanent);
    CPPUNIT_ASSERT(error(401, body("Next")).action() == Action::fresh_token);
    CPPUNIT_ASSERT(error(403, body("Next")).fault().cause == Cause::mailbox_forbidden);
    CPPUNIT_ASSERT(error(404, body("Next")).action() == Action::permanent);
    CPPUNIT_ASSERT(error(409, body("Next")).action() == Action::repeat);
    CPPUNIT_ASSERT(error(410, body("Next")).action() == Action::restart_sync);
    CPPUNIT_ASSERT(error(412, body("Next")).action() == Action::repeat);
    CPPUNIT_ASSERT(error(413, "").action() == Action::permanent);
    CPPUNIT_ASSERT(error(423, body("Next")).action() == Action::repeat);
    CPPUNIT_ASSERT(error(429, "").fault().cause == Cause::throttled);
    CPPUNIT_ASSERT(error(500, "").action() == Action::repeat);
    CPPUNIT_ASSERT(error(507, "").fault().cause == Cause::mailbox_full);
    CPPUNIT_ASSERT(error(509, "").fault().cause == Cause::throttled);
    CPPUNIT_ASSERT(error(302, "").fault().remedy == Remedy::wait);
    CPPUNIT_ASSERT_EQUAL(std::string("Next"), error(400, body("Next")).fault().code);
  }

  void bodies_of_every_kind() {
    for (const std::string text :
         {"", "<html>502 Bad Gateway</html>", "{", "[]", "null", R"({"error":"text"})", R"({"error":{"code":7}})",
          R"({"error":{"code":null,"innerError":[]}})", "\xff\xfe"}) {
      const GraphError told = error(502, text);
      CPPUNIT_ASSERT_MESSAGE(text, told.action() == Action::repeat);
      CPPUNIT_ASSERT_EQUAL(std::string("HTTP 502"), told.fault().code);
    }
    // The form without "error" around it (graph-examples/errors.3.json).
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorItemNotFound"),
                         error(404, R"({"code":"ErrorItemNotFound","message":"m"})").fault().code);
  }

  void a_forbidden_names_all_its_reasons() {
    const GraphError blocked = error(403, body("ErrorAccessDenied"), reading, "Mail.ReadWrite Mail.Send");
    CPPUNIT_ASSERT(blocked.fault().cause == Cause::mailbox_forbidden);
    for (const char* part : {"support@contoso.com", "access policy", "RBAC", "Mail.ReadWrite", "30 minutes to 2 hours",
                             "token holds: Mail.ReadWrite Mail.Send"}) {
      CPPUNIT_ASSERT_MESSAGE(blocked.fault().text, contains(blocked.fault().text, part));
    }
    const GraphError missing = error(403, body("ErrorAccessDenied"), sending, "Mail.ReadWrite");
    CPPUNIT_ASSERT(missing.fault().cause == Cause::consent_missing);
    CPPUNIT_ASSERT_MESSAGE(missing.fault().text, contains(missing.fault().text, "permission Mail.Send"));
    CPPUNIT_ASSERT(error(403, body("ErrorAccessDenied"), reading, "none").fault().cause == Cause::consent_missing);
    CPPUNIT_ASSERT(error(403, body("ErrorAccessDenied"), reading, "Mail.ReadWrite.Shared").fault().cause ==
                   Cause::mailbox_forbidden);
    CPPUNIT_ASSERT(error(403, body("ErrorAccessDenied"), reading, "Mail.ReadWriteX").fault().cause ==
                   Cause::consent_missing);
    // A policy that names itself is the policy, whatever the token holds: roles are absent with RBAC.
    const std::string raop = "[RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.";
    CPPUNIT_ASSERT(error(403, body("ErrorAccessDenied", raop), reading, "none").fault().cause ==
                   Cause::mailbox_forbidden);
    CPPUNIT_ASSERT(error(403, "", reading, "").fault().cause == Cause::mailbox_forbidden);
    CPPUNIT_ASSERT(contains(error(403, "", {"", "batch", false}).fault().text, "leaves the mailbox out"));
  }

  void a_401_without_permissions_is_missing_consent() {
    CPPUNIT_ASSERT(error(401, body("InvalidAuthenticationToken"), reading, "none").fault().cause ==
                   Cause::consent_missing);
    CPPUNIT_ASSERT(error(401, body("InvalidAuthenticationToken"), reading, "Mail.Read").fault().cause ==
                   Cause::sign_in_blocked);
  }

  void the_services_own_words_are_not_repeated() {
    for (const char* code : {"BadRequest", "ErrorOfNextYear"}) {
      const GraphError told = error(400, body(code, "Cannot read the literal 'Dear Ms Smith' as a boolean."));
      CPPUNIT_ASSERT_MESSAGE(told.fault().text, !contains(told.fault().text, "Smith"));
    }
  }

  void request_id_and_retry_after_are_kept() {
    CPPUNIT_ASSERT_EQUAL(std::string("r-1"), error(500, body("UnknownError")).fault().request_id);
    const GraphError told =
        error(429, body("TooManyRequests"), reading, "", {{"Request-Id", "r-9"}, {"Retry-After", "2.128"}});
    CPPUNIT_ASSERT_EQUAL(std::string("r-9"), told.fault().request_id);
    CPPUNIT_ASSERT(told.fault().retry_after == 2128ms);
  }

  void only_5xx_may_have_been_done() {
    for (const int status : {500, 502, 503, 504}) CPPUNIT_ASSERT(error(status, "").fault().maybe_done);
    for (const int status : {400, 401, 403, 404, 429}) CPPUNIT_ASSERT(!error(status, "").fault().maybe_done);
  }

  void failures_below_http() {
    using Kind = http::TransportError::Kind;
    const auto told = [](Kind kind, bool maybe_done = false, std::chrono::milliseconds wait = {}) {
      return m365::transport_fault(http::TransportError(kind, maybe_done, "graph.microsoft.com: why", wait), reading)
          .fault();
    };
    for (const Kind kind : {Kind::name, Kind::refused, Kind::timeout, Kind::cut}) {
      CPPUNIT_ASSERT(told(kind).cause == Cause::network && told(kind).remedy == Remedy::wait);
    }
    CPPUNIT_ASSERT(told(Kind::tls).cause == Cause::tls && told(Kind::tls).remedy == Remedy::administrator);
    CPPUNIT_ASSERT(told(Kind::proxy).cause == Cause::proxy);
    CPPUNIT_ASSERT(told(Kind::throttled, false, 3s).retry_after == 3s);
    CPPUNIT_ASSERT(told(Kind::throttled).cause == Cause::throttled);
    CPPUNIT_ASSERT(told(Kind::cancelled).remedy == Remedy::cancelled);
    CPPUNIT_ASSERT(told(Kind::too_large).remedy == Remedy::item);
    CPPUNIT_ASSERT(told(Kind::cut, true).maybe_done);
    CPPUNIT_ASSERT_EQUAL(std::string("support@contoso.com: read the folder failed: graph.microsoft.com: why"),
                         told(Kind::refused).text);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GraphErrorsTest);

}  // namespace
