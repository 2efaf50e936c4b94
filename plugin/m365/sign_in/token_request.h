// The forms that go to the token endpoint (entra-oauth.md, sections 2, 4 and 6), and how they show themselves in a log.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "m365/settings/server_settings.h"
#include "mail/secret.h"

namespace m365 {

enum class Grant { client_credentials, password, refresh_token };

class TokenRequest {
 public:
  static TokenRequest client_credentials(const TenantSettings& tenant, std::string_view secret);
  /// The secret is sent only when there is one: public apps must not send any, confidential ones must (section 4).
  static TokenRequest password(const TenantSettings& tenant, std::string_view secret, std::string_view user,
                               std::string_view password);
  static TokenRequest refresh(const TenantSettings& tenant, std::string_view secret, std::string_view refresh_token);

  Grant grant() const { return grant_; }
  /// application/x-www-form-urlencoded, every value percent-encoded: a raw "+" would arrive as a blank. The caller's to
  /// wipe (http::Request::confidential).
  std::string for_wire() const;
  /// The same with "{secret}" for what must not be seen.
  std::string for_trace() const;

 private:
  struct Parameter {
    std::string name;
    mail::Secret value;
    bool secret;
  };
  TokenRequest(Grant grant, const TenantSettings& tenant, std::string_view secret);
  void add(std::string_view name, std::string_view value, bool secret = false);

  Grant grant_;
  std::vector<Parameter> parameters_;
};

}  // namespace m365
