// One incident must not empty an inbox: ten REJECTED, or five unreadable mails, within an hour stop the stream, and
// nothing is moved by that incident (architecture, section 3).
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>

#include "mail/clock.h"

namespace m365 {

/// Not thread-safe.
class RefusalGuard {
 public:
  enum class Incident { none, host_refuses, service_fault };
  static constexpr std::size_t most_rejected = 10, most_unreadable = 5;
  static constexpr std::chrono::minutes window{60}, first_probe{15}, longest_probe{240};

  /// True when this one trips the guard.
  bool rejected(mail::SteadyTime now);
  bool unreadable(mail::SteadyTime now);
  /// Trips at once: an incident of before a restart still stands. The probe is then due at `probe`.
  void trip(Incident incident, mail::SteadyTime probe);

  Incident incident() const { return incident_; }
  bool tripped() const { return incident_ != Incident::none; }
  mail::SteadyTime probe_due() const { return probe_due_; }
  void probe_failed(mail::SteadyTime now);  ///< the next probe after twice the time
  void probe_later(mail::SteadyTime due) { probe_due_ = due; }
  /// Lets the stream go on for a trial; when it trips again, the probe comes after twice the time.
  void try_again();
  void release();

 private:
  bool count(std::deque<mail::SteadyTime>& times, std::size_t most, Incident incident, mail::SteadyTime now);

  Incident incident_ = Incident::none;
  std::deque<mail::SteadyTime> rejected_, unreadable_;
  std::chrono::minutes probe_wait_ = first_probe;
  mail::SteadyTime probe_due_{};
};

}  // namespace m365
