#include "m365/incoming/delivery_incident.h"

#include <string>
#include <vector>

#include "m365/incoming/delivery.h"
#include "m365/incoming/delivery_verdict.h"
#include "m365/incoming/folder_finder.h"
#include "m365/incoming/marking.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {

using mail::Cause;
using mail::Remedy;

namespace {

store::SetAside refused_aside(const Stream& stream, const FolderIdentity& folder, const store::Receipt& receipt) {
  Arrival arrival;
  arrival.row.id = receipt.message_id;
  arrival.note.kind = AsideKind::refused;
  arrival.note.fingerprint = digest_of(receipt.fingerprint);
  arrival.first_seen = receipt.decided;
  return aside_of(arrival, folder.stream, stream.core.wall());
}

// The guard trips at the tenth mail, and a host that takes its time has seen the first nine moved by then.
void bring_back_lately_rejected(Stream& stream, const FolderIdentity& folder) {
  std::vector<std::string> ids;
  {
    const std::lock_guard lock(stream.mutex);
    for (const auto& rejected : stream.lately_rejected) ids.push_back(rejected.second);
  }
  const std::shared_ptr<store::Store> store = stream.core.store();
  std::size_t back = 0;
  for (const std::string& id : ids) {
    const auto receipt = store->receipt(folder.stream, id);
    if (!receipt || receipt->decision != store::Decision::rejected || !receipt->pending_mark.empty()) continue;
    const std::optional<MessageRow> row = fetch_row(stream, id);
    if (!row || !bring_back(stream, folder, *row)) continue;
    store->set_aside(refused_aside(stream, folder, *receipt));
    ++back;
  }
  if (back > 0) stream.note(mail::Level::info, std::to_string(back) + " rejected mails are back in the folder");
}

}  // namespace

bool bring_back(Stream& stream, const FolderIdentity& folder, const MessageRow& row) {
  if (!row.parent_folder_id || *row.parent_folder_id == folder.id) return true;
  if (rejected_mark(stream.settings).empty()) return false;  // whoever moved it, it was not this plugin
  const std::string rejected = rejected_folder(stream);
  if (*row.parent_folder_id != rejected && !FolderFinder::well_known(rejected)) return false;
  GraphRequest request;
  request.mailbox = stream.settings.user;
  request.method = "POST";
  request.path = user_path(stream.settings.user) + "/messages/" + http::percent_encode(row.id) + "/move";
  request.operation = "move a mail back";
  request.body = "{\"destinationId\":" + json_text(folder.id) + "}";
  try {
    stream.graph().send(request, stream.token());
    return true;
  } catch (const GraphError& error) {
    if (tells_folder_missing(error)) return false;  // it is gone, or somebody was quicker
    throw;
  }
}

void hold_incident(Stream& stream) {
  const std::shared_ptr<const FolderIdentity> folder = stream.identity();
  const std::shared_ptr<store::Store> store = stream.core.store();
  std::vector<store::SetAside> held;
  for (const store::Mark& mark : store->to_mark(folder->stream, 1000)) {
    const auto receipt = store->receipt(folder->stream, mark.message_id);
    if (!receipt || receipt->decision != store::Decision::rejected || receipt->tries >= most_tries_rejected) continue;
    held.push_back(refused_aside(stream, *folder, *receipt));
  }
  if (!held.empty()) store->set_aside_all(held);
  stream.asides_stale = true;
  bring_back_lately_rejected(stream, *folder);
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
