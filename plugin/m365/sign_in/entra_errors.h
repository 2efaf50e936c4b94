// Entra's refusals turned into faults: what happened, where, and what the administrator has to do
// (entra-oauth.md, sections 9 and 10).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "http/message.h"
#include "http/transport.h"
#include "m365/settings/server_settings.h"
#include "m365/sign_in/token_answer.h"
#include "m365/sign_in/token_request.h"
#include "mail/fault.h"
#include "mail/secret.h"

namespace m365 {

/// When the same may be asked again.
enum class Retry {
  soon,           ///< transient: back off
  slow,           ///< transient, but asking again soon makes it worse: 10 minutes
  probe,          ///< the configuration has to change: every 15 minutes, so that a repaired one heals by itself
  locked,         ///< the account is locked: 10 minutes, then longer
  sign_in_again,  ///< the refresh token is void: the password, once
  never,          ///< a wrong password: each further try counts towards a lock-out
};

/// The table of section 10, as data.
struct EntraCode {
  int code;
  mail::Cause cause;
  Retry retry;
  bool credential;          ///< a new secret or password would help
  std::string_view advice;  ///< what to do
};
const EntraCode* find_entra_code(int code);  ///< nullptr when not in the table

/// Who signed in, for the sentence.
struct SignInContext {
  const TenantSettings& tenant;
  Grant grant = Grant::client_credentials;
  std::string user;                   ///< of OAuth User
  std::vector<mail::Secret> secrets;  ///< never to be repeated, also when the answer does
};

struct SignInFailure {
  mail::Fault fault;
  Retry retry = Retry::soon;
  bool credential = false;
  bool password_sent = false;
  bool remember = false;          ///< this password is wrong beyond doubt: also after a restart
  bool resource_refused = false;  ///< what the scope names is not known there
};

/// For every answer that is not a token.
SignInFailure sign_in_failure(const http::Response& response, const SignInContext& context, mail::WallTime now);
/// For a failure below HTTP.
SignInFailure sign_in_failure(const http::TransportError& error, const SignInContext& context);
/// The password was refused before and has not changed since: nothing was sent.
SignInFailure password_known_as_refused(const SignInContext& context);

}  // namespace m365
