// What a stream does next: decided here, from plain facts; done elsewhere (stream_work.cpp).
#pragma once

#include <optional>

#include "mail/clock.h"

namespace m365 {

/// All that decides. Times are those of mail::Clock::now().
struct StreamFacts {
  mail::SteadyTime backed_off_until{};  ///< after a failure nothing is done before
  bool receipts_unsaved = false;        ///< verdicts whose receipt the disk did not take
  bool opened = false;                  ///< the folder is known
  bool incident = false;                ///< RefusalGuard has tripped
  bool incident_to_hold = false;        ///< its rejected mails are not yet kept from being moved
  mail::SteadyTime probe_due{};
  bool mails_in_hand = false;  ///< rows of a page that are to be delivered
  bool window_full = false;    ///< as many undecided mails as allowed
  std::optional<mail::SteadyTime> aside_due;
  bool others_first = false;  ///< what is new comes first: mails that fail again and again must not keep it back
  bool first_walk = false;    ///< the list of what stood there at the first opening is not complete
  mail::SteadyTime poll_due{};
  bool walking = false;         ///< in the middle of a reconciling list
  mail::SteadyTime list_due{};  ///< its next page
  mail::SteadyTime walk_due{};
  bool idle_to_say = false;  ///< everything done, and not yet said
};

enum class Step { rest, save_receipts, open, hold_incident, probe, deliver, retry_asides, walk, poll, say_idle };

struct Next {
  Step step = Step::rest;
  mail::SteadyTime due{};  ///< of rest: when to look again; SteadyTime::max(): when somebody calls
};

Next decide_next(const StreamFacts& facts, mail::SteadyTime now);

}  // namespace m365
