#include "m365/incoming/delivery_verdict.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "m365/incoming/marking.h"
#include "m365/incoming/owed_receipts.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Level;
using mail::Verdict;

void write_aside(Stream& stream, const store::SetAside& aside) {
  try {
    stream.core.store()->set_aside(aside);
  } catch (const mail::FaultError&) {
    // The row that says "offered" still stands on disk: the mail is not forgotten, only its due time is.
    const std::lock_guard lock(stream.mutex);
    stream.unsaved_asides.push_back(aside);
    stream.disk_refused = true;
  }
  const std::lock_guard lock(stream.mutex);
  stream.asides_changed = true;
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
  if (delivery.built.scan_pending) {
    receipt.attachments_digest = delivery.built.attachments_digest;
    store::SetAside aside;
    aside.stream = receipt.stream;
    aside.message_id = delivery.message_id;
    AsideNote note = delivery.note;
    note.kind = AsideKind::watch;
    aside.reason = to_reason(note);
    aside.due = receipt.decided + 1min;
    aside.first_seen = receipt.decided;
    write_receipt(stream, std::move(receipt));  // removes the row that the next one writes anew
    write_aside(stream, aside);
  } else {
    owe_receipt(stream, std::move(receipt));
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
    // The disk fails: the receipt below stays owed until it is back.
  }
  receipt.tries = before + 1;
  receipt.pending_mark = rejected_mark(stream.settings);
  write_receipt(stream, receipt);
  const mail::SteadyTime now = stream.core.now();
  bool hold = false, tripped = false;
  {
    const std::lock_guard lock(stream.mutex);
    auto& lately = stream.lately_rejected;
    lately.emplace_back(now, delivery.message_id);
    while (lately.size() > RefusalGuard::most_rejected || lately.front().first + RefusalGuard::window <= now)
      lately.pop_front();
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
    write_aside(stream, aside_of(arrival, receipt.stream, stream.core.wall()));
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

}  // namespace

std::chrono::milliseconds doubled(std::chrono::milliseconds first, int times, std::chrono::milliseconds most) {
  for (; times > 0 && first < most; --times) first *= 2;
  return std::min(first, most);
}

std::chrono::milliseconds proposed_retry(int tries) {
  return doubled(30s, tries, 15min);
}

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

bool acknowledge(IncomingCore& core, mail::DeliveryId id, Verdict verdict, std::chrono::milliseconds retry_after) {
  if (verdict != Verdict::accepted && verdict != Verdict::rejected && verdict != Verdict::retry_later) return false;
  const std::shared_ptr<Delivery> delivery = core.find(id);
  if (!delivery) return false;
  if (retry_after <= 0ms) retry_after = proposed_retry(delivery->tries);
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
  Stream& stream = *delivery->stream;
  std::size_t left = 0;
  {
    const std::lock_guard lock(stream.mutex);
    left = stream.undecided.size();
  }
  // A stream whose window was full goes on when half of it is free, or a moment later: verdicts come in bursts, and to
  // be woken for each costs more than the mail.
  const bool now = left == 0 || left == undecided_window / 2 || verdict != Verdict::accepted;
  core.schedule.hasten(fetch_job(stream.id), core.now() + (now ? 0ms : longest_owed));
  return true;
}

}  // namespace m365
