// What Entra's token endpoint answers: tokens, refusals, and what is neither. The whole input is the body; its size
// chooses the status and who signs in, so that each body is read in every way as inputs vary.
#include <array>
#include <string>

#include "http/message.h"
#include "m365/sign_in/entra_errors.h"
#include "m365/sign_in/token_answer.h"
#include "require.h"

namespace {

constexpr std::string_view secret = "Zq8~not-a-real-secret";
constexpr std::array<int, 8> statuses = {200, 302, 400, 401, 403, 429, 500, 503};
constexpr std::array<m365::Grant, 3> grants = {m365::Grant::client_credentials, m365::Grant::password,
                                               m365::Grant::refresh_token};

bool one_line(const std::string& text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  http::Response response;
  response.body = as_text(data, size);
  if (const auto token = m365::read_granted_token(response.body)) {
    require(!token->access_token.empty(), "a token is not empty");
    for (const char c : token->access_token.view())
      require(static_cast<unsigned char>(c) > ' ' && c != 0x7f, "a token cannot end a header's line");
    require(token->life >= std::chrono::seconds(1) && token->life <= std::chrono::days(7), "a token lives a while");
    m365::permissions_in(token->access_token);
  }
  m365::permissions_in(response.body);
  const m365::EntraRefusal refusal = m365::read_refusal(response.body);
  for (const int code : refusal.codes) require(code > 0 && code < 1'000'000'000, "a code is a number of Entra's");

  response.status = statuses[size % statuses.size()];
  m365::TenantSettings tenant;
  tenant.login_origin = "https://login.microsoftonline.com";
  tenant.tenant = "contoso.example";
  tenant.client_id = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b";
  tenant.secret = secret;
  for (const m365::Grant grant : grants) {
    const m365::SignInContext context{tenant, grant, "support@contoso.example", {mail::Secret(secret)}};
    const m365::SignInFailure failure =
        m365::sign_in_failure(response, context, mail::WallTime(std::chrono::hours(24 * 365 * 56)));
    require(!failure.fault.text.empty(), "a fault has a sentence");
    for (const std::string* text : {&failure.fault.text, &failure.fault.code, &failure.fault.request_id}) {
      require(text->find(secret) == std::string::npos, "a secret is never repeated");
      require(one_line(*text), "a sentence is one line");
    }
    require(!failure.remember || grant == m365::Grant::password, "only a password is remembered as refused");
  }
  return 0;
}
