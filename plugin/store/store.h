// What must survive: where each folder was read to, which mails were decided, which submissions are on their way, which
// passwords were refused. SQLite in the host's state_dir, one file a module; no secrets, no mail content.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/fault.h"
#include "mail/health.h"
#include "mail/log.h"

namespace store {

using mail::WallTime;

/// Key of a stream: one folder of one mailbox of one tenant, as the service names them.
struct StreamKey {
  std::string tenant, folder_id;
  bool operator==(const StreamKey&) const = default;
};
using StreamId = std::int64_t;  ///< of a stream in this file; never 0

/// Where a folder was read to. All links are opaque URLs of the service.
struct Cursor {
  std::string delta_link;            ///< start of the next round; empty: the first series has not ended
  std::string next_link;             ///< in the middle of a series; empty: none
  WallTime opened{};                 ///< the instant of the first opening; epoch: never opened
  std::string start_from;            ///< as decided at the first opening: "unread", "all", "now", or RFC 3339
  bool first_fetch_decided = false;  ///< the first fetch is below its limit or was allowed
  WallTime reconciled{}, reconciled_whole{};
  bool operator==(const Cursor&) const = default;
};

/// The second key of a mail: ids do change under Outlook, archive and import.
struct Fingerprint {
  std::string mailbox, internet_message_id, from;
  WallTime received{};
  bool operator==(const Fingerprint&) const = default;
};

enum class Decision : int { accepted = 1, rejected = 2, skipped = 3 /* before start_from, draft, absorbed */ };

/// A decided mail. `pending_mark`: what after_fetch or rejected still has to do in the mailbox.
struct Receipt {
  StreamId stream = 0;
  std::string message_id;  ///< immutable
  /// Stored as a hash only: receipts that are read back have none, except by receipt_like. Written without one, a
  /// receipt keeps the one it has. Without Message-ID or time of arrival it is like no other.
  Fingerprint fingerprint;
  Decision decision = Decision::accepted;
  std::string pending_mark;  ///< empty: nothing left to do; else "read", "move:<folder>", "delete", ...
  WallTime decided{};
  bool gone = false;               ///< seen leaving the folder (a rejected one that returns gets one new try)
  int tries = 0;                   ///< of rejected: how often it was offered
  std::string attachments_digest;  ///< of a mail handed over with SCAN_PENDING: to see them change within 24 h
  bool operator==(const Receipt&) const = default;
};

/// What is left to do in the mailbox for a decided mail.
struct Mark {
  std::string message_id;
  std::string what;    ///< Receipt::pending_mark
  WallTime decided{};  ///< of the receipt it belongs to: one that was decided anew since has another mark, or none
  bool operator==(const Mark&) const = default;
};

/// A mail that is known and not decided.
struct SetAside {
  StreamId stream = 0;
  std::string message_id;
  std::string reason;  ///< the caller's word for why it is not decided, kept as it is
  WallTime due{}, first_seen{};
  int tries = 0;
  bool offered = false;  ///< the host may have had it: the next delivery is REDELIVERED
  bool operator==(const SetAside&) const = default;
};

enum class Step : int { taken = 1, draft_wanted, drafted, attached, send_wanted, looking, done };

/// How far a submission is. The host keeps its content.
struct Submission {
  std::string server;  ///< which outgoing server: tenant and client
  std::string key;     ///< the host's stable_id
  std::string mailbox;
  std::string draft_id;
  Step step = Step::taken;
  int tries = 0, looks = 0;
  int attachments_done = 0;
  WallTime taken{}, changed{};
  // When done:
  int verdict = 0;
  std::string internet_message_id, conversation_id, reason;
  WallTime late_drafts_due{};  ///< Drafts is to be looked at once more then, for a draft made late; epoch: it is not
  bool operator==(const Submission&) const = default;
};

/// An automatic answer that shall leave, for the guard against reply loops.
struct AutomaticAnswer {
  std::string server, key;  ///< of its submission
  std::string from;         ///< the address of the queue
  std::vector<std::string> to;
};

/// Any thread; one writer at a time inside. Every function that writes has committed to disk when it returns (unless it
/// says otherwise), or throws mail::FaultError (Cause::state_disk) and has changed nothing.
/// Remedy::wait: no room, a failing disk, another program that holds the file; it works again when that is over.
/// Remedy::administrator: the file is damaged, and the next open() sets it aside. Look-ups throw likewise, and never
/// wait for a writer.
class Store {
 public:
  /// Opens or creates `dir`/m365.db (mode 0600; WAL). A damaged or foreign file is set aside as m365.db.damaged-<time>,
  /// its name written to `log` at error; a file of a newer schema is refused. Two stores on one file, of one process or
  /// of two: the second is refused. `dir` is made (0700) when missing. `log` is used during the call only. A file that
  /// was not closed is checked first, which takes about a second for a million receipts. Throws mail::FaultError
  /// (Cause::state_disk).
  static std::shared_ptr<Store> open(const std::filesystem::path& dir, mail::Log& log, std::function<WallTime()> wall);
  virtual ~Store() = default;

  /// Made when new; then on disk no later than what is written of it.
  virtual StreamId stream(const StreamKey& key) = 0;
  /// cursor, save_cursor: std::logic_error for a stream that was never made.
  virtual Cursor cursor(StreamId stream) = 0;
  /// Where only links or times of reconciliation change, a loss of power may take it back until the next write: never
  /// before what was written earlier, so that what is taken back is only read again.
  virtual void save_cursor(StreamId stream, const Cursor& cursor) = 0;

  virtual std::optional<Receipt> receipt(StreamId stream, std::string_view message_id) = 0;
  /// The latest receipt of the same mail, in any stream, under whatever id.
  virtual std::optional<Receipt> receipt_like(const Fingerprint& fingerprint) = 0;
  /// The same for each of `fingerprints`.
  virtual std::vector<std::optional<Receipt>> receipts_like(const std::vector<Fingerprint>& fingerprints) = 0;
  /// Which of `message_ids` have a receipt in this stream.
  virtual std::vector<bool> receipts_known(StreamId stream, const std::vector<std::string>& message_ids) = 0;
  /// Writes the receipt, or replaces the one there is, and removes the mail's SetAside row, in one transaction.
  virtual void decide(const Receipt& receipt) = 0;
  virtual void decide_all(const std::vector<Receipt>& receipts) = 0;
  /// These are done. A loss of power may take it back until the next write: then they are marked again.
  virtual void marked(StreamId stream, const std::vector<Mark>& marks) = 0;
  virtual void set_gone(StreamId stream, std::string_view message_id, bool gone) = 0;
  virtual std::vector<Mark> to_mark(StreamId stream, std::size_t most) = 0;  ///< oldest decision first
  virtual std::size_t to_mark_count(StreamId stream, std::size_t most) = 0;  ///< not counted beyond `most`
  /// Every id with a receipt, in pages: after `after` (exclusive, empty: from the start), at most `most`, in an order
  /// that stays.
  virtual std::vector<Receipt> receipts_after(StreamId stream, std::string_view after, std::size_t most) = 0;
  /// The id of one of them, each as likely as another where `random` is; empty: there is none.
  virtual std::string receipt_somewhere(StreamId stream, std::uint64_t random) = 0;
  /// A GET by id said 404. Returns true, and has dropped the receipt, when an earlier one was at least a day before.
  virtual bool seen_missing(StreamId stream, std::string_view message_id) = 0;

  virtual void set_aside(const SetAside& mail) = 0;
  virtual void set_aside_all(const std::vector<SetAside>& mails) = 0;
  virtual std::optional<SetAside> aside(StreamId stream, std::string_view message_id) = 0;
  /// The same for each of `message_ids`.
  virtual std::vector<std::optional<SetAside>> asides_of(StreamId stream,
                                                         const std::vector<std::string>& message_ids) = 0;
  virtual std::vector<SetAside> asides(StreamId stream) = 0;  ///< ordered by due
  virtual void drop_aside(StreamId stream, std::string_view message_id) = 0;

  virtual std::optional<Submission> submission(std::string_view server, std::string_view key) = 0;
  virtual void save_submission(const Submission& submission) = 0;
  /// A damaged file was set aside here within the last week: a submission that this one does not know may have been
  /// begun all the same.
  virtual bool submissions_lost() = 0;
  /// The submission whose sent mail has this Message-ID (done, accepted), for reports that answer it.
  virtual std::optional<Submission> submission_sent_as(std::string_view internet_message_id) = 0;
  /// Those whose late_drafts_due is `now` or earlier, the earliest first, at most `most`.
  virtual std::vector<Submission> late_drafts(std::string_view server, WallTime now, std::size_t most) = 0;
  /// late_drafts_due of this one is done with; nothing when it has become another meanwhile.
  virtual void late_drafts_seen(const Submission& submission) = 0;
  /// Done submissions older than `before` are forgotten.
  virtual void forget_submissions(WallTime before) = 0;

  /// Notes the answer for each of its correspondents, or, when `limit` answers of other keys to one of them were noted
  /// within `window`, nothing: that correspondent is returned. A key that is noted counts once, however often it comes.
  /// Addresses are kept as hashes, for a day at most, which is therefore the longest window.
  virtual std::optional<std::string> note_automatic(const AutomaticAnswer& answer, unsigned limit,
                                                    std::chrono::milliseconds window) = 0;

  /// A salted fingerprint of a refused password: true while the same password is remembered as refused.
  virtual bool password_refused(std::string_view account, std::string_view password) = 0;
  virtual void remember_refused_password(std::string_view account, std::string_view password) = 0;
  virtual void forget_refused_password(std::string_view account) = 0;
};

}  // namespace store
