#include "m365/graph/graph_errors.h"

#include <simdjson.h>

#include <optional>
#include <utility>
#include <vector>

#include "m365/graph/graph_error_codes.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

namespace dom = simdjson::dom;
using mail::Cause;
using mail::Remedy;

struct ErrorBody {
  std::vector<std::string> codes;  ///< outermost first
  std::string message;             ///< for recognising two phrases only; it may repeat parts of the request
  std::string request_id;
};

std::string text_of(const dom::object& object, std::string_view key) {
  std::string_view text;
  return object[key].get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

// error -> innerError -> innerError ...: each level may name a more specific code (section 16).
void read_levels(dom::object level, ErrorBody& body) {
  for (int depth = 0; depth < 8; ++depth) {
    if (std::string code = text_of(level, "code"); !code.empty()) body.codes.push_back(std::move(code));
    if (body.message.empty()) body.message = text_of(level, "message");
    for (const std::string_view key : {"request-id", "requestId"}) {
      if (body.request_id.empty()) body.request_id = text_of(level, key);
    }
    dom::object inner;
    if (level["innerError"].get(inner) != simdjson::SUCCESS && level["innererror"].get(inner) != simdjson::SUCCESS)
      return;
    level = inner;
  }
}

// The body may be empty, a proxy's HTML, or anything else: then there is no code.
ErrorBody read_body(const std::string& text) {
  ErrorBody body;
  dom::parser parser;
  dom::object top, error;
  if (parser.parse(text).get(top) != simdjson::SUCCESS) return body;
  read_levels(top["error"].get(error) == simdjson::SUCCESS ? error : top, body);
  return body;
}

// The deepest code that the table knows; it decides. Without one, the outermost is only shown.
std::pair<std::optional<GraphCode>, std::string> decide(const ErrorBody& body) {
  for (auto code = body.codes.rbegin(); code != body.codes.rend(); ++code) {
    if (const GraphCode* known = find_graph_code(*code)) return {*known, *code};
  }
  return {std::nullopt, body.codes.empty() ? std::string() : body.codes.front()};
}

bool grants(const std::string& granted, const std::string& permission) {
  for (std::size_t at = granted.find(permission); at != std::string::npos; at = granted.find(permission, at + 1)) {
    const std::size_t end = at + permission.size();
    const bool begins = at == 0 || granted[at - 1] == ' ' || granted[at - 1] == ',';
    const bool ends = end == granted.size() || granted[end] == ' ' || granted[end] == ',' || granted[end] == '.';
    if (begins && ends) return true;
  }
  return false;
}

// A 403 has several reasons that look alike from outside; all are named, the likeliest first. `code` is made sharper.
std::string explain_forbidden(const ErrorBody& body, const Subject& subject, const std::string& granted,
                              GraphCode& code) {
  const std::string permission = subject.sending ? "Mail.Send" : "Mail.ReadWrite";
  const bool policy_named = body.message.find("[RAOP]") != std::string::npos ||
                            body.message.find("Access to OData is disabled") != std::string::npos;
  // A token without the permission can still be good through Exchange's RBAC (exchange-admin.md, section 5), so its
  // absence makes consent the likelier reason, never the only one.
  const bool missing = !granted.empty() && !grants(granted, permission);
  code.cause = missing && !policy_named ? Cause::consent_missing : Cause::mailbox_forbidden;
  const std::string consent = "the app lacks the Microsoft Graph permission " + permission + " with admin consent" +
                              (granted.empty() ? "" : " (its token holds: " + granted + ")");
  const std::string mailbox = subject.mailbox.empty() ? "the mailbox" : subject.mailbox;
  const std::string scope = "an application access policy or the RBAC scope in Exchange leaves " + mailbox + " out";
  std::string text = "Access is denied. Either ";
  text += code.cause == Cause::consent_missing ? consent + ", or " + scope : scope + ", or " + consent;
  return text +
         ". Grant the permission, or add the mailbox to the policy's group; Microsoft 365 needs 30 minutes to 2 "
         "hours until such a change works everywhere.";
}

std::string opening(const Subject& subject) {
  std::string text = subject.mailbox.empty() ? std::string() : subject.mailbox + ": ";
  return text + (subject.operation.empty() ? "request" : subject.operation) + " failed: ";
}

}  // namespace

GraphError graph_error(const http::Response& response, const Subject& subject, const std::string& granted,
                       mail::WallTime now) {
  const ErrorBody body = read_body(response.body);
  auto [known, shown] = decide(body);
  GraphCode code = known ? *known : code_for_status(response.status);
  if (response.status == 401 && granted == "none") {
    // A token is issued also when nothing was granted, and Graph answers 401 or 403 (entra-oauth.md, section 2).
    code = *find_graph_code("NoPermissionsInAccessToken");
  }
  mail::Fault fault;
  fault.text = opening(subject);
  if (code.advice.empty()) {
    fault.text += explain_forbidden(body, subject, granted, code);
  } else {
    fault.text += code.advice;
  }
  fault.cause = code.cause;
  fault.remedy = code.remedy;
  fault.code = shown.empty() ? "HTTP " + std::to_string(response.status) : shown;
  fault.request_id = response.request_id().empty() ? body.request_id : response.request_id();
  fault.retry_after = response.retry_after(now).value_or(std::chrono::milliseconds(0));
  // 5xx have been followed by deliveries; anything else was refused (graph-mail.md, sections 10.7 and 15).
  fault.maybe_done = response.status >= 500 || response.status < 400;
  return GraphError(std::move(fault), response.status, code.action);
}

mail::FaultError transport_fault(const http::TransportError& error, const Subject& subject) {
  using Kind = http::TransportError::Kind;
  mail::Fault fault;
  fault.text = opening(subject) + error.what();
  fault.retry_after = error.retry_after();
  fault.maybe_done = error.maybe_done();
  switch (error.kind()) {
    case Kind::name:
    case Kind::refused:
    case Kind::timeout:
    case Kind::cut:
      fault.cause = Cause::network;
      break;
    case Kind::tls:
      fault.cause = Cause::tls;
      fault.remedy = Remedy::administrator;
      break;
    case Kind::proxy:
      fault.cause = Cause::proxy;
      break;
    case Kind::too_large:
      fault.cause = Cause::service_fault;
      fault.remedy = Remedy::item;
      break;
    case Kind::throttled:
      fault.cause = Cause::throttled;
      break;
    case Kind::origin:
      fault.cause = Cause::service_fault;
      break;
    case Kind::cancelled:
      fault.remedy = Remedy::cancelled;
      fault.text = "The work was stopped.";
      break;
  }
  return mail::FaultError(std::move(fault));
}

}  // namespace m365
