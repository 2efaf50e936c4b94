// Entra ID's v2.0 endpoints: token, discovery, home realm. Follows entra-oauth.md.
#ifndef HOST_SIM_M365_ENTRA_H_
#define HOST_SIM_M365_ENTRA_H_

#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "m365/json.h"
#include "m365/server/clock.h"
#include "m365/server/http.h"
#include "m365/world/directory.h"

namespace embedded {

// What an access token stands for.
struct TokenClaims {
  std::string tenant;  // GUID
  std::string client_id;
  std::string user_id;  // object id; empty for an app-only token
  std::string audience;
  std::set<std::string> permissions;  // roles, or scopes of a user token
  Time expires;
};

class Entra {
 public:
  Entra(const Clock& clock, const Directory& directory) : clock_(clock), directory_(directory) {}

  // The origin under which login and Graph are reached; also the resource name of Graph here.
  void set_origin(std::string origin);
  // Seconds; default 3599. A token carries the life it was given at birth.
  void set_token_life(int seconds);

  // Is this one of Entra's paths? (/{tenant}/oauth2/..., /{tenant}/v2.0/.well-known/..., /common/...)
  static bool owns(std::string_view path);
  HttpResponse handle(const HttpRequest& request);

  // nullptr when never issued. Expired ones are still known, so that the refusal can say so.
  std::shared_ptr<const TokenClaims> find(const std::string& access_token) const;
  bool accepts_audience(std::string_view audience) const;
  // Every token in use becomes void, as after a revocation.
  void revoke_all();
  void unlock_all();
  // Every access and refresh token given out, the last 10,000: what a test must find nowhere else.
  std::vector<std::string> issued() const;

 private:
  struct Form;
  struct Refresh {
    std::string tenant, client_id, user_id;
    std::uint64_t password_version = 0;
    Time expires;
  };
  struct Failures {
    int count = 0;
    Time locked_until{};
  };

  HttpResponse token(const HttpRequest& request, const std::string& tenant_name);
  HttpResponse client_credentials(const Tenant& tenant, const App& app, const Form& form);
  HttpResponse password(const Tenant& tenant, const App& app, const Form& form);
  HttpResponse refresh(const Tenant& tenant, const App& app, const Form& form);
  HttpResponse user_token(const Tenant& tenant, const App& app, const User& user, const Form& form);
  HttpResponse discovery(const std::string& tenant_name) const;
  HttpResponse error(const Form& form, int status, std::string_view name, int code, const std::string& text,
                     std::string_view suberror = {}) const;
  void check_client(const Tenant& tenant, const App& app, const Form& form) const;
  std::string check_resource(const Tenant& tenant, const Form& form, std::string_view resource) const;
  std::string issue(TokenClaims claims, const App& app, const User* user, int life);
  void record(const std::string& token);  // mutex_ held

  const Clock& clock_;
  const Directory& directory_;

  mutable std::mutex mutex_;
  // Guarded by mutex_:
  std::string origin_;
  int token_life_ = 3599;
  std::unordered_map<std::string, std::shared_ptr<const TokenClaims>> tokens_;
  std::unordered_map<std::string, Refresh> refresh_tokens_;
  std::deque<std::string> issued_;
  std::map<std::string, Failures> failures_;  // by user id
};

}  // namespace embedded

#endif  // HOST_SIM_M365_ENTRA_H_
