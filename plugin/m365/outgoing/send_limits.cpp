#include "m365/outgoing/send_limits.h"

#include <algorithm>
#include <cmath>

#include "m365/outgoing/submission_text.h"

namespace m365 {

using std::chrono::duration;
using std::chrono::milliseconds;

const SendLimits::Mailbox* SendLimits::find(const std::string& mailbox) const {
  const auto found = mailboxes_.find(lower_case(mailbox));
  return found == mailboxes_.end() ? nullptr : &found->second;
}

SendLimits::Mailbox& SendLimits::of(const std::string& mailbox) {
  const auto [at, fresh] = mailboxes_.try_emplace(lower_case(mailbox));
  if (fresh) at->second.filled = clock_.now();
  return at->second;
}

milliseconds SendLimits::take_send(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  Mailbox& box = of(mailbox);
  const mail::SteadyTime now = clock_.now();
  constexpr double a_second = sends_a_minute / 60.0;
  box.sends = std::min<double>(sends_a_minute, box.sends + duration<double>(now - box.filled).count() * a_second);
  box.filled = now;
  // A hair below one counts as one: waiting exactly as long as was said must be enough in spite of rounding.
  if (box.sends >= 1.0 - 1e-6) {
    box.sends = std::max(0.0, box.sends - 1.0);
    return milliseconds::zero();
  }
  return milliseconds(static_cast<milliseconds::rep>(std::ceil((1.0 - box.sends) / a_second * 1000.0)));
}

milliseconds SendLimits::limit_reached(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  Mailbox& box = of(mailbox);
  box.pause = std::clamp<milliseconds>(box.pause * 2, first_pause, longest_pause);
  box.paused_until = clock_.now() + box.pause;
  return box.pause;
}

milliseconds SendLimits::paused_for(const std::string& mailbox) const {
  const std::lock_guard lock(mutex_);
  const Mailbox* box = find(mailbox);
  if (box == nullptr) return milliseconds::zero();
  return std::max(milliseconds::zero(), std::chrono::ceil<milliseconds>(box->paused_until - clock_.now()));
}

void SendLimits::accepted(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  of(mailbox).pause = milliseconds::zero();
}

void SendLimits::refuse_drafts(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  of(mailbox).drafts_refused_until = clock_.now() + remember_refusal;
}

void SendLimits::forget_refusal(const std::string& mailbox) {
  const std::lock_guard lock(mutex_);
  of(mailbox).drafts_refused_until = {};
}

bool SendLimits::drafts_refused(const std::string& mailbox) const {
  const std::lock_guard lock(mutex_);
  const Mailbox* box = find(mailbox);
  return box != nullptr && clock_.now() < box->drafts_refused_until;
}

}  // namespace m365
