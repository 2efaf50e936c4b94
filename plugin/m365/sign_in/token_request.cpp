#include "m365/sign_in/token_request.h"

#include "http/message.h"

namespace m365 {
namespace {

const char* grant_type(Grant grant) {
  switch (grant) {
    case Grant::password:
      return "password";
    case Grant::refresh_token:
      return "refresh_token";
    case Grant::client_credentials:
      break;
  }
  return "client_credentials";
}

}  // namespace

TokenRequest::TokenRequest(Grant grant, const TenantSettings& tenant, std::string_view secret) : grant_(grant) {
  add("grant_type", grant_type(grant));
  add("client_id", tenant.client_id);
  // ".default": everything that was granted to the app. A refresh token comes only with offline_access (section 7).
  add("scope", tenant.graph_origin + "/.default" + (grant == Grant::client_credentials ? "" : " offline_access"));
  if (!secret.empty()) add("client_secret", secret, true);
}

TokenRequest TokenRequest::client_credentials(const TenantSettings& tenant, std::string_view secret) {
  return TokenRequest(Grant::client_credentials, tenant, secret);
}

TokenRequest TokenRequest::password(const TenantSettings& tenant, std::string_view secret, std::string_view user,
                                    std::string_view password) {
  TokenRequest request(Grant::password, tenant, secret);
  request.add("username", user);
  request.add("password", password, true);
  return request;
}

TokenRequest TokenRequest::refresh(const TenantSettings& tenant, std::string_view secret,
                                   std::string_view refresh_token) {
  TokenRequest request(Grant::refresh_token, tenant, secret);
  request.add("refresh_token", refresh_token, true);
  return request;
}

void TokenRequest::add(std::string_view name, std::string_view value, bool secret) {
  parameters_.push_back({std::string(name), mail::Secret(value), secret});
}

std::string TokenRequest::for_wire() const {
  std::string body;
  std::size_t size = 0;
  for (const Parameter& parameter : parameters_) size += parameter.name.size() + 3 * parameter.value.size() + 2;
  body.reserve(size);  // it does not move, which would leave a copy behind
  for (const Parameter& parameter : parameters_) {
    if (!body.empty()) body += '&';
    body.append(parameter.name).append("=");
    http::percent_encode(parameter.value, body);
  }
  return body;
}

std::string TokenRequest::for_trace() const {
  std::string text;
  for (const Parameter& parameter : parameters_) {
    if (!text.empty()) text += '&';
    text.append(parameter.name).append("=").append(parameter.secret ? "{secret}" : parameter.value.view());
  }
  return text;
}

}  // namespace m365
