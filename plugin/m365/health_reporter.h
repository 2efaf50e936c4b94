// The health of one mailbox or of the server: troubles come and go, only changes are told.
#pragma once

#include <array>
#include <chrono>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>

#include "mail/fault.h"
#include "mail/health.h"

namespace m365 {

/// Where a trouble comes from; each can have one at a time. In this order they are shown when equally bad. `feed`: mail
/// comes, but not by the way it should.
enum class Aspect : std::size_t { fetching, feed, notice, marking };

/// Any thread; the listener is called on the caller's thread, one call at a time, in the order of the changes.
class HealthReporter {
 public:
  explicit HealthReporter(std::function<void(const mail::Health&)> tell) : tell_(std::move(tell)) {}

  void starting(mail::WallTime now);
  /// Back to what it was before start(), without telling: after a stop nothing is told.
  void forget();
  /// The service answered. Ends a trouble of fetching.
  void success(mail::WallTime now);
  /// `again`: the time until the next try by itself, 0 when none is planned. FAILED where an administrator must act
  /// (Remedy::administrator), else DEGRADED; a 403 within 2 h of a success is DEGRADED and becomes FAILED only after
  /// 30 minutes without one success, because the service caches its policies (exchange-admin.md, section 8).
  void trouble(Aspect aspect, const mail::Fault& fault, std::chrono::milliseconds again, mail::WallTime now);
  /// Never worse than DEGRADED.
  void degraded(Aspect aspect, const mail::Fault& fault, std::chrono::milliseconds again, mail::WallTime now);
  void clear(Aspect aspect, mail::WallTime now);
  bool troubled(Aspect aspect) const;
  mail::State state() const;

 private:
  struct Trouble {
    mail::State state = mail::State::degraded;
    mail::Fault fault;
    std::chrono::milliseconds again{0};
    mail::WallTime since{};
  };

  void set(Aspect aspect, const mail::Fault& fault, std::chrono::milliseconds again, mail::WallTime now, bool may_fail);
  void tell_change(std::unique_lock<std::mutex>& lock, mail::WallTime now);

  void tell(std::unique_lock<std::mutex>& lock);

  const std::function<void(const mail::Health&)> tell_;  ///< throws nothing
  // Not held while the host is told: a host that is slow to listen holds back nobody who has news for others. One
  // thread tells at a time, in order; who comes meanwhile leaves its news in untold_ and goes on.
  mutable std::mutex mutex_;
  // Everything below is guarded by mutex_.
  std::array<std::optional<Trouble>, 4> troubles_;
  mail::Health told_;
  mail::WallTime last_success_{};
  bool begun_ = false;
  std::deque<mail::Health> untold_;
  bool telling_ = false;
};

}  // namespace m365
