// Which grant of which app in which tenant a request is about.
#include "m365/entra/entra.h"
#include "m365/entra/form.h"
#include "m365/mime/text.h"

namespace embedded {

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

}  // namespace embedded
