// One address of a queue = one folder = one stream. The data only; what is done with it stands in opening, polling,
// delivery, marking and reconcile.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <vector>

#include "m365/incoming/aside_note.h"
#include "m365/incoming/incoming_core.h"
#include "m365/incoming/refusal_guard.h"
#include "m365/incoming/stream_plan.h"
#include "m365/message/mail_builder.h"
#include "m365/message/message_row.h"

namespace m365 {

/// The folder as the service answers it.
struct FolderIdentity {
  store::StreamId stream = 0;  ///< in the state file
  std::string id, name, parent_id;
};

/// A mail on its way to the host.
struct Arrival {
  MessageRow row;                 ///< only its id where !whole
  bool whole = false;             ///< everything a delivery needs is in `row`
  bool may_be_elsewhere = false;  ///< a mail handed over before: it may have been moved by our own marking
  AsideNote note;
  mail::WallTime first_seen{};
  int tries = 0;         ///< as in store::SetAside
  bool offered = false;  ///< the host may have had it: REDELIVERED
};

/// As it is written, due now; and back.
store::SetAside aside_of(const Arrival& arrival, store::StreamId stream, mail::WallTime now);
Arrival arrival_of(const store::SetAside& aside);

/// A list that proves that the change feed missed nothing, page by page.
struct Walk {
  enum class Kind { first, unread, recent, whole, poll, cleanup } kind;
  explicit Walk(Kind what) : kind(what) {}
  std::string next_link;  ///< empty: not begun
  unsigned seen = 0, found = 0;
  unsigned barren = 0;  ///< pages in a row without news
  static constexpr unsigned page = 250;
  unsigned top = page;
  bool own_pages = false;   ///< `next_link` is ours, by count: a page could not be read
  bool turns_back = false;  ///< cleanup: at the end of the receipts it goes on at their beginning
};

struct Stream : std::enable_shared_from_this<Stream> {
  Stream(IncomingCore& the_core, mail::MailboxId the_id, MailboxSettings the_settings, std::shared_ptr<Account> from,
         mail::MailboxListener& to);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Constant after construction.
  IncomingCore& core;
  const mail::MailboxId id;
  const MailboxSettings settings;
  const std::shared_ptr<Account> account;
  mail::MailboxListener& listener;
  HealthReporter health;
  std::stop_source stop;  ///< of the present run; replaced only while nothing runs

  // Guarded by the core's door.
  bool closed = false;
  unsigned calls = 0;  ///< into the host, running now

  // Set from anywhere: the next turn does not wait for the end of a back-off.
  std::atomic<bool> woken{false};

  // --- Only the worker that runs the fetch half. ---
  store::Cursor cursor;
  std::optional<mail::WallTime> series_since;  ///< the first series is filtered: older mails come by the walk
  bool opened = false;
  bool begun = false;                         ///< since start()
  bool lists_instead = false;                 ///< the service offers no delta here
  bool listed_whole = false;                  ///< and for that reason the folder was listed from end to end
  mail::SteadyTime delta_again{};             ///< when delta is tried again
  unsigned series_lost = 0;                   ///< in a row: see lost_state() in feed_trouble.h
  bool whole_wanted = false;                  ///< a list of the whole folder is due, whenever the last one was
  mail::WallTime newest{};                    ///< lists: the newest time seen
  std::deque<Arrival> in_hand;                ///< rows of the page at work; on disk as set aside
  std::optional<store::Cursor> cursor_after;  ///< to be saved when in_hand is done
  mail::SteadyTime cursor_saved{};
  bool round_done = false;  ///< read to the end once since start()
  bool activity = true;     ///< since the last on_idle
  mail::SteadyTime poll_due{}, walk_due{};
  mail::SteadyTime list_due{};  ///< the next page of a list at work
  mail::SteadyTime asked{};     ///< when the last poll went out
  std::deque<Walk> walks;
  bool cleaning_begun = false;
  std::string cleaned_to;  ///< receipts up to this id were looked after
  std::optional<mail::SteadyTime> aside_due;
  bool asides_stale = true;     ///< aside_due and asides_waiting are to be read again
  bool others_first = false;    ///< one could not be read again: polls and lists have their turn before the next
  bool asides_waiting = false;  ///< a mail is set aside that the host shall still get
  unsigned failures = 0;        ///< in a row
  mail::SteadyTime backed_off_until{};
  bool quick = false;           ///< the last poll was answered quickly: may go out in a batch
  bool slow = false;            ///< the last turn held its worker for long: see mail::Schedule::Pace
  unsigned turns_in_a_row = 0;  ///< without a rest between them
  bool alone = false;           ///< a batch failed: the next request goes out by itself, whatever it is
  unsigned page_size = 50, good_pages = 0, barren_pages = 0, broken_pages = 0;
  unsigned head_failures = 0;  ///< of the mail in front, for reasons of the network
  unsigned item_failures = 0;  ///< mails in a row that the service could not give
  mail::WallTime last_mail_read{};
  unsigned delivered = 0, absorbed = 0;  ///< since the last line in the log

  // --- Everything below is guarded by mutex: shared with the marking half and with acknowledge(). ---
  std::mutex mutex;
  std::shared_ptr<const FolderIdentity> folder;
  std::set<std::string> undecided;              ///< ids of mails in the host's hands
  std::vector<store::Receipt> owed;             ///< receipts that are not on disk yet (owed_receipts.h)
  bool listed_as_debtor = false;                ///< a turn that writes them is planned
  std::vector<store::SetAside> unsaved_asides;  ///< verdicts that the disk did not take
  bool disk_refused = false;                    ///< what is owed or unsaved; the fetch half tries again
  RefusalGuard guard;
  std::deque<std::pair<mail::SteadyTime, std::string>> lately_rejected;  ///< ids: of the guard's window, the last ten
  bool incident_to_hold = false;  ///< the mails rejected by it are still to be kept from being moved
  bool marks_waiting = false;     ///< the marking half has work
  std::size_t marks_written = 0;  ///< since it was last woken
  bool asides_changed = false;    ///< by a late verdict
  enum class Marks { quick, slow, failing } marks = Marks::quick;  ///< only quick ones share a batch
  bool idle_owed = false;                                          ///< on_idle waits for the marking half

  // --- Only the worker that runs the marking half. ---
  struct MarkTrouble {
    mail::SteadyTime due{};
    unsigned tries = 0;
  };
  std::map<std::string, MarkTrouble> mark_later;
  std::map<std::string, std::string> targets;  ///< mark -> id of the folder it moves to
  std::set<std::string> quieted;  ///< mails still to be marked read whose request for a read receipt was taken back
  unsigned mark_failures = 0;

  const std::string& address() const { return settings.address; }
  std::shared_ptr<const FolderIdentity> identity() {
    const std::lock_guard lock(mutex);
    return folder;
  }
  void note(mail::Level level, const std::string& line) const { core.note(level, settings.address + ": " + line); }
  std::stop_token token() const { return stop.get_token(); }
  GraphClient& graph() const { return core.graph(*account); }
  /// Nothing of a run is left but what start() needs.
  void reset();
};

using StreamPtr = std::shared_ptr<Stream>;

}  // namespace m365
