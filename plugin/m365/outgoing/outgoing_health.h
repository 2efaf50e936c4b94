// The health of an outgoing server: one state out of its sign-in and of what its mailboxes met.
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "m365/settings/server_settings.h"
#include "mail/clock.h"
#include "mail/fault.h"
#include "mail/health.h"

namespace m365 {

/// Any thread. `tell` is called on the caller's thread, never two calls at a time, in the order of the changes.
class OutgoingHealth {
 public:
  /// A trouble of one mailbox is forgotten when it sends again, or when nothing was tried for this long.
  static constexpr std::chrono::hours trouble_lasts{1};
  /// FAILED only after this long without one success: policies are cached (architecture, section 5).
  static constexpr std::chrono::minutes failed_after{30};

  OutgoingHealth(mail::Clock& clock, TenantSettings tenant, std::function<void(const mail::Health&)> tell);

  void reset();     ///< before start(): nothing is known; tells nothing
  void announce();  ///< tells where it stands, if that is news
  void signed_in();
  void sign_in_failed(const mail::Fault& fault, std::chrono::milliseconds retry);
  void mailbox_works(const std::string& mailbox);
  void mailbox_fails(const std::string& mailbox, const mail::Fault& fault, std::chrono::milliseconds retry);
  /// Time has passed: troubles end, a secret comes near its end. Returns the notice that became due with this call.
  std::optional<mail::Fault> review();

 private:
  struct Trouble {
    mail::Fault fault;
    std::chrono::milliseconds retry{0};
    mail::SteadyTime seen{};
  };

  void forget_old_troubles();                     // mutex_ held
  mail::Health judge() const;                     // mutex_ held
  mail::Health of(const Trouble& trouble) const;  // mutex_ held
  void tell_changes(std::unique_lock<std::mutex>& lock);

  mail::Clock& clock_;
  const TenantSettings tenant_;
  const std::function<void(const mail::Health&)> tell_;
  std::mutex mutex_;
  // Everything below is guarded by mutex_.
  bool proven_ = false;  ///< signed in once since reset()
  std::optional<Trouble> sign_in_;
  std::map<std::string, Trouble> mailboxes_;
  std::optional<int> notice_;  ///< the last secret_expires notice that was returned
  mail::WallTime last_success_{};
  mail::Health told_;
  bool telling_ = false;
};

}  // namespace m365
