#include "m365/incoming/delivery_incident.h"

#include <string>
#include <vector>

#include "m365/incoming/delivery.h"
#include "m365/incoming/delivery_verdict.h"

namespace m365 {

using mail::Cause;
using mail::Remedy;

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
    held.push_back(aside_of(arrival, folder->stream, stream.core.wall()));
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
    Arrival arrival = arrival_of(aside);
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
