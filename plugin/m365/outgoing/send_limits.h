// How fast and how long a mailbox may send (graph-mail.md, section 18), and whether it may hold drafts.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include "mail/clock.h"

namespace m365 {

/// Any thread. Mailboxes are compared without case.
class SendLimits {
 public:
  static constexpr unsigned sends_a_minute = 30;            ///< Exchange delays the excess without an error
  static constexpr std::chrono::hours first_pause{1};       ///< after the daily limit; doubled each time
  static constexpr std::chrono::hours longest_pause{24};    ///< the limits are of a rolling day
  static constexpr std::chrono::hours remember_refusal{1};  ///< of drafts: consent can be given at any time

  explicit SendLimits(mail::Clock& clock) : clock_(clock) {}

  /// Zero: one send was taken out of the bucket, go ahead. Else nothing was taken, ask again after this time.
  std::chrono::milliseconds take_send(const std::string& mailbox);
  /// The daily limit was reached: nobody sends from this mailbox for the time returned.
  std::chrono::milliseconds limit_reached(const std::string& mailbox);
  /// What is left of that pause; zero when there is none.
  std::chrono::milliseconds paused_for(const std::string& mailbox) const;
  /// A send was accepted: the next pause is a short one again.
  void accepted(const std::string& mailbox);

  /// Drafts were refused here though sending may be permitted.
  void refuse_drafts(const std::string& mailbox);
  bool drafts_refused(const std::string& mailbox) const;
  void forget_refusal(const std::string& mailbox);

 private:
  struct Mailbox {
    double sends = sends_a_minute;  // left in the bucket at `filled`
    mail::SteadyTime filled{}, paused_until{}, drafts_refused_until{};
    std::chrono::milliseconds pause{0};
  };

  const Mailbox* find(const std::string& mailbox) const;
  Mailbox& of(const std::string& mailbox);

  mail::Clock& clock_;
  mutable std::mutex mutex_;
  std::map<std::string, Mailbox> mailboxes_;  // guarded by mutex_; key in lower case
};

}  // namespace m365
