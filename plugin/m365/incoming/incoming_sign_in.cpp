#include "m365/incoming/incoming_sign_in.h"

#include <algorithm>
#include <optional>
#include <string>

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Level;

constexpr std::chrono::milliseconds look_for_repair = 3s, longest_wait = 60min;

std::optional<mail::Secret> read_secret(IncomingCore& core, mail::MailboxId mailbox, std::string_view key) {
  std::optional<mail::Secret> value;
  core.in_host(nullptr, [&] { value = core.listener.read_secret(mailbox, key); });
  return value;
}

// True when the host has another credential than the one that was refused.
bool take_repair(IncomingCore& core, Account& account, TokenSource& tokens) {
  mail::Secret secret, password;
  mail::MailboxId mailbox = 0;
  {
    const std::lock_guard lock(account.mutex);
    secret = account.secret;
    password = account.password;
    mailbox = account.mailbox;
  }
  const mail::Secret old_secret = secret, old_password = password;
  if (const auto value = read_secret(core, 0, "secret")) secret = *value;
  if (core.settings.tenant.sign_in == SignIn::user) {
    if (const auto value = read_secret(core, mailbox, "email_password")) password = *value;
  }
  if (secret == old_secret && password == old_password) return false;
  {
    const std::lock_guard lock(account.mutex);
    account.secret = secret;
    account.password = password;
  }
  tokens.set_credential(secret, password);
  core.note(Level::info, "the host has a new credential; signing in again");
  return true;
}

}  // namespace

std::chrono::milliseconds keep_signed_in(IncomingCore& core, Account& account, std::stop_token stop, bool& repaired) {
  core.health.starting(core.wall());
  repaired = false;
  try {
    TokenSource& tokens = core.graph(account).tokens();
    const bool was_refused = tokens.fault().has_value();
    bool changed = false;
    if (tokens.wants_credential()) changed = take_repair(core, account, tokens);
    std::optional<mail::Fault> fault;
    try {
      tokens.current(stop);  // the first token is fetched here, once, while the streams wait for it
    } catch (const mail::FaultError& error) {
      if (error.fault().remedy == mail::Remedy::cancelled) return longest_wait;
      fault = error.fault();
    }
    repaired = (changed || was_refused) && !fault;
    {
      const std::lock_guard lock(account.mutex);
      account.fault = fault;
    }
    std::chrono::milliseconds wait =
        std::clamp<std::chrono::milliseconds>(tokens.refresh_if_due(stop), 1s, longest_wait);
    if (fault || tokens.wants_credential()) wait = std::min(wait, look_for_repair);
    return wait;
  } catch (const mail::FaultError& error) {
    const std::lock_guard lock(account.mutex);
    account.fault = error.fault();
    return 10s;
  }
}

void show_server_health(IncomingCore& core, const std::vector<std::shared_ptr<Account>>& accounts) {
  std::optional<mail::Fault> worst;
  std::size_t failed = 0;
  bool worked = false;
  for (const std::shared_ptr<Account>& account : accounts) {
    const std::lock_guard lock(account->mutex);
    worked = worked || account->worked;
    if (!account->fault) continue;
    ++failed;
    if (!worst || (account->fault->remedy == mail::Remedy::administrator)) worst = account->fault;
  }
  const mail::WallTime now = core.wall();
  if (worst && failed == accounts.size()) {
    core.health.trouble(Aspect::fetching, *worst, look_for_repair, now);
  } else if (worst) {
    core.health.degraded(Aspect::fetching, *worst, look_for_repair, now);
  } else if (worked) {
    core.health.success(now);
  }
  if (const auto warning = secret_expiry_warning(core.settings.tenant, now)) {
    core.health.degraded(Aspect::notice, *warning, {}, now);
  } else {
    core.health.clear(Aspect::notice, now);
  }
}

}  // namespace m365
