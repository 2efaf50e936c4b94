#include "m365/incoming/stream.h"

#include <utility>

namespace m365 {

store::SetAside aside_of(const Arrival& arrival, store::StreamId stream, mail::WallTime now) {
  store::SetAside aside;
  aside.stream = stream;
  aside.message_id = arrival.row.id;
  aside.reason = to_reason(arrival.note);
  aside.due = now;
  aside.first_seen = arrival.first_seen;
  aside.tries = arrival.tries;
  aside.offered = arrival.offered;
  return aside;
}

Arrival arrival_of(const store::SetAside& aside) {
  Arrival arrival;
  arrival.row.id = aside.message_id;
  arrival.note = from_reason(aside.reason);
  arrival.may_be_elsewhere = arrival.note.kind == AsideKind::watch || arrival.note.replaced;
  arrival.first_seen = aside.first_seen;
  arrival.tries = aside.tries;
  arrival.offered = aside.offered;
  return arrival;
}

Stream::Stream(IncomingCore& the_core, mail::MailboxId the_id, MailboxSettings the_settings,
               std::shared_ptr<Account> from, mail::MailboxListener& to)
    : core(the_core),
      id(the_id),
      settings(std::move(the_settings)),
      account(std::move(from)),
      listener(to),
      health([this](const mail::Health& now) {
        core.in_host(this, [this, &now] { core.listener.on_health(id, now); });
      }) {}

Stream::~Stream() {
  core.rows_in_hand -= in_hand.size();
}

void Stream::reset() {
  stop = std::stop_source();
  woken = false;
  health.forget();
  core.rows_in_hand -= in_hand.size();
  cursor = {};
  series_since.reset();
  opened = begun = lists_instead = listed_whole = false;
  delta_again = {};
  series_lost = 0;
  whole_wanted = false;
  newest = {};
  in_hand.clear();
  cursor_after.reset();
  cursor_saved = {};
  round_done = false;
  activity = true;
  poll_due = walk_due = list_due = asked = {};
  walks.clear();
  aside_due.reset();
  asides_stale = true;
  others_first = asides_waiting = false;
  failures = 0;
  backed_off_until = {};
  quick = slow = alone = false;
  turns_in_a_row = 0;
  page_size = 50;
  good_pages = barren_pages = broken_pages = head_failures = item_failures = 0;
  last_mail_read = {};
  delivered = absorbed = 0;
  mark_later.clear();
  targets.clear();
  mark_failures = 0;
  const std::lock_guard lock(mutex);
  folder.reset();
  undecided.clear();
  guard.release();
  lately_rejected.clear();
  incident_to_hold = false;
  marks_waiting = false;
  marks_written = 0;
  asides_changed = false;
  idle_owed = false;
  marks = Marks::quick;
  // What is owed or unsaved stays: verdicts of the host, still to be written.
}

}  // namespace m365
