// Refusals of Graph and Entra as whole answers: status, header and body. (Bodies of the token endpoint alone:
// token_answers. Retry-After alone: retry_after.)
//
// Input: a status, header lines, an empty line, the body.
#include <chrono>
#include <cstdlib>
#include <string>

#include "http/message.h"
#include "m365/graph/graph_errors.h"
#include "m365/sign_in/entra_errors.h"
#include "require.h"

namespace {

constexpr std::string_view secret = "Zq8~not-a-real-secret";

std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

http::Response read_response(std::string_view text) {
  http::Response response;
  response.status = std::atoi(std::string(take_line(text).substr(0, 6)).c_str());
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (line.empty()) break;
    const std::size_t colon = std::min(line.find(':'), line.size());
    response.headers.add(std::string(line.substr(0, colon)),
                         std::string(line.substr(std::min(colon + 1, line.size()))));
  }
  response.body = text;
  return response;
}

void require_wait(std::chrono::milliseconds wait) {
  require(wait >= std::chrono::milliseconds(0) && wait <= std::chrono::hours(1), "a wait is at most an hour");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const http::Response response = read_response(as_text(data, size));
  const mail::WallTime now = mail::WallTime(std::chrono::hours(24 * 365 * 56));
  if (const auto wait = response.retry_after(now)) require_wait(*wait);

  const m365::GraphError graph =
      m365::graph_error(response, {"support@contoso.example", "read the folder", (size & 1) != 0}, "Mail.Read", now);
  require(!graph.fault().text.empty(), "a fault has a sentence");
  require_wait(graph.fault().retry_after);

  m365::TenantSettings tenant;
  tenant.login_origin = "https://login.microsoftonline.com";
  tenant.tenant = "contoso.example";
  tenant.client_id = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b";
  m365::SignInContext context{tenant, m365::Grant::password, "support@contoso.example", {mail::Secret(secret)}};
  const m365::SignInFailure failure = m365::sign_in_failure(response, context, now);
  require(!failure.fault.text.empty(), "a fault has a sentence");
  for (const std::string* text : {&failure.fault.text, &failure.fault.code, &failure.fault.request_id}) {
    require(text->find(secret) == std::string::npos, "a secret is never repeated");
  }
  return 0;
}
