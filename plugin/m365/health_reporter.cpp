#include "m365/health_reporter.h"

#include <utility>

namespace m365 {
namespace {

constexpr std::chrono::hours policies_cached{2};
constexpr std::chrono::minutes patience{30};

bool forbidden(mail::Cause cause) {
  return cause == mail::Cause::mailbox_forbidden || cause == mail::Cause::consent_missing;
}

}  // namespace

void HealthReporter::starting(mail::WallTime now) {
  std::unique_lock lock(mutex_);
  if (begun_) return;
  begun_ = true;
  told_ = {};
  told_.state = mail::State::starting;
  told_.since = now;
  told_.last_success = last_success_;
  untold_.push_back(told_);
  tell(lock);
}

void HealthReporter::forget() {
  const std::lock_guard lock(mutex_);
  begun_ = false;
  untold_.clear();
  troubles_ = {};
  told_ = {};
}

void HealthReporter::success(mail::WallTime now) {
  std::unique_lock lock(mutex_);
  last_success_ = now;
  troubles_[static_cast<std::size_t>(Aspect::fetching)].reset();
  tell_change(lock, now);
}

void HealthReporter::trouble(Aspect aspect, const mail::Fault& fault, std::chrono::milliseconds again,
                             mail::WallTime now) {
  set(aspect, fault, again, now, true);
}

void HealthReporter::degraded(Aspect aspect, const mail::Fault& fault, std::chrono::milliseconds again,
                              mail::WallTime now) {
  set(aspect, fault, again, now, false);
}

void HealthReporter::set(Aspect aspect, const mail::Fault& fault, std::chrono::milliseconds again, mail::WallTime now,
                         bool may_fail) {
  if (fault.remedy == mail::Remedy::cancelled) return;
  std::unique_lock lock(mutex_);
  std::optional<Trouble>& slot = troubles_[static_cast<std::size_t>(aspect)];
  const mail::WallTime since = slot ? slot->since : now;
  Trouble trouble{mail::State::degraded, fault, again, since};
  if (may_fail && fault.remedy == mail::Remedy::administrator) {
    const bool was_good = last_success_ != mail::WallTime{} && now - last_success_ < policies_cached;
    const bool may_heal = forbidden(fault.cause) && was_good && now - since < patience;
    if (!may_heal) trouble.state = mail::State::failed;
  }
  slot = std::move(trouble);
  tell_change(lock, now);
}

void HealthReporter::clear(Aspect aspect, mail::WallTime now) {
  std::unique_lock lock(mutex_);
  std::optional<Trouble>& slot = troubles_[static_cast<std::size_t>(aspect)];
  if (!slot) return;
  slot.reset();
  tell_change(lock, now);
}

bool HealthReporter::troubled(Aspect aspect) const {
  const std::lock_guard lock(mutex_);
  return troubles_[static_cast<std::size_t>(aspect)].has_value();
}

mail::State HealthReporter::state() const {
  const std::lock_guard lock(mutex_);
  return told_.state;
}

void HealthReporter::tell_change(std::unique_lock<std::mutex>& lock, mail::WallTime now) {
  const Trouble* worst = nullptr;
  for (const std::optional<Trouble>& trouble : troubles_) {
    if (trouble && (worst == nullptr || trouble->state > worst->state)) worst = &*trouble;
  }
  // Nothing succeeded yet: a trouble that went away leaves the mailbox where it was, starting.
  const mail::State good = last_success_ == mail::WallTime{} ? mail::State::starting : mail::State::ready;
  const mail::State state = worst != nullptr ? worst->state : good;
  const mail::Cause cause = worst != nullptr ? worst->fault.cause : mail::Cause::none;
  if (state == told_.state && cause == told_.cause) return;
  told_ = {};
  told_.state = state;
  told_.cause = cause;
  told_.since = now;
  told_.last_success = last_success_;
  if (worst != nullptr) {
    told_.text = worst->fault.text;
    told_.code = worst->fault.code;
    told_.request_id = worst->fault.request_id;
    told_.retry_after = worst->again;
  }
  untold_.push_back(told_);
  tell(lock);
}

void HealthReporter::tell(std::unique_lock<std::mutex>& lock) {
  if (std::exchange(telling_, true)) return;
  while (!untold_.empty()) {
    const mail::Health news = std::move(untold_.front());
    untold_.pop_front();
    lock.unlock();
    tell_(news);
    lock.lock();
  }
  telling_ = false;
}

}  // namespace m365
