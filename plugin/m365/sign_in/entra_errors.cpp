#include "m365/sign_in/entra_errors.h"

#include <algorithm>
#include <array>
#include <utility>

#include "m365/graph/graph_errors.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

using mail::Cause;
using mail::Remedy;

// What `error` alone decides when no number is known: "let error decide" (section 9).
struct ErrorRule {
  std::string_view error;
  Cause cause;
  Retry retry;
  bool credential;
};
constexpr std::array rules = {
    ErrorRule{"invalid_client", Cause::secret_refused, Retry::probe, true},
    ErrorRule{"unauthorized_client", Cause::client_unknown, Retry::probe, false},
    ErrorRule{"invalid_resource", Cause::tenant_unknown, Retry::probe, false},
    ErrorRule{"invalid_scope", Cause::service_fault, Retry::probe, false},
    ErrorRule{"invalid_request", Cause::service_fault, Retry::probe, false},
    ErrorRule{"invalid_instance", Cause::tenant_unknown, Retry::probe, false},
    ErrorRule{"unsupported_grant_type", Cause::service_fault, Retry::probe, false},
    ErrorRule{"interaction_required", Cause::sign_in_blocked, Retry::probe, false},
    ErrorRule{"login_required", Cause::sign_in_blocked, Retry::probe, false},
    ErrorRule{"consent_required", Cause::consent_missing, Retry::probe, false},
    ErrorRule{"temporarily_unavailable", Cause::service_fault, Retry::soon, false},
    ErrorRule{"server_error", Cause::service_fault, Retry::soon, false},
};

std::string where(const SignInContext& context) {
  const auto login = split_url(context.tenant.login_origin);
  const std::string host = login ? login->host + (login->port.empty() ? "" : ":" + login->port) : std::string();
  return "Signing in at " + host + " (tenant " + context.tenant.tenant + ", app " + context.tenant.client_id +
         (context.user.empty() ? "" : ", user " + context.user) + ")";
}

// Ids and times as Entra writes them; whatever else stands there is not shown.
std::string harmless(const std::string& text) {
  const bool sound = text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                              c == '_' || c == ':' || c == '.' || c == ' ' || c == ',' || c == '+';
                     });
  return sound ? text : std::string();
}

void append_detail(std::string& text, std::string_view name, const std::string& value) {
  if (!value.empty()) text.append(", ").append(name).append(value);
}

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  if (what.empty()) return;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) {
    text.replace(at, what.size(), by);
  }
}

// Entra's own words, for codes without a sentence of ours: the first line, in one piece, without what must not be
// shown.
std::string own_words(const EntraRefusal& refusal, const std::vector<mail::Secret>& secrets) {
  std::string text = refusal.description.substr(0, std::min(refusal.description.find("Trace ID:"), std::size_t{2000}));
  for (const mail::Secret& secret : secrets) {
    std::string encoded = http::percent_encode(secret);
    const mail::WipedAtEnd end(encoded);
    replace_all(text, secret, "{secret}");
    replace_all(text, encoded, "{secret}");
  }
  std::string words;
  for (const char c : text) {
    if (words.size() >= 300) break;
    const bool printable = static_cast<unsigned char>(c) > ' ' && static_cast<unsigned char>(c) < 0x7f;
    if (printable) {
      words += c;
    } else if (!words.empty() && words.back() != ' ') {
      words += ' ';
    }
  }
  return std::string(trimmed(words));
}

Remedy remedy_of(Retry retry) {
  return retry == Retry::soon || retry == Retry::slow ? Remedy::wait : Remedy::administrator;
}

struct Decision {
  int code = 0;  ///< the number that is shown; 0: none
  Cause cause = Cause::service_fault;
  Retry retry = Retry::soon;
  bool credential = false;
  std::string advice;
};

Decision decide_by_status(int status) {
  if (status == 429) return {0, Cause::throttled, Retry::soon, false, "Too many sign-ins; it goes on by itself."};
  if (status >= 500) return {0, Cause::service_fault, Retry::soon, false, "It is tried again by itself."};
  // Neither a token nor a refusal in Entra's form: a captive portal, a proxy's page, a wrong server.
  const Retry retry = status >= 300 ? Retry::probe : Retry::soon;
  return {0, Cause::service_fault, retry, false,
          "The answer is not one of Microsoft Entra's. Check the login address, and any proxy in between."};
}

Decision decide(const EntraRefusal& refusal, int status, const SignInContext& context) {
  for (const int code : refusal.codes) {
    if (const EntraCode* known = find_entra_code(code)) {
      return {code, known->cause, known->retry, known->credential, std::string(known->advice)};
    }
  }
  Decision decision = decide_by_status(status);
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const auto& r) { return r.error == refusal.error; });
  if (refusal.error == "invalid_grant" && status < 500 && status != 429) {
    // With a password, whatever is behind it: no automatic repetition (section 9).
    const bool app = context.grant == Grant::client_credentials;
    decision.cause = app ? Cause::secret_refused : Cause::password_refused;
    decision.retry = app ? Retry::probe : Retry::never;
    decision.credential = true;
  } else if (rule != rules.end()) {
    decision.cause = rule->cause;
    decision.retry = rule->retry;
    decision.credential = rule->credential;
  } else if (refusal.error.empty()) {
    return decision;
  }
  if (!refusal.codes.empty()) decision.code = refusal.codes.front();
  const std::string words = own_words(refusal, context.secrets);
  decision.advice = words.empty() ? "Look at the sign-in log of Microsoft Entra ID." : "Microsoft Entra says: " + words;
  return decision;
}

// What only the present settings can tell.
void sharpen(Decision& decision, const SignInContext& context) {
  const TenantSettings& tenant = context.tenant;
  if (decision.code == 7000215 && is_guid(tenant.secret)) {
    decision.advice =
        "What was entered as client secret looks like a Secret ID. Enter what the Value column beside it "
        "shows; if it is not shown any more, create a new secret.";
  }
  if (decision.code == 700016 && tenant.client_id_may_be_user) {
    decision.advice +=
        " If the Server User holds the GUID of the mailbox's user, this looks like the older form: enter the "
        "app's client ID there, and its secret as Password; the user may stand as mailbox_user.";
  }
}

}  // namespace

SignInFailure sign_in_failure(const http::Response& response, const SignInContext& context, mail::WallTime now) {
  const EntraRefusal refusal = read_refusal(response.body);
  Decision decision = decide(refusal, response.status, context);
  sharpen(decision, context);

  SignInFailure failure;
  failure.retry = decision.retry;
  failure.credential = decision.credential;
  failure.password_sent = context.grant == Grant::password;
  failure.remember = decision.code == 50126 && failure.password_sent;
  failure.resource_refused = refusal.error == "invalid_resource" || refusal.error == "invalid_scope";
  // A refresh token can be replaced by the password, once; a locked or unreachable account cannot (sections 4, 9).
  const bool void_token = refusal.error == "invalid_grant" && decision.retry != Retry::locked &&
                          decision.retry != Retry::soon && decision.retry != Retry::slow;
  if (context.grant == Grant::refresh_token && void_token) {
    failure.retry = Retry::sign_in_again;
  } else if (failure.retry == Retry::sign_in_again && context.grant != Grant::refresh_token) {
    failure.retry = context.grant == Grant::password ? Retry::never : Retry::probe;
  }

  mail::Fault& fault = failure.fault;
  fault.cause = decision.cause;
  fault.remedy = remedy_of(failure.retry);
  if (const auto wait = response.retry_after(now); wait && fault.remedy == Remedy::wait) fault.retry_after = *wait;
  if (decision.code != 0) {
    fault.code = "AADSTS" + std::to_string(decision.code);
  } else {
    const std::string error = harmless(refusal.error);
    fault.code = error.empty() ? "HTTP " + std::to_string(response.status) : error;
  }
  const auto either = [&](const std::string& told, const char* header) {
    return harmless(told.empty() ? response.headers.get(header) : told);
  };
  const std::string trace = either(refusal.trace_id, "x-ms-request-id");
  const std::string correlation = either(refusal.correlation_id, "client-request-id");
  fault.request_id = trace.empty() ? correlation : trace;
  fault.text = where(context) + (fault.remedy == Remedy::wait ? " failed: " : " was refused: ") + decision.advice +
               " (" + fault.code;
  append_detail(fault.text, "", either(refusal.timestamp, "Date"));
  append_detail(fault.text, "trace ID ", trace);
  append_detail(fault.text, "correlation ID ", correlation);
  fault.text += ")";
  fault.maybe_done = response.status >= 500;
  return failure;
}

SignInFailure sign_in_failure(const http::TransportError& error, const SignInContext& context) {
  SignInFailure failure;
  failure.fault = transport_fault(error, {"", where(context), false}).fault();
  failure.password_sent = context.grant == Grant::password;
  return failure;
}

SignInFailure password_known_as_refused(const SignInContext& context) {
  SignInFailure failure;
  const EntraCode& code = *find_entra_code(50126);
  failure.fault.cause = code.cause;
  failure.fault.remedy = Remedy::administrator;
  failure.fault.code = "AADSTS50126";
  failure.fault.text =
      where(context) + " is not tried: Microsoft Entra refused this password before. " + std::string(code.advice);
  failure.retry = Retry::never;
  failure.credential = true;
  return failure;
}

}  // namespace m365
