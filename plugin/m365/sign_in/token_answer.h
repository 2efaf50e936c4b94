// What the token endpoint says (entra-oauth.md, sections 2, 4, 9), decoded; and a look into a token for diagnoses.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/secret.h"

namespace m365 {

struct GrantedToken {
  mail::Secret access_token;
  mail::Secret refresh_token;  ///< empty when none came
  std::chrono::seconds life{0};
};
/// nullopt when the text is not such an answer. `expires_in` may be a number or a string; when it is missing or absurd
/// a short life is assumed. Leaves no copy of the tokens but the one it returns; `json` is the caller's to wipe.
std::optional<GrantedToken> read_granted_token(std::string_view json);

/// Every part may be missing: the body can be empty, HTML, or cut. Texts are as Entra wrote them.
struct EntraRefusal {
  std::string error, suberror, description, trace_id, correlation_id, timestamp;
  std::vector<int> codes;  ///< AADSTS numbers: of error_codes, else of the description
};
EntraRefusal read_refusal(std::string_view json);

/// The roles or scopes in a token's payload; "none" when it has neither; empty when it cannot be read. Graph's tokens
/// are opaque to clients, so this serves sentences only (section 8).
std::string permissions_in(std::string_view access_token);

}  // namespace m365
