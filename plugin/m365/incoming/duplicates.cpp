#include "m365/incoming/duplicates.h"

#include <algorithm>
#include <utility>

#include "m365/incoming/delivery.h"

namespace m365 {

bool at_work(Stream& stream, const std::string& message_id) {
  if (std::ranges::any_of(stream.in_hand, [&](const Arrival& arrival) { return arrival.row.id == message_id; }))
    return true;
  const std::lock_guard lock(stream.mutex);
  return stream.undecided.contains(message_id) ||
         std::ranges::any_of(stream.owed, [&](const auto& receipt) { return receipt.message_id == message_id; }) ||
         std::ranges::any_of(stream.unsaved_asides, [&](const auto& aside) { return aside.message_id == message_id; });
}

bool absorb(Stream& stream, const FolderIdentity& folder, const MessageRow& row) {
  return absorb(stream, folder, row, stream.core.store()->receipt_like(fingerprint_of(stream.settings, row)));
}

bool absorb(Stream& stream, const FolderIdentity& folder, const MessageRow& row,
            const std::optional<store::Receipt>& like) {
  // Of another folder: it was moved here, and is this queue's now.
  if (!like || like->stream != folder.stream || like->message_id == row.id) return false;
  if (like->decision == store::Decision::rejected && like->gone) return false;
  store::Receipt receipt = *like;
  receipt.message_id = row.id;
  // What is still to be marked, moved or deleted is so under the new id: the old one will only say 404, which is
  // "done".
  receipt.decided = stream.core.wall();
  receipt.gone = false;
  if (receipt.decision == store::Decision::accepted) receipt.decision = store::Decision::skipped;
  stream.core.store()->decide(receipt);
  if (!receipt.pending_mark.empty()) {
    const std::lock_guard lock(stream.mutex);
    stream.marks_waiting = true;
  }
  ++stream.absorbed;
  stream.note(mail::Level::info, "a mail was seen under a second id and is not handed over again, id " + row.id +
                                     ", before " + like->message_id);
  return true;
}

const std::vector<store::SetAside>& SetAsides::with(const std::string& fingerprint) {
  if (!std::exchange(read_, true)) {
    for (store::SetAside& aside : stream_.core.store()->asides(folder_.stream)) {
      const std::string theirs = from_reason(aside.reason).fingerprint;
      if (!theirs.empty()) by_fingerprint_[theirs].push_back(std::move(aside));
    }
  }
  static const std::vector<store::SetAside> none;
  const auto found = by_fingerprint_.find(fingerprint);
  return found == by_fingerprint_.end() ? none : found->second;
}

void inherit_identity(Stream& stream, const FolderIdentity& folder, Arrival& arrival, SetAsides& asides) {
  if (!stream.asides_waiting || arrival.note.fingerprint.empty()) return;
  const std::shared_ptr<store::Store> store = stream.core.store();
  for (const store::SetAside& aside : asides.with(arrival.note.fingerprint)) {
    if (aside.message_id == arrival.row.id) continue;
    const AsideNote note = from_reason(aside.reason);
    if (at_work(stream, aside.message_id)) continue;
    if (!store->aside(folder.stream, aside.message_id)) continue;  // decided since they were listed
    if (fetch_row(stream, aside.message_id)) continue;             // both are there: a copy
    arrival.note.stable_id =
        note.stable_id.empty() ? stable_id_of(stream.core.settings.tenant.tenant, aside.message_id) : note.stable_id;
    arrival.offered = aside.offered;
    arrival.first_seen = aside.first_seen;
    store->drop_aside(folder.stream, aside.message_id);
    stream.asides_stale = true;
    return;
  }
}

}  // namespace m365
