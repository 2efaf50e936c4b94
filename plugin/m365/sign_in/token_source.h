// Signing in: one token source per (authority, client, credential, user), shared by all streams that use it.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "http/pipeline.h"
#include "m365/settings/server_settings.h"
#include "mail/fault.h"

namespace m365 {

class Environment;

/// Any thread. Tokens are refreshed ahead of expiry by refresh_if_due(), which one thread of the server calls; however
/// many ask in between, one fetches and the others wait or share.
class TokenSource : public http::BearerTokens {
 public:
  /// A token good for now. While a refresh fails transiently the present one is used until it expires. After a refusal
  /// that needs an administrator the same fault is given again without asking Entra, until the credential changes or
  /// the probe is due (15 minutes; never for a refused password). Throws mail::FaultError.
  mail::Secret current(std::stop_token stop) override = 0;
  void forget(std::string_view token) override = 0;
  /// Renews when less than 5 minutes (or a tenth of a short life) are left, asks for a first token when there is none.
  /// Returns when to call again: within 10 s while wants_credential(), so that the caller looks for a new one
  /// (set_credential) that often. Does not throw.
  virtual std::chrono::milliseconds refresh_if_due(std::stop_token stop) = 0;
  /// The secret or password as it is now (a file was written anew). A changed one is tried at the next current().
  virtual void set_credential(const mail::Secret& secret, const mail::Secret& password) = 0;
  /// True after a refusal for which a new credential would help: the host is then asked for the present value.
  virtual bool wants_credential() const = 0;
  /// The last refusal, while it stands.
  virtual std::optional<mail::Fault> fault() const = 0;
  /// For a diagnosis only: the roles or scopes in the present token's payload, empty when it cannot be read.
  /// "none" when it has neither.
  virtual std::string permissions() const = 0;
};

/// The shared source for these credentials. `user` and `password` are empty with SignIn::service.
std::shared_ptr<TokenSource> token_source_for(Environment& environment, const TenantSettings& tenant,
                                              const std::string& user, const mail::Secret& password);

}  // namespace m365
