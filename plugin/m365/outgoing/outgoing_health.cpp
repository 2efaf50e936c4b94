#include "m365/outgoing/outgoing_health.h"

#include <algorithm>
#include <utility>

#include "m365/outgoing/submission_text.h"

namespace m365 {

using std::chrono::milliseconds;

OutgoingHealth::OutgoingHealth(mail::Clock& clock, TenantSettings tenant, std::function<void(const mail::Health&)> tell)
    : clock_(clock), tenant_(std::move(tenant)), tell_(std::move(tell)) {}

namespace {

// Disproved for every mailbox by one token.
bool concerns_sign_in(mail::Cause cause) {
  switch (cause) {
    case mail::Cause::secret_refused:
    case mail::Cause::secret_expired:
    case mail::Cause::tenant_unknown:
    case mail::Cause::client_unknown:
    case mail::Cause::password_refused:
    case mail::Cause::sign_in_blocked:
      return true;
    default:
      return false;
  }
}

}  // namespace

void OutgoingHealth::reset() {
  const std::lock_guard lock(mutex_);
  proven_ = false;
  sign_in_.reset();
  mailboxes_.clear();
  notice_.reset();
  told_ = {};
}

void OutgoingHealth::announce() {
  std::unique_lock lock(mutex_);
  forget_old_troubles();
  tell_changes(lock);
}

void OutgoingHealth::signed_in() {
  std::unique_lock lock(mutex_);
  proven_ = true;
  sign_in_.reset();
  std::erase_if(mailboxes_, [](const auto& entry) { return concerns_sign_in(entry.second.fault.cause); });
  last_success_ = clock_.wall();
  tell_changes(lock);
}

void OutgoingHealth::sign_in_failed(const mail::Fault& fault, milliseconds retry) {
  std::unique_lock lock(mutex_);
  sign_in_ = Trouble{fault, retry, clock_.now()};
  tell_changes(lock);
}

void OutgoingHealth::mailbox_works(const std::string& mailbox) {
  std::unique_lock lock(mutex_);
  proven_ = true;
  sign_in_.reset();
  mailboxes_.erase(lower_case(mailbox));
  last_success_ = clock_.wall();
  tell_changes(lock);
}

void OutgoingHealth::mailbox_fails(const std::string& mailbox, const mail::Fault& fault, milliseconds retry) {
  // What concerns one mail only says nothing of the server.
  if (fault.remedy == mail::Remedy::item || fault.remedy == mail::Remedy::cancelled) return;
  std::unique_lock lock(mutex_);
  mailboxes_[lower_case(mailbox)] = Trouble{fault, retry, clock_.now()};
  tell_changes(lock);
}

std::optional<mail::Fault> OutgoingHealth::review() {
  std::unique_lock lock(mutex_);
  forget_old_troubles();
  const std::optional<int> due = secret_expiry_notice(tenant_, clock_.wall());
  const bool news = due && due != notice_;
  notice_ = due;
  tell_changes(lock);
  return news ? secret_expiry_warning(tenant_, clock_.wall()) : std::nullopt;
}

void OutgoingHealth::forget_old_troubles() {
  const mail::SteadyTime now = clock_.now();
  std::erase_if(mailboxes_, [&](const auto& entry) {
    return now - entry.second.seen >= std::max<milliseconds>(trouble_lasts, entry.second.retry);
  });
}

mail::Health OutgoingHealth::of(const Trouble& trouble) const {
  mail::Health health;
  const bool lately = last_success_ != mail::WallTime{} && clock_.wall() - last_success_ < failed_after;
  health.state =
      trouble.fault.remedy == mail::Remedy::administrator && !lately ? mail::State::failed : mail::State::degraded;
  health.cause = trouble.fault.cause;
  health.text = trouble.fault.text;
  health.code = trouble.fault.code;
  health.request_id = trouble.fault.request_id;
  health.retry_after = trouble.retry;
  return health;
}

mail::Health OutgoingHealth::judge() const {
  const Trouble* worst = sign_in_ ? &*sign_in_ : nullptr;
  const auto needs_administrator = [](const Trouble& t) { return t.fault.remedy == mail::Remedy::administrator; };
  if (worst == nullptr) {
    for (const auto& [mailbox, trouble] : mailboxes_) {
      if (worst == nullptr || (needs_administrator(trouble) && !needs_administrator(*worst))) worst = &trouble;
    }
  }
  mail::Health health;
  if (worst != nullptr) {
    health = of(*worst);
  } else if (!proven_) {
    health.state = mail::State::starting;
  } else {
    health.state = mail::State::ready;
    if (const auto warning = secret_expiry_warning(tenant_, clock_.wall())) {
      health.state = mail::State::degraded;
      health.cause = warning->cause;
      health.text = warning->text;
    }
  }
  health.last_success = last_success_;
  return health;
}

// One caller tells, the others leave it their news: the host hears the changes one at a time and in order, and nobody
// waits for a slow host.
void OutgoingHealth::tell_changes(std::unique_lock<std::mutex>& lock) {
  if (telling_) return;
  telling_ = true;
  for (;;) {
    mail::Health now = judge();
    if (now.state == told_.state && now.cause == told_.cause) break;
    now.since = clock_.wall();
    told_ = now;
    lock.unlock();
    tell_(now);
    lock.lock();
  }
  telling_ = false;
}

}  // namespace m365
