#include "m365/entra/entra.h"

#include <algorithm>

#include "m365/mime/text.h"

namespace embedded {
namespace {

// Smart lock-out (entra-oauth.md section 4): ten failures, then a minute.
constexpr int kFailuresBeforeLock = 10;
constexpr std::chrono::seconds kLock{60};
constexpr std::chrono::hours kRefreshLife{24 * 90};
constexpr std::size_t kRecorded = 10'000;
constexpr std::string_view kGraphId = "00000003-0000-0000-c000-000000000000";

struct Refusal {
  int status;
  const char* error;
  int code;
  std::string text;
  const char* suberror = "";
};

HttpResponse json_response(int status, const Json& body) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Cache-Control", "no-store, no-cache");
  response.headers.add("Pragma", "no-cache");
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  response.body = body.dump();
  return response;
}

// A GUID or something with a dot that could be a domain (section 10, 900023).
bool is_tenant_name(std::string_view name) {
  if (is_guid(name)) return true;
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  const auto dot = name.find('.');
  return characters && dot != std::string_view::npos && dot > 0 && name.back() != '.';
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> all = split(text, ' ');
  all.erase(std::remove(all.begin(), all.end(), ""), all.end());
  return all;
}

// "https://graph.microsoft.com/Mail.Send" -> resource and permission; a bare name belongs to Graph.
std::pair<std::string, std::string> split_scope(const std::string& scope) {
  const auto slash = scope.rfind('/');
  if (slash == std::string::npos) return {std::string(), scope};
  std::string resource = scope.substr(0, slash);
  while (!resource.empty() && resource.back() == '/') resource.pop_back();
  return {resource, scope.substr(slash + 1)};
}

bool is_openid_scope(std::string_view scope) {
  return scope == "offline_access" || scope == "openid" || scope == "profile" || scope == "email";
}

}  // namespace

struct Entra::Form {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string correlation_id;
  bool basic = false;

  const std::string* find(std::string_view name) const {
    for (const auto& field : fields) {
      if (field.first == name && !field.second.empty()) return &field.second;
    }
    return nullptr;
  }
  const std::string& need(const char* name) const {
    if (const std::string* value = find(name)) return *value;
    throw Refusal{400, "invalid_request", 900144,
                  "The request body must contain the following parameter: '" + std::string(name) + "'."};
  }
};

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
    response = json_response(200, Json::Object{{"keys", Json::Array{}}});
  } else if (rest == "/discovery/instance") {
    const std::string host = request.headers.get("Host");
    response = json_response(
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
    response = json_response(200, realm);
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
  return json_response(status, body);
}

HttpResponse Entra::token(const HttpRequest& request, const std::string& tenant_name) {
  Form form;
  form.correlation_id = request.headers.get("client-request-id");
  try {
    if (request.method != "POST") {
      throw Refusal{400, "invalid_request", 900561,
                    "The endpoint only accepts POST requests. Received a " + request.method + " request."};
    }
    // Section 10: "wrong Content-Type" is among the causes of 900144: the body is then not read as a form.
    if (request.media_type() == "application/x-www-form-urlencoded" && !request.body_too_large) {
      form.fields = parse_form(request.body, true);
    }
    // A client may add its correlation id in the body as well (MSAL does).
    if (form.correlation_id.empty() && form.find("client-request-id") != nullptr) {
      form.correlation_id = *form.find("client-request-id");
    }
    const std::string grant = form.need("grant_type");  // a copy: fields may grow below
    const std::string authorization = request.headers.get("Authorization");
    if (starts_with_ignoring_case(authorization, "Basic ")) {
      const auto pair = base64_decode(trim(std::string_view(authorization).substr(6)));
      const auto colon = pair ? pair->find(':') : std::string::npos;
      if (colon == std::string::npos)
        throw Refusal{400, "invalid_request", 9002313, "Invalid request. Request is malformed or invalid."};
      form.basic = true;
      form.fields.emplace_back("client_id", percent_decode(pair->substr(0, colon), true));
      form.fields.emplace_back("client_secret", percent_decode(pair->substr(colon + 1), true));
    }
    const bool shared_endpoint =
        equal_ignoring_case(tenant_name, "common") || equal_ignoring_case(tenant_name, "consumers");
    const bool organizations = equal_ignoring_case(tenant_name, "organizations");
    if (grant != "client_credentials" && grant != "password" && grant != "refresh_token") {
      throw Refusal{400, "unsupported_grant_type", 70003,
                    "The app requested an unsupported grant type '" + grant + "'."};
    }
    if (shared_endpoint && grant != "refresh_token") {
      throw Refusal{400, "invalid_request", 9001023,
                    "The grant type is not supported over the /common or /consumers endpoints. Please use the "
                    "/organizations or tenant-specific endpoint."};
    }
    if (organizations && grant == "client_credentials") {
      throw Refusal{
          400, "invalid_request", 50059,
          "No tenant-identifying information found in either the request or implied by any provided credentials."};
    }
    std::string tenant_key = tenant_name;
    if (organizations || shared_endpoint) {
      if (grant == "password") {
        const std::string& user = form.need("username");
        const auto at = user.rfind('@');
        tenant_key = at == std::string::npos ? user : user.substr(at + 1);
      }
      if (grant == "refresh_token") {
        const std::lock_guard lock(mutex_);
        const auto known = refresh_tokens_.find(form.need("refresh_token"));
        tenant_key = known == refresh_tokens_.end() ? std::string() : known->second.tenant;
      }
    } else if (!is_tenant_name(tenant_name)) {
      throw Refusal{400, "invalid_request", 900023,
                    "Specified tenant identifier '" + tenant_name +
                        "' is neither a valid DNS name, nor a valid external domain."};
    }
    const auto tenant = directory_.tenant(tenant_key);
    if (!tenant) {
      throw Refusal{
          400, "invalid_request", 90002,
          "Tenant '" + tenant_key +
              "' not found. Check to make sure you have the correct tenant ID and are "
              "signing into the correct cloud. Check with your subscription administrator, this may happen if "
              "there are no active subscriptions for the tenant."};
    }
    const std::string& client_id = form.need("client_id");
    const auto app = directory_.app(tenant->id, client_id);
    if (!app) {
      throw Refusal{400, "unauthorized_client", 700016,
                    "Application with identifier '" + client_id + "' was not found in the directory '" + tenant->name +
                        "'. This can happen if the application has not been installed by the administrator of the "
                        "tenant or consented to by any user in the tenant. You may have sent your authentication "
                        "request to the wrong tenant."};
    }
    if (!app->enabled) {
      throw Refusal{400, "unauthorized_client", 7000112,
                    "Application '" + app->client_id + "'(" + app->name + ") is disabled."};
    }
    if (grant == "client_credentials") return client_credentials(*tenant, *app, form);
    if (grant == "password") return password(*tenant, *app, form);
    return refresh(*tenant, *app, form);
  } catch (const Refusal& refusal) {
    return error(form, refusal.status, refusal.error, refusal.code, refusal.text, refusal.suberror);
  }
}

// The secret of a confidential client; throws a Refusal.
void Entra::check_client(const Tenant&, const App& app, const Form& form) const {
  const std::string* secret = form.find("client_secret");
  const std::string* assertion = form.find("client_assertion");
  if (app.public_client) {
    if (secret != nullptr || assertion != nullptr) {
      throw Refusal{401, "invalid_client", 700025,
                    "Client is public so neither 'client_assertion' nor 'client_secret' should be presented."};
    }
    return;
  }
  if (assertion != nullptr && secret == nullptr) {
    throw Refusal{
        401, "invalid_client", 700027,
        "The certificate with identifier used to sign the client assertion is not registered on application."};
  }
  if (secret == nullptr) {
    throw Refusal{401, "invalid_client", 7000218,
                  "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."};
  }
  const Secret* match = nullptr;
  for (const auto& known : app.secrets) {
    if (same_secret(known.value, *secret) && (match == nullptr || !match->expires)) match = &known;
  }
  if (match == nullptr) {
    throw Refusal{401, "invalid_client", 7000215,
                  "Invalid client secret provided. Ensure the secret being sent in the request is the client secret "
                  "value, not the client secret ID, for a secret added to app '" +
                      app.client_id + "'."};
  }
  if (match->expires && *match->expires <= clock_.now()) {
    throw Refusal{401, "invalid_client", 7000222,
                  "The provided client secret keys for app '" + app.client_id +
                      "' are expired. Visit the Azure portal to create new keys for your app: "
                      "https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: "
                      "https://aka.ms/certCreds."};
  }
}

// The resource's audience; throws a Refusal for one that is not ours.
std::string Entra::check_resource(const Tenant& tenant, const Form&, std::string_view resource) const {
  if (accepts_audience(resource)) return std::string(resource);
  throw Refusal{400, "invalid_resource", 500011,
                "The resource principal named " + std::string(resource) + " was not found in the tenant named " +
                    tenant.name +
                    ". This can happen if the application has not been installed by the administrator of "
                    "the tenant or consented to by any user in the tenant. You might have sent your authentication "
                    "request to the wrong tenant."};
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

HttpResponse Entra::client_credentials(const Tenant& tenant, const App& app, const Form& form) {
  const std::vector<std::string> scopes = words(form.need("scope"));
  check_client(tenant, app, form);
  if (app.public_client) {
    throw Refusal{401, "invalid_client", 7000218,
                  "The request body must contain the following parameter: 'client_assertion' or 'client_secret'."};
  }
  // Section 7: exactly one scope, ending in /.default; a doubly encoded one does not.
  const auto [resource, permission] =
      scopes.size() == 1 ? split_scope(scopes.front()) : std::pair<std::string, std::string>();
  if (permission != ".default") {
    throw Refusal{400, "invalid_scope", 1002012,
                  "The provided value for scope " + form.need("scope") +
                      " is not valid. Client credential flows must have a scope value with /.default suffixed to the "
                      "resource identifier (application ID URI)."};
  }
  TokenClaims claims;
  claims.tenant = tenant.id;
  claims.client_id = app.client_id;
  claims.audience = check_resource(tenant, form, resource);
  claims.permissions = app.roles;  // section 2: issued even when nothing is granted
  int life = 0;
  {
    const std::lock_guard lock(mutex_);
    life = token_life_;
  }
  return json_response(200, Json::Object{{"token_type", "Bearer"},
                                         {"expires_in", life},
                                         {"ext_expires_in", life},
                                         {"access_token", issue(std::move(claims), app, nullptr, life)}});
}

HttpResponse Entra::password(const Tenant& tenant, const App& app, const Form& form) {
  const std::string& name = form.need("username");
  const std::string& secret = form.need("password");
  form.need("scope");
  check_client(tenant, app, form);
  const auto user = directory_.user(tenant.id, name);
  if (!user) {
    throw Refusal{400, "invalid_grant", 50034,
                  "The user account " + name + " does not exist in the " + tenant.name +
                      " directory. To sign into this application, the account must be added to the directory."};
  }
  {
    const std::lock_guard lock(mutex_);
    auto& failures = failures_[user->id];
    if (failures.locked_until > clock_.now()) {
      throw Refusal{
          400, "invalid_grant", 50053,
          "The account is locked, you've tried to sign in too many times with an incorrect user ID or password."};
    }
    // A disabled account is told only to somebody who knows the password, or where there is none (a shared mailbox).
    const bool right = !user->password.empty() && same_secret(user->password, secret);
    if (!right && !(user->password.empty() && !user->enabled)) {
      if (++failures.count >= kFailuresBeforeLock) {
        failures.count = 0;
        failures.locked_until = clock_.now() + kLock;
      }
      throw Refusal{400, "invalid_grant", 50126, "Error validating credentials due to invalid username or password."};
    }
    failures.count = 0;
  }
  if (!user->enabled) throw Refusal{400, "invalid_grant", 50057, "The user account is disabled."};
  if (user->mfa) {
    throw Refusal{400, "invalid_grant", 50076,
                  "Due to a configuration change made by your administrator, or because you moved to a new location, "
                  "you must use multi-factor authentication to access '" +
                      std::string(kGraphId) + "'.",
                  "basic_action"};
  }
  return user_token(tenant, app, *user, form);
}

HttpResponse Entra::refresh(const Tenant& tenant, const App& app, const Form& form) {
  const std::string& presented = form.need("refresh_token");
  check_client(tenant, app, form);
  Refresh known;
  {
    const std::lock_guard lock(mutex_);
    const auto found = refresh_tokens_.find(presented);
    if (found == refresh_tokens_.end() || found->second.client_id != app.client_id ||
        found->second.tenant != tenant.id) {
      throw Refusal{400, "invalid_grant", 70000, "Provided grant is invalid or malformed.", "bad_token"};
    }
    known = found->second;
  }
  const auto user = directory_.user(tenant.id, known.user_id);
  if (!user) throw Refusal{400, "invalid_grant", 50034, "The user account does not exist in the directory."};
  if (!user->enabled) throw Refusal{400, "invalid_grant", 50057, "The user account is disabled."};
  if (user->password_version != known.password_version) {
    throw Refusal{
        400, "invalid_grant", 50173,
        "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might "
        "have changed or reset their password.",
        "bad_token"};
  }
  if (known.expires <= clock_.now()) {
    throw Refusal{400, "invalid_grant", 700082, "The refresh token has expired due to inactivity.", "token_expired"};
  }
  if (user->mfa) {
    throw Refusal{400, "invalid_grant", 50076,
                  "You must use multi-factor authentication to access '" + std::string(kGraphId) + "'.",
                  "basic_action"};
  }
  return user_token(tenant, app, *user, form);
}

HttpResponse Entra::user_token(const Tenant& tenant, const App& app, const User& user, const Form& form) {
  const std::string* scope = form.find("scope");
  TokenClaims claims;
  bool offline = scope == nullptr;  // a refresh without scope keeps what it had
  bool openid = false;
  std::string prefix;  // of a resource that is not Graph's public name, in front of each scope that is granted
  std::vector<std::string> told;
  for (const auto& word :
       scope != nullptr ? words(*scope) : std::vector<std::string>{"https://graph.microsoft.com/.default"}) {
    offline = offline || word == "offline_access";
    openid = openid || word == "openid";
    if (is_openid_scope(word)) {
      if (word != "offline_access") told.push_back(word);
      continue;
    }
    const auto [resource, permission] = split_scope(word);
    if (permission.empty()) {
      throw Refusal{
          400, "invalid_scope", 70011,
          "The provided value for the input parameter 'scope' is not valid. The scope " + word + " is not valid."};
    }
    const std::string audience =
        check_resource(tenant, form, resource.empty() ? "https://graph.microsoft.com" : resource);
    if (!claims.audience.empty() && !equal_ignoring_case(claims.audience, audience)) {
      throw Refusal{400, "invalid_request", 700022,
                    "The provided value for the input parameter 'scope' is not valid because it contains more than one "
                    "resource."};
    }
    claims.audience = audience;
    if (!resource.empty() && !equal_ignoring_case(resource, "https://graph.microsoft.com")) prefix = resource + "/";
    if (permission == ".default") {
      claims.permissions.insert(app.scopes.begin(), app.scopes.end());
      if (!prefix.empty()) told.push_back(prefix + permission);
    } else if (app.scopes.count(permission) != 0) {
      claims.permissions.insert(permission);
    } else {
      claims.permissions.clear();
      break;
    }
  }
  if (claims.audience.empty()) {
    throw Refusal{400, "invalid_scope", 70011,
                  "The provided request must include a 'scope' input parameter that names a resource."};
  }
  if (claims.permissions.empty()) {
    throw Refusal{400, "invalid_grant", 65001,
                  "The user or administrator has not consented to use the application with ID '" + app.client_id +
                      "' named '" + app.name +
                      "'. Send an interactive authorization request for this user and resource.",
                  "consent_required"};
  }
  claims.tenant = tenant.id;
  claims.client_id = app.client_id;
  claims.user_id = user.id;
  int life = 0;
  std::string refresh_token;
  {
    const std::lock_guard lock(mutex_);
    life = token_life_;
    if (offline) {
      // Section 6: a new one with each use; the old one is not revoked at once.
      refresh_token = "1.AV0A" + base64url_encode(random_bytes(90));
      refresh_tokens_[refresh_token] = {tenant.id, app.client_id, user.id, user.password_version,
                                        clock_.now() + kRefreshLife};
      record(refresh_token);
    }
  }
  // Bare names for Graph (section 4), with the resource for any other: MSAL finds a token in its cache by what it
  // asked.
  for (const auto& permission : claims.permissions) told.push_back(prefix + permission);
  Json body = Json::Object{
      {"token_type", "Bearer"}, {"scope", join(told, " ")}, {"expires_in", life}, {"ext_expires_in", life}};
  body.set("access_token", issue(std::move(claims), app, &user, life));
  if (!refresh_token.empty()) body.set("refresh_token", refresh_token);
  if (const std::string* wanted = form.find("client_info"); wanted != nullptr && *wanted == "1") {
    // MSAL makes its account's id of it.
    body.set("client_info", base64url_encode(Json(Json::Object{{"uid", user.id}, {"utid", tenant.id}}).dump()));
  }
  if (openid) {
    const Json header = Json::Object{{"typ", "JWT"}, {"alg", "RS256"}};
    const Json payload = Json::Object{{"aud", app.client_id},
                                      {"iss", "https://login.microsoftonline.com/" + tenant.id + "/v2.0"},
                                      {"oid", user.id},
                                      {"preferred_username", user.upn},
                                      {"name", user.display_name},
                                      {"sub", user.id},
                                      {"tid", tenant.id},
                                      {"iat", unix_seconds(clock_.now())},
                                      {"exp", unix_seconds(clock_.now()) + life},
                                      {"ver", "2.0"}};
    body.set("id_token", base64url_encode(header.dump()) + "." + base64url_encode(payload.dump()) + "." +
                             base64url_encode(random_bytes(64)));
  }
  return json_response(200, body);
}

// Looks like a JWT and can be decoded for a diagnosis; what counts is that it is known here (section 8).
std::string Entra::issue(TokenClaims claims, const App& app, const User* user, int life) {
  const auto now = clock_.now();
  claims.expires = now + std::chrono::seconds(life);
  const Json header = Json::Object{{"typ", "JWT"}, {"alg", "RS256"}, {"kid", base64url_encode(random_bytes(20))}};
  Json payload = Json::Object{{"aud", claims.audience},
                              {"iss", "https://sts.windows.net/" + claims.tenant + "/"},
                              {"iat", unix_seconds(now)},
                              {"nbf", unix_seconds(now)},
                              {"exp", unix_seconds(claims.expires)},
                              {"app_displayname", app.name},
                              {"appid", claims.client_id},
                              {"appidacr", app.public_client ? "0" : "1"},
                              {"idtyp", user != nullptr ? "user" : "app"},
                              {"oid", user != nullptr ? user->id : app.object_id},
                              {"sub", user != nullptr ? user->id : app.object_id},
                              {"tid", claims.tenant},
                              {"uti", base64url_encode(random_bytes(16))},
                              {"ver", "1.0"}};
  const std::vector<std::string> granted(claims.permissions.begin(), claims.permissions.end());
  if (user != nullptr) {
    payload.set("scp", join(granted, " "));
    payload.set("upn", user->upn);
  } else if (!granted.empty()) {
    Json::Array roles;
    for (const auto& role : granted) roles.emplace_back(role);
    payload.set("roles", std::move(roles));
  }
  std::string token = base64url_encode(header.dump()) + "." + base64url_encode(payload.dump()) + "." +
                      base64url_encode(random_bytes(256));
  const std::lock_guard lock(mutex_);
  // Long dead ones go; recently expired ones stay to be told "has expired".
  if (tokens_.size() > 10'000) {
    for (auto entry = tokens_.begin(); entry != tokens_.end();) {
      entry = entry->second->expires + std::chrono::hours(1) < now ? tokens_.erase(entry) : std::next(entry);
    }
  }
  tokens_[token] = std::make_shared<const TokenClaims>(std::move(claims));
  record(token);
  return token;
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
  return json_response(
      200,
      Json::Object{{"token_endpoint", base + "/oauth2/v2.0/token"},
                   {"token_endpoint_auth_methods_supported", Json::Array{"client_secret_post", "client_secret_basic"}},
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
