#include "m365/incoming/refusal_guard.h"

#include <algorithm>

namespace m365 {

bool RefusalGuard::count(std::deque<mail::SteadyTime>& times, std::size_t most, Incident incident,
                         mail::SteadyTime now) {
  if (tripped()) return false;
  times.push_back(now);
  while (times.front() + window <= now) times.pop_front();
  if (times.size() < most) return false;
  trip(incident, now + probe_wait_);
  return true;
}

bool RefusalGuard::rejected(mail::SteadyTime now) {
  return count(rejected_, most_rejected, Incident::host_refuses, now);
}

bool RefusalGuard::unreadable(mail::SteadyTime now) {
  return count(unreadable_, most_unreadable, Incident::service_fault, now);
}

void RefusalGuard::trip(Incident incident, mail::SteadyTime probe) {
  incident_ = incident;
  probe_due_ = probe;
}

void RefusalGuard::probe_failed(mail::SteadyTime now) {
  probe_wait_ = std::min(probe_wait_ * 2, longest_probe);
  probe_due_ = now + probe_wait_;
}

void RefusalGuard::try_again() {
  const std::chrono::minutes wait = std::min(probe_wait_ * 2, longest_probe);
  *this = RefusalGuard();
  probe_wait_ = wait;
}

void RefusalGuard::release() {
  *this = RefusalGuard();
}

}  // namespace m365
