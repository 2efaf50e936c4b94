#include "m365/incoming/stream_plan.h"

#include <algorithm>

namespace m365 {

Next decide_next(const StreamFacts& facts, mail::SteadyTime now) {
  if (facts.backed_off_until > now) return {Step::rest, facts.backed_off_until};
  // A mail the host has taken comes first: until its receipt is on disk, nothing may be done that a crash would repeat.
  if (facts.receipts_unsaved) return {Step::save_receipts, now};
  if (!facts.opened) return {Step::open, now};
  if (facts.incident_to_hold) return {Step::hold_incident, now};
  if (facts.incident) return facts.probe_due <= now ? Next{Step::probe, now} : Next{Step::rest, facts.probe_due};
  if (facts.window_full) return {Step::rest, mail::SteadyTime::max()};  // a verdict wakes the stream
  if (facts.mails_in_hand) return {Step::deliver, now};
  const bool walks = facts.first_walk || facts.walking;
  const mail::SteadyTime walk_due = walks ? facts.list_due : facts.walk_due;
  const bool polls = !facts.first_walk && facts.poll_due <= now;
  const bool gives_way = facts.others_first && (polls || walk_due <= now);
  if (facts.aside_due && *facts.aside_due <= now && !gives_way) return {Step::retry_asides, now};
  if (polls) return {Step::poll, now};
  if (walk_due <= now) return {Step::walk, now};
  if (facts.idle_to_say) return {Step::say_idle, now};
  mail::SteadyTime due = facts.first_walk ? walk_due : std::min(facts.poll_due, walk_due);
  if (facts.aside_due) due = std::min(due, *facts.aside_due);
  return {Step::rest, due};
}

}  // namespace m365
