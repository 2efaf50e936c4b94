#include "m365/graph/graph.h"

#include <algorithm>
#include <array>

#include "m365/mime/text.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

constexpr std::string_view kVersion = "/v1.0/";

bool matches(const Route& route, const std::vector<std::string>& path, std::size_t from,
             std::vector<std::string>* parameters) {
  std::size_t at = from;
  for (const auto& part : split(route.pattern, '/')) {
    if (part.empty()) continue;
    if (at >= path.size()) return false;
    if (part == "{}") {
      if (parameters != nullptr) parameters->push_back(path[at]);
    } else if (part != path[at]) {
      return false;
    }
    ++at;
  }
  return at == path.size();
}

const std::array<const std::vector<Route>*, 5>& tables() {
  static const std::array<const std::vector<Route>*, 5> all = {&message_routes(), &folder_routes(),
                                                               &attachment_routes(), &sending_routes(), &id_routes()};
  return all;
}

std::string bearer_of(const HttpRequest& request) {
  const std::string value = request.headers.get("Authorization");
  if (!starts_with_ignoring_case(value, "Bearer ")) return {};
  return std::string(trim(std::string_view(value).substr(7)));
}

GraphError bad_token(const std::string& message) {
  return {401, "InvalidAuthenticationToken", message};
}

}  // namespace

bool Graph::owns(std::string_view path) {
  return path.substr(0, 6) == kVersion || path == "/v1.0" || path.substr(0, 6) == "/beta/";
}

HttpResponse Graph::handle(const HttpRequest& request) {
  if (request.path() == "/v1.0/$batch") return batch(request);
  return handle_one(request);
}

// The census and the faults see every request, inner ones of a batch like any other.
HttpResponse Graph::handle_one(const HttpRequest& request) {
  FaultSubject subject{request.method, request.target, "unknown", {}};
  try {
    Call probe;
    probe.request = &request;
    find_route(probe);
    subject.operation = probe.route->operation;
    auto owner = world_.directory.recipient(probe.user_name);
    if (!owner) {
      for (const auto& tenant : world_.directory.tenants()) {
        if (!owner) owner = world_.directory.user(tenant.id, probe.user_name);
      }
    }
    subject.mailbox = owner ? owner->primary_address() : probe.user_name;
  } catch (const GraphError&) {  // told again when it is carried out
  }
  world_.census.count(subject.operation, lower(subject.mailbox));
  const auto fault = world_.faults.match(subject);
  if (!fault) return carry_out(request);

  if (fault->delay_ms > 0) world_.stop.pause(Milliseconds(fault->delay_ms));
  HttpResponse response;
  if (fault->cut == FaultEffect::Cut::before) {
    response.departure = departure_of_cut(*fault);
    return response;
  }
  if (fault->work == Work::later) {
    world_.scheduler.after(Milliseconds(fault->later_ms), [this, request] { carry_out(request); });
  }
  if (fault->work == Work::done || (fault->work == Work::none && fault->status == 0)) {
    response = carry_out(request);
  } else {
    add_standard_headers(request, response);
  }
  apply_fault(*fault, response);
  return response;
}

HttpResponse Graph::carry_out(const HttpRequest& request) {
  HttpResponse response;
  Call call;
  call.request = &request;
  try {
    find_route(call);
    authenticate(call);
    find_owner(call);
    const bool writes = request.method == "POST" || request.method == "PATCH" || request.method == "PUT";
    // Refused or not, it counts; the place is free again before the answer leaves.
    const auto place = world_.throttle.enter(call.token->client_id, lower(call.owner->primary_address()),
                                             writes ? request.body.size() : 0);
    authorise(call);
    if (request.body_too_large) throw GraphError(413, "RequestEntityTooLarge", "The request is too large.");
    call.prefer = parse_preferences(request.headers);
    response = call.route->handler(world_, call);
    if (!call.prefer.applied.empty()) response.headers.add("Preference-Applied", join(call.prefer.applied, ", "));
  } catch (const GraphError& error) {
    response = refusal(error);
  }
  add_standard_headers(request, response);
  return response;
}

void Graph::find_route(Call& call) const {
  const auto encoded = call.request->path();
  if (encoded.substr(0, kVersion.size()) != kVersion) {
    throw GraphError(404, "ResourceNotFound",
                     "Invalid version: " + std::string(encoded.substr(1, encoded.find('/', 1) - 1)) + ".");
  }
  call.path = normal_segments(encoded.substr(kVersion.size()));
  std::size_t from = 0;
  if (!call.path.empty() && call.path[0] == "me") {
    call.user_name = "me";
    from = 1;
  } else if (call.path.size() >= 2 && call.path[0] == "users") {
    call.user_name = call.path[1];
    from = 2;
  } else {
    const std::string segment = call.path.empty() ? std::string() : call.path[0];
    throw bad_request("Resource not found for the segment '" + segment + "'.");
  }
  bool other_method = false;
  for (const auto* table : tables()) {
    for (const auto& route : *table) {
      std::vector<std::string> parameters;
      if (!matches(route, call.path, from, &parameters)) continue;
      if (call.request->method != route.method) {
        other_method = true;
        continue;
      }
      call.route = &route;
      call.parameters = std::move(parameters);
      return;
    }
  }
  if (other_method)
    throw GraphError(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
  throw bad_request("Resource not found for the segment '" + call.path.back() + "'.");
}

void Graph::authenticate(Call& call) const {
  if (call.request->headers.find("Authorization") == nullptr) throw bad_token("Access token is empty.");
  const std::string bearer = bearer_of(*call.request);
  if (bearer.empty()) throw bad_token("CompactToken parsing failed with error code: 80049217");
  if (bearer.find('.') == std::string::npos) {
    throw bad_token(
        "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact "
        "Serialization Format.");
  }
  call.token = world_.entra.find(bearer);
  if (!call.token) throw bad_token("Signing key is invalid.");
  if (call.token->expires <= world_.clock.now()) throw bad_token("Lifetime validation failed, the token is expired.");
  if (!world_.entra.accepts_audience(call.token->audience))
    throw GraphError(401, "InvalidAuthenticationToken", "Access token validation failure. Invalid audience.");
  call.app = world_.directory.app(call.token->tenant, call.token->client_id);
  if (!call.app || !call.app->enabled)
    throw bad_token("The identity of the calling application could not be established.");
  if (!call.token->user_id.empty()) {
    call.actor = world_.directory.user(call.token->tenant, call.token->user_id);
    if (!call.actor) throw bad_token("The user account does not exist.");
  }
}

void Graph::find_owner(Call& call) const {
  if (call.user_name == "me") {
    if (!call.actor) throw bad_request("/me request is only valid with delegated authentication flow.");
    call.owner = call.actor;
  } else {
    call.owner = world_.directory.user(call.token->tenant, call.user_name);
  }
  if (!call.owner) {
    if (call.user_name.find('@') != std::string::npos) {
      throw GraphError(404, "ErrorInvalidUser", "The requested user '" + call.user_name + "' is invalid.");
    }
    throw GraphError(404, "ResourceNotFound", "Resource could not be discovered.");
  }
  const std::string_view operation = call.route->operation;
  if (operation == "users.get") return;
  bool enabled = call.owner->mailbox != nullptr;
  if (enabled) {
    const auto lock = call.owner->mailbox->lock();
    enabled = !call.owner->mailbox->options.not_enabled;
  }
  if (!enabled) {
    throw GraphError(404, "MailboxNotEnabledForRESTAPI",
                     "The mailbox is either inactive, soft-deleted, or is hosted on-premise.");
  }
}

// An Entra grant that no policy takes away, or a grant in Exchange that covers the mailbox (exchange-admin.md 4 to 6).
bool Graph::app_may(const Call& call, const std::string& role) const {
  for (const auto& grant : call.app->scoped_grants) {
    if (grant.role == role && call.owner->named_in(grant.mailboxes)) return true;
  }
  if (call.token->permissions.count(role) == 0) return false;
  bool restricted = false;
  bool matched = false;
  for (const auto& policy : call.app->policies) {
    const bool member = call.owner->named_in(policy.mailboxes);
    if (policy.deny && member) return false;  // deny wins
    if (!policy.deny) {
      restricted = true;
      matched = matched || member;
    }
  }
  return !restricted || matched;
}

void Graph::authorise(const Call& call) const {
  if (std::string_view(call.route->operation) == "users.get") {
    throw GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
  }
  std::vector<std::string> roles;
  switch (call.route->need) {
    case Need::none:
      return;
    case Need::read:
      roles = {"Mail.Read", "Mail.ReadWrite"};
      break;
    case Need::write:
      roles = {"Mail.ReadWrite"};
      break;
    case Need::send:
      roles = {"Mail.Send"};
      break;
  }
  if (call.actor) {
    // Delegated: the own mailbox, or another one opened to this user (graph-mail.md section 19). Policies do not apply.
    const bool own = call.actor->id == call.owner->id;
    if (!own && !call.actor->named_in(call.owner->full_access)) throw access_denied();
    for (const auto& role : roles) {
      if (call.token->permissions.count(own ? role : role + ".Shared") != 0) return;
    }
    throw access_denied();
  }
  if (call.token->permissions.empty() && call.app->scoped_grants.empty()) {
    throw GraphError(401, "NoPermissionsInAccessToken",
                     "The token contains no permissions, or permissions can not be understood.");
  }
  for (const auto& role : roles) {
    if (app_may(call, role)) return;
  }
  for (const auto& role : roles) {
    if (call.token->permissions.count(role) != 0) {
      throw GraphError(
          403, "ErrorAccessDenied",
          "Access to OData is disabled: [RAOP] : Blocked by tenant configured AppOnly AccessPolicy settings.");
    }
  }
  throw access_denied();
}

HttpResponse Graph::refusal(const GraphError& error) const {
  HttpResponse response = json_response(error.status, {});
  response.headers.set("Content-Type", "application/json");
  const std::string id = new_guid();
  response.headers.add("request-id", id);
  Json inner = Json::Object{{"date", bare_time(world_.clock.now())}, {"request-id", id}, {"client-request-id", id}};
  if (error.status == 429) {
    // graph-examples/throttling.1.http
    inner.object().insert(inner.object().begin(), Json::Member("code", "429"));
    inner.set("message", "Please retry after");
    inner.set("status", "429");
  }
  // The message may quote a query, whose percent-encoded bytes can be anything.
  const std::string message = to_utf8(error.what());
  response.body =
      Json(Json::Object{{"error", Json::Object{{"code", error.code}, {"message", message}, {"innerError", inner}}}})
          .dump();
  if (!error.retry_after.empty()) response.headers.add("Retry-After", error.retry_after);
  if (error.status == 401) {
    // Two of them (what-users-ask.md 2.3).
    const std::string authority = world_.origin + "/common/oauth2/authorize";
    response.headers.add("WWW-Authenticate", "Bearer realm=\"\", authorization_uri=\"" + authority +
                                                 "\", client_id=\"00000003-0000-0000-c000-000000000000\"");
    response.headers.add("WWW-Authenticate", "PoP realm=\"\", authorization_uri=\"" + authority +
                                                 "\", client_id=\"00000003-0000-0000-c000-000000000000\", nonce=\"" +
                                                 base64url_encode(random_bytes(24)) + "\"");
  }
  return response;
}

void Graph::add_standard_headers(const HttpRequest& request, HttpResponse& response) const {
  if (response.headers.find("request-id") == nullptr) response.headers.add("request-id", new_guid());
  const std::string given = request.headers.get("client-request-id");
  response.headers.set("client-request-id", given.empty() ? response.headers.get("request-id") : given);
  response.headers.set(
      "x-ms-ags-diagnostic",
      R"({"ServerInfo":{"DataCenter":"North Europe","Slice":"E","Ring":"4","ScaleUnit":"001","RoleInstance":"DB1PEPF00000001"}})");
  response.headers.set("Strict-Transport-Security", "max-age=31536000");
  response.headers.set("Date", http_date(world_.clock.now()));
}

}  // namespace embedded
