#include "m365/delivery.h"

#include <algorithm>
#include <vector>

#include "m365/duplicates.h"
#include "m365/folder_finder.h"
#include "m365/marking.h"
#include "m365/server_settings_values.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Cause;
using mail::Level;
using mail::Remedy;
using mail::Verdict;

constexpr int most_tries_rejected = 2;  // a rejected mail that comes back gets one new try

std::chrono::milliseconds doubled(std::chrono::milliseconds first, int times, std::chrono::milliseconds most) {
  for (; times > 0 && first < most; --times) first *= 2;
  return std::min(first, most);
}

store::SetAside aside_of(const Stream& stream, const Arrival& arrival, store::StreamId id) {
  store::SetAside aside;
  aside.stream = id;
  aside.message_id = arrival.row.id;
  aside.reason = to_reason(arrival.note);
  aside.due = stream.core.wall();
  aside.first_seen = arrival.first_seen;
  aside.tries = arrival.tries;
  aside.offered = arrival.offered;
  return aside;
}

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

void write_aside(Stream& stream, const store::SetAside& aside) {
  try {
    stream.core.store()->set_aside(aside);
  } catch (const mail::FaultError&) {
    // The row that says "offered" still stands on disk: the mail is not forgotten, only its due time is.
    const std::lock_guard lock(stream.mutex);
    stream.unsaved_asides.push_back(aside);
  }
  const std::lock_guard lock(stream.mutex);
  stream.asides_changed = true;
}

void write_receipt(Stream& stream, const store::Receipt& receipt) {
  bool saved = true;
  try {
    stream.core.store()->decide(receipt);
  } catch (const mail::FaultError&) {
    saved = false;
  }
  const std::lock_guard lock(stream.mutex);
  if (!saved) stream.unsaved.push_back(receipt);
  if (!receipt.pending_mark.empty()) stream.marks_waiting = true;
}

store::Receipt receipt_of(const Delivery& delivery, store::Decision decision) {
  store::Receipt receipt;
  receipt.stream = delivery.folder->stream;
  receipt.message_id = delivery.message_id;
  receipt.fingerprint = delivery.fingerprint;
  receipt.decision = decision;
  receipt.decided = delivery.stream->core.wall();
  return receipt;
}

void settle_accepted(Stream& stream, const Delivery& delivery) {
  store::Receipt receipt = receipt_of(delivery, store::Decision::accepted);
  receipt.pending_mark = accepted_mark(stream.settings, delivery.receipt_requested);
  const bool watch = delivery.built.scan_pending;
  if (watch) receipt.attachments_digest = delivery.built.attachments_digest;
  write_receipt(stream, receipt);
  if (watch) {
    store::SetAside aside;
    aside.stream = receipt.stream;
    aside.message_id = delivery.message_id;
    AsideNote note = delivery.note;
    note.kind = AsideKind::watch;
    aside.reason = to_reason(note);
    aside.due = receipt.decided + scan_pause(0);
    aside.first_seen = receipt.decided;
    write_aside(stream, aside);
  }
  const std::lock_guard lock(stream.mutex);
  if (stream.guard.incident() == RefusalGuard::Incident::host_refuses) {
    stream.guard.release();
    stream.asides_changed = stream.marks_waiting = true;
  }
}

void settle_rejected(Stream& stream, const Delivery& delivery) {
  store::Receipt receipt = receipt_of(delivery, store::Decision::rejected);
  int before = 0;
  try {
    if (const auto earlier = stream.core.store()->receipt(receipt.stream, receipt.message_id)) before = earlier->tries;
  } catch (const mail::FaultError&) {
    // The disk fails: the receipt below is kept in memory until it is back.
  }
  receipt.tries = before + 1;
  receipt.pending_mark = rejected_mark(stream.settings);
  write_receipt(stream, receipt);
  const mail::SteadyTime now = stream.core.now();
  bool hold = false, tripped = false;
  {
    const std::lock_guard lock(stream.mutex);
    if (stream.guard.incident() == RefusalGuard::Incident::host_refuses) {
      stream.guard.probe_failed(now);
      hold = true;
    } else if (stream.guard.rejected(now)) {
      stream.incident_to_hold = tripped = true;
    }
  }
  if (hold) {
    Arrival arrival;
    arrival.row.id = delivery.message_id;
    arrival.note = delivery.note;
    arrival.note.kind = AsideKind::refused;
    arrival.first_seen = delivery.first_seen;
    write_aside(stream, aside_of(stream, arrival, receipt.stream));
  }
  if (tripped) {
    stream.note(Level::error, "the host rejected " + std::to_string(RefusalGuard::most_rejected) +
                                  " mails within an hour; nothing more is handed over or moved until it accepts again");
  }
}

void settle_later(Stream& stream, const Delivery& delivery, std::chrono::milliseconds retry_after) {
  store::SetAside aside;
  aside.stream = delivery.folder->stream;
  aside.message_id = delivery.message_id;
  AsideNote note = delivery.note;
  note.kind = AsideKind::retry;
  aside.due = stream.core.wall() + retry_after;
  aside.first_seen = delivery.first_seen;
  aside.tries = delivery.tries + 1;
  {
    const std::lock_guard lock(stream.mutex);
    if (stream.guard.incident() == RefusalGuard::Incident::host_refuses) {
      note.kind = AsideKind::refused;  // not the acceptance that ends an incident
      stream.guard.probe_later(stream.core.now() + std::max<std::chrono::milliseconds>(retry_after, 30s));
    }
  }
  aside.reason = to_reason(note);
  write_aside(stream, aside);
}

// Any thread; once for each delivery.
void settle(Delivery& delivery, Verdict verdict, std::chrono::milliseconds retry_after) {
  Stream& stream = *delivery.stream;
  if (verdict == Verdict::accepted) {
    settle_accepted(stream, delivery);
  } else if (verdict == Verdict::rejected) {
    settle_rejected(stream, delivery);
  } else {
    settle_later(stream, delivery, retry_after);
  }
  const std::lock_guard lock(stream.mutex);
  stream.undecided.erase(delivery.message_id);
  stream.asides_changed = true;
}

// Given up after 24 h, while other mails of the mailbox were read: it is treated like a rejected one.
bool give_up(Stream& stream, const Arrival& arrival) {
  if (stream.core.wall() - arrival.first_seen < 24h || stream.last_mail_read <= arrival.first_seen) return false;
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

void set_unreadable(Stream& stream, Arrival& arrival, const mail::Fault& fault) {
  if (give_up(stream, arrival)) {
    stream.asides_stale = true;
    return;
  }
  if (arrival.note.kind != AsideKind::unreadable) {
    arrival.tries = 0;
    ++stream.item_failures;
    stream.note(Level::warning, "the mail with the id " + arrival.row.id + " cannot be read now and is set aside (" +
                                    fault.text + (fault.request_id.empty() ? "" : ", request-id " + fault.request_id) +
                                    ")");
  }
  arrival.note.kind = AsideKind::unreadable;
  store::SetAside aside = aside_of(stream, arrival, stream.identity()->stream);
  aside.due += doubled(1min, arrival.tries, 60min);
  aside.tries = arrival.tries + 1;
  stream.core.store()->set_aside(aside);
  stream.asides_stale = true;
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
    if (!arrival.row.complete()) throw mail::FaultError(not_as_documented(arrival.row));
    arrival.whole = true;
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
  store::SetAside aside = aside_of(stream, arrival, folder.stream);
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
  store::SetAside aside = aside_of(stream, arrival, folder.stream);
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
  std::chrono::milliseconds retry_after = doubled(30s, arrival.tries, 15min);
  Verdict verdict = Verdict::none;
  const bool called = stream.core.in_host(
      &stream, [&] { verdict = stream.listener.on_message(id, delivery->built.mail, retry_after); });
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
    return fetch_message(stream.graph(), stream.settings, message_id, stream.token());
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
    // The mailbox's trouble. But a mail that fails again and again while it stands in front is stepped around.
    if (++stream.head_failures < 3) throw;
    stream.head_failures = 0;
    store::SetAside aside = aside_of(stream, arrival, folder->stream);
    aside.due += 5min;
    stream.core.store()->set_aside(aside);
    stream.asides_stale = true;
    return;
  }
  mail_read(stream);
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
    stream.core.store()->set_aside(aside_of(stream, offered, folder->stream));
    arrival.note.fingerprint = offered.note.fingerprint;
    stream.asides_stale = true;
  }
  hand_over(stream, folder, arrival, std::move(*built));
}

bool acknowledge(IncomingCore& core, mail::DeliveryId id, Verdict verdict, std::chrono::milliseconds retry_after) {
  if (verdict != Verdict::accepted && verdict != Verdict::rejected && verdict != Verdict::retry_later) return false;
  const std::shared_ptr<Delivery> delivery = core.find(id);
  if (!delivery) return false;
  if (retry_after <= 0ms) retry_after = doubled(30s, delivery->tries, 15min);
  {
    const std::lock_guard lock(delivery->mutex);
    if (delivery->decided) return false;
    delivery->decided = true;
    if (delivery->calling) {
      delivery->early.emplace(verdict, retry_after);
      return true;
    }
  }
  if (!core.take(id)) return false;  // stopped or closed meanwhile: it is delivered again
  settle(*delivery, verdict, retry_after);
  core.schedule.hasten(fetch_job(delivery->stream->id), core.now());
  return true;
}

void save_receipts(Stream& stream) {
  std::vector<store::Receipt> receipts;
  std::vector<store::SetAside> asides;
  {
    const std::lock_guard lock(stream.mutex);
    receipts.swap(stream.unsaved);
    asides.swap(stream.unsaved_asides);
  }
  try {
    if (!receipts.empty()) stream.core.store()->decide_all(receipts);
    receipts.clear();
    if (!asides.empty()) stream.core.store()->set_aside_all(asides);
  } catch (...) {
    const std::lock_guard lock(stream.mutex);
    stream.unsaved.insert(stream.unsaved.begin(), receipts.begin(), receipts.end());
    stream.unsaved_asides.insert(stream.unsaved_asides.begin(), asides.begin(), asides.end());
    throw;
  }
  stream.asides_stale = true;
}

void hold_incident(Stream& stream) {
  const std::shared_ptr<const FolderIdentity> folder = stream.identity();
  const std::shared_ptr<store::Store> store = stream.core.store();
  std::vector<store::SetAside> held;
  for (const store::Receipt& receipt : store->to_mark(folder->stream, 1000)) {
    if (receipt.decision != store::Decision::rejected || receipt.tries >= most_tries_rejected) continue;
    Arrival arrival;
    arrival.row.id = receipt.message_id;
    arrival.note.kind = AsideKind::refused;
    arrival.note.fingerprint = digest_of(receipt.fingerprint);
    arrival.first_seen = receipt.decided;
    held.push_back(aside_of(stream, arrival, folder->stream));
  }
  if (!held.empty()) store->set_aside_all(held);
  stream.asides_stale = true;
  const std::lock_guard lock(stream.mutex);
  stream.incident_to_hold = false;
}

void probe(Stream& stream) {
  RefusalGuard::Incident incident;
  {
    const std::lock_guard lock(stream.mutex);
    incident = stream.guard.incident();
    if (incident == RefusalGuard::Incident::service_fault) stream.guard.try_again();
    // The next probe, should this one end without a verdict.
    stream.guard.probe_later(stream.core.now() + RefusalGuard::first_probe);
  }
  stream.asides_stale = true;
  if (incident != RefusalGuard::Incident::host_refuses) return;
  for (const store::SetAside& aside : stream.core.store()->asides(stream.identity()->stream)) {
    Arrival arrival;
    arrival.row.id = aside.message_id;
    arrival.note = from_reason(aside.reason);
    arrival.first_seen = aside.first_seen;
    arrival.offered = aside.offered;
    if (arrival.note.kind != AsideKind::refused) continue;
    arrival.tries = 0;
    deliver(stream, arrival);
    return;
  }
  // None of the incident is left in the folder; the next mail in hand tells.
  if (stream.in_hand.empty()) {
    const std::lock_guard lock(stream.mutex);
    stream.guard.release();
    return;
  }
  deliver(stream, stream.in_hand.front());
  stream.in_hand.pop_front();
  --stream.core.rows_in_hand;
}

mail::Fault incident_fault(const Stream& stream, RefusalGuard::Incident incident) {
  mail::Fault fault;
  fault.remedy = Remedy::administrator;
  if (incident == RefusalGuard::Incident::host_refuses) {
    fault.cause = Cause::host_refuses;
    fault.text = stream.address() + ": the contact center rejected " + std::to_string(RefusalGuard::most_rejected) +
                 " mails within an hour. Fetching has stopped and nothing is moved; look into the contact center's log "
                 "for why it rejects. One mail is offered again every quarter of an hour or more, and fetching goes on "
                 "when it is accepted.";
  } else {
    fault.cause = Cause::service_fault;
    fault.text = stream.address() + ": " + std::to_string(RefusalGuard::most_unreadable) +
                 " mails could not be read from the mailbox within an hour. Fetching has stopped and nothing is moved; "
                 "it is tried again every quarter of an hour or more. If this stays, give the request-ids in the log "
                 "to Microsoft's support.";
  }
  return fault;
}

}  // namespace m365
