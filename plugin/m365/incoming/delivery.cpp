#include "m365/incoming/delivery.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "m365/incoming/delivery_incident.h"
#include "m365/incoming/delivery_verdict.h"
#include "m365/incoming/duplicates.h"
#include "m365/incoming/folder_finder.h"
#include "m365/incoming/marking.h"
#include "m365/incoming/owed_receipts.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Cause;
using mail::Level;
using mail::Remedy;
using mail::Verdict;

// 1, 2, 4, then every 5 minutes (architecture, section 3).
std::chrono::milliseconds scan_pause(int tries) {
  return doubled(1min, tries, 5min);
}

// True when the failure tells of this mail, not of its mailbox.
bool concerns_item(const mail::FaultError& error) {
  if (const auto* refusal = dynamic_cast<const GraphError*>(&error)) {
    if (refusal->status() >= 500) return error.fault().cause == Cause::service_fault;
  }
  return error.fault().remedy == Remedy::item;
}

void drop(Stream& stream, const Arrival& arrival) {
  stream.core.store()->drop_aside(stream.identity()->stream, arrival.row.id);
  stream.asides_stale = true;
}

constexpr std::chrono::hours unread_patience{24};  // with a mail that cannot be read

// Given up after 24 h, while other mails of the mailbox are read: it is treated like a rejected one.
bool give_up(Stream& stream, const Arrival& arrival) {
  constexpr std::chrono::hours lately{3};  // more than between two tries: an outage of a day is no mail's fault
  const mail::WallTime now = stream.core.wall();
  if (now - arrival.first_seen < unread_patience || stream.last_mail_read <= arrival.first_seen) return false;
  if (now - stream.last_mail_read >= lately) return false;
  store::Receipt receipt;
  receipt.stream = stream.identity()->stream;
  receipt.message_id = arrival.row.id;
  receipt.fingerprint = fingerprint_of(stream.settings, arrival.row);
  receipt.decision = store::Decision::rejected;
  receipt.decided = stream.core.wall();
  receipt.tries = most_tries_rejected;
  receipt.pending_mark = rejected_mark(stream.settings);
  write_receipt(stream, receipt);
  stream.note(Level::error, "the mail with the id " + arrival.row.id +
                                " could not be read for 24 hours while others were; it is not handed over" +
                                (receipt.pending_mark.empty() ? "" : " and moved to the folder for rejected mails"));
  return true;
}

void note_unread(const Stream& stream, const Arrival& arrival, const mail::Fault& fault) {
  stream.note(Level::warning, "the mail with the id " + arrival.row.id + " cannot be read now and is set aside (" +
                                  fault.text + (fault.request_id.empty() ? "" : ", request-id " + fault.request_id) +
                                  ")");
}

void set_unreadable(Stream& stream, Arrival& arrival, const mail::Fault& fault) {
  if (give_up(stream, arrival)) {
    stream.asides_stale = true;
    return;
  }
  if (arrival.note.kind != AsideKind::unreadable) {
    arrival.tries = 0;
    ++stream.item_failures;
    note_unread(stream, arrival, fault);
  }
  arrival.note.kind = AsideKind::unreadable;
  store::SetAside aside = aside_of(arrival, stream.identity()->stream, stream.core.wall());
  aside.due += doubled(1min, arrival.tries, 60min);
  aside.tries = arrival.tries + 1;
  stream.core.store()->set_aside(aside);
  stream.asides_stale = true;
}

// Others fail as long as this one: then it is no single mail's fault, and none may leave the folder for it.
bool one_of_many(Stream& stream, const Arrival& arrival) {
  const mail::WallTime long_ago = stream.core.wall() - unread_patience;
  return std::ranges::any_of(stream.core.store()->asides(stream.identity()->stream), [&](const store::SetAside& other) {
    const AsideKind kind = from_reason(other.reason).kind;
    return other.message_id != arrival.row.id && other.first_seen <= long_ago &&
           (kind == AsideKind::listed || kind == AsideKind::unreadable);
  });
}

// The mail in front fails again and again, for reasons that are its mailbox's as far as can be seen. If they are, its
// next try comes soon after their end; if they are the mail's own, its tries cost the others ever less time.
void step_around(Stream& stream, const FolderIdentity& folder, Arrival& arrival, const mail::Fault& fault) {
  constexpr std::chrono::milliseconds shortest = 1min, longest = 5min;
  stream.head_failures = 0;
  stream.asides_stale = stream.others_first = true;
  const mail::WallTime now = stream.core.wall();
  const bool unseen = arrival.note.kind == AsideKind::listed || arrival.note.kind == AsideKind::offered;
  if (unseen && now - arrival.first_seen >= unread_patience && !one_of_many(stream, arrival) &&
      give_up(stream, arrival))
    return;
  if (now - arrival.first_seen < longest) note_unread(stream, arrival, fault);
  // The next list that shows it must not take it in hand before it is due.
  if (arrival.note.kind == AsideKind::offered)
    arrival.note.kind = arrival.tries > 0 ? AsideKind::retry : AsideKind::listed;
  // The next mail begins with short pauses: many such mails must not keep the others for hours.
  if (!std::exchange(arrival.note.around, true)) stream.failures = 0;
  store::SetAside aside = aside_of(arrival, folder.stream, now);
  aside.due += std::clamp<std::chrono::milliseconds>(now - arrival.first_seen, shortest, longest);
  stream.core.store()->set_aside(aside);
}

// A mail was read: those before it that could not be are then the mails' own fault, not the service's.
void mail_read(Stream& stream) {
  stream.last_mail_read = stream.core.wall();
  stream.head_failures = 0;
  const std::lock_guard lock(stream.mutex);
  for (; stream.item_failures > 0; --stream.item_failures) {
    if (!stream.guard.unreadable(stream.core.now())) continue;
    stream.note(Level::error, std::to_string(RefusalGuard::most_unreadable) +
                                  " mails could not be read within an hour; the mailbox pauses, nothing is moved");
  }
}

mail::Fault not_as_documented(const MessageRow& row) {
  mail::Fault fault;
  fault.cause = Cause::service_fault;
  fault.remedy = Remedy::item;
  fault.text = "the service's answer lacks what a mail must have";
  for (const std::string& name : row.unreadable) fault.text += ", " + name;
  return fault;
}

// Everything but the id can be missing (graph-mail.md, section 3), in an answer that is cut short as well as in a mail
// that has no more. What it lacks at every try it does not have.
bool good_enough(const Arrival& arrival) {
  constexpr int enough_tries = 3;
  return !arrival.row.id.empty() && arrival.note.kind == AsideKind::unreadable && arrival.tries >= enough_tries;
}

bool elsewhere(const FolderIdentity& folder, const Arrival& arrival) {
  return !arrival.may_be_elsewhere && arrival.row.parent_folder_id && *arrival.row.parent_folder_id != folder.id;
}

// False: not there any more, or another folder's, or nothing to hand over; nothing is left of it.
bool read_whole_row(Stream& stream, const FolderIdentity& folder, Arrival& arrival) {
  if (!arrival.whole) {
    std::optional<MessageRow> row = fetch_row(stream, arrival.row.id);
    if (!row) {
      stream.note(Level::info, "a mail left the mailbox before it was handed over, id " + arrival.row.id);
      drop(stream, arrival);
      return false;
    }
    arrival.row = std::move(*row);
    const AsideKind kind = arrival.note.kind;
    const bool first_look = kind == AsideKind::offered || kind == AsideKind::listed || kind == AsideKind::unreadable;
    if (first_look && !elsewhere(folder, arrival) && absorb(stream, folder, arrival.row)) return false;
    if (!arrival.row.complete() && !good_enough(arrival)) throw mail::FaultError(not_as_documented(arrival.row));
    arrival.whole = true;
  }
  if (elsewhere(folder, arrival) && arrival.note.kind == AsideKind::refused) {
    // Its move was on its way when the incident began.
    if (bring_back(stream, folder, arrival.row)) arrival.row.parent_folder_id = folder.id;
  }
  if (elsewhere(folder, arrival)) {
    stream.note(Level::info, "a mail was moved to another folder before it was handed over, id " + arrival.row.id);
    drop(stream, arrival);
    return false;
  }
  if (arrival.row.is_draft.value_or(false)) {
    drop(stream, arrival);
    return false;
  }
  return true;
}

BuiltMail build(Stream& stream, const FolderIdentity& folder, const Arrival& arrival) {
  MailContext context{stream.graph(),
                      stream.settings,
                      folder.name,
                      stable_id(stream, arrival),
                      stream.token(),
                      [&core = stream.core](const std::string& internet_message_id) {
                        const auto submission = core.store()->submission_sent_as(internet_message_id);
                        return submission ? submission->key : std::string();
                      }};
  return build_mail(context, arrival.row);
}

// A mail whose attachments are still scanned waits; true: not to be handed over now.
bool wait_for_scan(Stream& stream, const FolderIdentity& folder, Arrival& arrival, const BuiltMail& built) {
  if (!built.scan_pending) return false;
  if (arrival.note.kind != AsideKind::scan) arrival.tries = 0;
  if (stream.core.wall() - arrival.first_seen >= stream.settings.scan_wait) return false;
  arrival.note.kind = AsideKind::scan;
  store::SetAside aside = aside_of(arrival, folder.stream, stream.core.wall());
  aside.due = std::min(aside.due + scan_pause(arrival.tries), arrival.first_seen + stream.settings.scan_wait);
  aside.tries = arrival.tries + 1;
  stream.core.store()->set_aside(aside);
  stream.asides_stale = true;
  return true;
}

// After a hand-over with SCAN_PENDING: are the attachments there? True: nothing to hand over now.
bool keep_watching(Stream& stream, const FolderIdentity& folder, Arrival& arrival, const BuiltMail& built) {
  if (arrival.note.kind != AsideKind::watch) return false;
  const auto receipt = stream.core.store()->receipt(folder.stream, arrival.row.id);
  const bool over = !receipt || receipt->attachments_digest.empty() || stream.core.wall() - receipt->decided >= 24h;
  if (over) {
    drop(stream, arrival);
    return true;
  }
  if (!built.scan_pending && built.attachments_digest != receipt->attachments_digest) {
    arrival.note.replaced = true;
    arrival.tries = 0;
    return false;
  }
  store::SetAside aside = aside_of(arrival, folder.stream, stream.core.wall());
  aside.due += doubled(1min, arrival.tries, 60min);
  aside.tries = arrival.tries + 1;
  stream.core.store()->set_aside(aside);
  stream.asides_stale = true;
  return true;
}

void hand_over(Stream& stream, std::shared_ptr<const FolderIdentity> folder, Arrival& arrival, BuiltMail built) {
  if (arrival.offered) built.mail.flags |= mail::redelivered;
  if (arrival.note.replaced) built.mail.flags |= mail::attachments_replaced;
  auto delivery = std::make_shared<Delivery>();
  delivery->folder = std::move(folder);
  delivery->message_id = arrival.row.id;
  delivery->fingerprint = fingerprint_of(stream.settings, arrival.row);
  delivery->note = arrival.note;
  delivery->first_seen = arrival.first_seen;
  delivery->tries = arrival.tries;
  delivery->receipt_requested = arrival.row.read_receipt_requested.value_or(false);
  delivery->built = std::move(built);
  delivery->stream = stream.shared_from_this();
  {
    const std::lock_guard lock(stream.mutex);
    stream.undecided.insert(arrival.row.id);
  }
  const mail::DeliveryId id = stream.core.add(delivery);
  std::chrono::milliseconds retry_after = proposed_retry(arrival.tries);
  Verdict verdict = Verdict::none;
  bool called = false;
  try {
    called = stream.core.in_host(&stream,
                                 [&] { verdict = stream.listener.on_message(id, delivery->built.mail, retry_after); });
  } catch (...) {
    // Out of memory on the way to the host: the mail must not count as in its hands for ever.
    stream.core.take(id);
    const std::lock_guard lock(stream.mutex);
    stream.undecided.erase(arrival.row.id);
    throw;
  }
  {
    const std::lock_guard lock(delivery->mutex);
    delivery->calling = false;
    if (delivery->early) {
      verdict = delivery->early->first;
      retry_after = delivery->early->second;
    } else if (called && verdict == Verdict::pending) {
      ++stream.delivered;
      return;  // acknowledge() has the word
    }
    delivery->decided = true;
  }
  stream.core.take(id);
  if (!called) {
    // Stopped or closed: the host never saw it.
    const std::lock_guard lock(stream.mutex);
    stream.undecided.erase(arrival.row.id);
    throw mail::FaultError({Cause::none, Remedy::cancelled, "The work was stopped.", {}, {}, {}, false});
  }
  settle(*delivery, verdict, retry_after);
  if (verdict == Verdict::accepted) ++stream.delivered;
}

}  // namespace

store::Fingerprint fingerprint_of(const MailboxSettings& settings, const MessageRow& row) {
  store::Fingerprint fingerprint;
  fingerprint.mailbox = lower(settings.user);
  fingerprint.internet_message_id = row.internet_message_id.value_or(std::string());
  if (row.from) fingerprint.from = lower(row.from->address);
  fingerprint.received = row.received.value_or(mail::WallTime{});
  return fingerprint;
}

std::string stable_id(const Stream& stream, const Arrival& arrival) {
  if (!arrival.note.stable_id.empty()) return arrival.note.stable_id;
  return stable_id_of(stream.core.settings.tenant.tenant, arrival.row.id);
}

std::optional<MessageRow> fetch_row(Stream& stream, const std::string& message_id) {
  try {
    MessageRow row = fetch_message(stream.graph(), stream.settings, message_id, stream.token());
    // It was asked for by its id, so that this is known even where the answer has broken it.
    if (row.received || row.subject || row.body || row.from) row.id = message_id;
    return row;
  } catch (const GraphError& error) {
    if (tells_folder_missing(error)) return std::nullopt;
    throw;
  }
}

void deliver(Stream& stream, Arrival& arrival) {
  const std::shared_ptr<const FolderIdentity> folder = stream.identity();
  std::optional<BuiltMail> built;
  try {
    if (!read_whole_row(stream, *folder, arrival)) return;
    built = build(stream, *folder, arrival);
  } catch (const mail::FaultError& error) {
    const mail::Fault& fault = error.fault();
    if (fault.remedy == Remedy::cancelled || fault.cause == Cause::state_disk) throw;
    const auto* refusal = dynamic_cast<const GraphError*>(&error);
    if (refusal != nullptr && tells_folder_missing(*refusal) && !fetch_row(stream, arrival.row.id)) {
      drop(stream, arrival);  // it left while it was read
      return;
    }
    const bool many = stream.item_failures >= 3 && arrival.note.kind != AsideKind::unreadable;
    if (concerns_item(error) && !many) {
      set_unreadable(stream, arrival, fault);
      return;
    }
    if (!arrival.note.around && ++stream.head_failures < 3) throw;  // the mailbox's trouble
    step_around(stream, *folder, arrival, fault);
    return;
  }
  mail_read(stream);
  arrival.note.around = false;
  if (keep_watching(stream, *folder, arrival, *built)) return;
  if (wait_for_scan(stream, *folder, arrival, *built)) return;
  if (arrival.note.kind != AsideKind::offered) {
    // On disk before the host has it: after a crash the host is told that it may have had it.
    Arrival offered;
    offered.row.id = arrival.row.id;
    offered.note = arrival.note;
    if (arrival.note.kind != AsideKind::retry) arrival.tries = 0;
    offered.note.kind = AsideKind::offered;
    offered.note.fingerprint = digest_of(fingerprint_of(stream.settings, arrival.row));
    offered.first_seen = arrival.first_seen;
    offered.tries = arrival.tries;
    offered.offered = true;
    stream.core.store()->set_aside(aside_of(offered, folder->stream, stream.core.wall()));
    arrival.note.fingerprint = offered.note.fingerprint;
    stream.asides_stale = true;
  }
  hand_over(stream, folder, arrival, std::move(*built));
}

}  // namespace m365
