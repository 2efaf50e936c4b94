#include "m365/entra/entra.h"

#include <algorithm>

#include "m365/entra/form.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

constexpr std::size_t kRecorded = 10'000;

}  // namespace

HttpResponse entra_json(int status, const Json& body) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Cache-Control", "no-store, no-cache");
  response.headers.add("Pragma", "no-cache");
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  response.body = body.dump();
  return response;
}

bool is_tenant_name(std::string_view name) {
  if (is_guid(name)) return true;
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  const auto dot = name.find('.');
  return characters && dot != std::string_view::npos && dot > 0 && name.back() != '.';
}

void Entra::set_origin(std::string origin) {
  const std::lock_guard lock(mutex_);
  origin_ = std::move(origin);
}

void Entra::set_token_life(int seconds) {
  const std::lock_guard lock(mutex_);
  token_life_ = seconds;
}

bool Entra::owns(std::string_view path) {
  const auto slash = path.find('/', 1);
  if (slash == std::string_view::npos) return false;
  const std::string rest = lower(path.substr(slash));
  return starts_with_ignoring_case(rest, "/oauth2/") || rest == "/v2.0/.well-known/openid-configuration" ||
         rest == "/discovery/instance" || rest == "/discovery/v2.0/keys" ||
         starts_with_ignoring_case(rest, "/userrealm/");
}

HttpResponse Entra::handle(const HttpRequest& request) {
  const auto path = request.path();
  const auto slash = path.find('/', 1);
  const std::string tenant_name = percent_decode(path.substr(1, slash - 1));
  const std::string rest = lower(path.substr(slash));
  HttpResponse response;
  if (rest == "/oauth2/v2.0/token") {
    response = token(request, tenant_name);
  } else if (rest == "/v2.0/.well-known/openid-configuration") {
    response = discovery(tenant_name);
  } else if (rest == "/discovery/v2.0/keys") {
    response = entra_json(200, Json::Object{{"keys", Json::Array{}}});
  } else if (rest == "/discovery/instance") {
    const std::string host = request.headers.get("Host");
    response = entra_json(
        200, Json::Object{
                 {"tenant_discovery_endpoint", "https://" + host + "/common/v2.0/.well-known/openid-configuration"},
                 {"api-version", "1.1"},
                 {"metadata",
                  Json::Array{Json::Object{
                      {"preferred_network", host}, {"preferred_cache", host}, {"aliases", Json::Array{Json(host)}}}}}});
  } else if (starts_with_ignoring_case(rest, "/userrealm/")) {
    // what-users-ask.md 2.12: MSAL asks this before the password grant.
    const std::string user = percent_decode(path.substr(slash + 11));
    const auto found = directory_.recipient(user);
    Json realm = Json::Object{{"ver", "1.0"}, {"account_type", found ? "Managed" : "Unknown"}};
    if (found) {
      realm.set("domain_name", user.substr(user.find('@') + 1));
      realm.set("cloud_instance_name", "microsoftonline.com");
      realm.set("cloud_audience_urn", "urn:federation:MicrosoftOnline");
    }
    response = entra_json(200, realm);
  } else {
    response.status = 404;
  }
  response.headers.add("x-ms-request-id", new_guid());
  response.headers.add("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
  response.headers.add("Date", http_date(clock_.now()));
  return response;
}

HttpResponse Entra::error(const Form& form, int status, std::string_view name, int code, const std::string& text,
                          std::string_view suberror) const {
  const std::string trace = new_guid();
  const std::string correlation = form.correlation_id.empty() ? new_guid() : form.correlation_id;
  const std::string time = entra_time(clock_.now());
  Json body = Json::Object{
      {"error", name},
      {"error_description", "AADSTS" + std::to_string(code) + ": " + text + " Trace ID: " + trace +
                                " Correlation ID: " + correlation + " Timestamp: " + time},
      {"error_codes", Json::Array{Json(code)}},
      {"timestamp", time},
      {"trace_id", trace},
      {"correlation_id", correlation},
  };
  {
    const std::lock_guard lock(mutex_);
    body.set("error_uri", origin_ + "/error?code=" + std::to_string(code));
  }
  if (!suberror.empty()) body.set("suberror", suberror);
  return entra_json(status, body);
}

bool Entra::accepts_audience(std::string_view audience) const {
  while (!audience.empty() && audience.back() == '/') audience.remove_suffix(1);
  if (equal_ignoring_case(audience, "https://graph.microsoft.com") || equal_ignoring_case(audience, kGraphId))
    return true;
  const std::lock_guard lock(mutex_);
  const auto port = origin_.rfind(':');
  const std::string suffix = port == std::string::npos ? std::string() : origin_.substr(port);
  return equal_ignoring_case(audience, origin_) || equal_ignoring_case(audience, "https://127.0.0.1" + suffix) ||
         equal_ignoring_case(audience, "https://[::1]" + suffix);
}

void Entra::record(const std::string& token) {
  if (issued_.size() == kRecorded) issued_.pop_front();
  issued_.push_back(token);
}

std::vector<std::string> Entra::issued() const {
  const std::lock_guard lock(mutex_);
  return {issued_.begin(), issued_.end()};
}

std::shared_ptr<const TokenClaims> Entra::find(const std::string& access_token) const {
  const std::lock_guard lock(mutex_);
  const auto found = tokens_.find(access_token);
  return found == tokens_.end() ? nullptr : found->second;
}

void Entra::revoke_all() {
  const std::lock_guard lock(mutex_);
  tokens_.clear();
}

void Entra::unlock_all() {
  const std::lock_guard lock(mutex_);
  failures_.clear();
}

HttpResponse Entra::discovery(const std::string& tenant_name) const {
  const bool shared = equal_ignoring_case(tenant_name, "common") || equal_ignoring_case(tenant_name, "organizations") ||
                      equal_ignoring_case(tenant_name, "consumers");
  const auto tenant = shared ? std::optional<Tenant>() : directory_.tenant(tenant_name);
  if (!shared && !tenant) {
    return error(Form(), 400, "invalid_tenant", is_tenant_name(tenant_name) ? 90002 : 900023,
                 "Tenant '" + tenant_name +
                     "' not found. Check to make sure you have the correct tenant ID and are "
                     "signing into the correct cloud.");
  }
  std::string origin;
  {
    const std::lock_guard lock(mutex_);
    origin = origin_;
  }
  const std::string base = origin + "/" + (tenant ? tenant->id : tenant_name);
  return entra_json(200, Json::Object{{"token_endpoint", base + "/oauth2/v2.0/token"},
                                      {"token_endpoint_auth_methods_supported",
                                       Json::Array{"client_secret_post", "client_secret_basic"}},
                                      {"jwks_uri", base + "/discovery/v2.0/keys"},
                                      {"response_types_supported", Json::Array{"code", "id_token"}},
                                      {"scopes_supported", Json::Array{"openid", "profile", "email", "offline_access"}},
                                      {"issuer", base + "/v2.0"},
                                      {"authorization_endpoint", base + "/oauth2/v2.0/authorize"},
                                      {"device_authorization_endpoint", base + "/oauth2/v2.0/devicecode"},
                                      {"tenant_region_scope", "EU"},
                                      {"cloud_instance_name", "microsoftonline.com"},
                                      {"msgraph_host", origin.substr(origin.find("//") + 2)}});
}

}  // namespace embedded
