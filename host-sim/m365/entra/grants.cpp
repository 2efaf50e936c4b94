// The grants: who may have a token, and what stands in it.
#include <algorithm>

#include "m365/entra/entra.h"
#include "m365/entra/form.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

// Smart lock-out (entra-oauth.md section 4): ten failures, then a minute.
constexpr int kFailuresBeforeLock = 10;
constexpr std::chrono::seconds kLock{60};
constexpr std::chrono::hours kRefreshLife{24 * 90};

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
  return entra_json(200, Json::Object{{"token_type", "Bearer"},
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
  return entra_json(200, body);
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

}  // namespace embedded
