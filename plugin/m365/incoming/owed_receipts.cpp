#include "m365/incoming/owed_receipts.h"

#include <algorithm>
#include <utility>

#include "m365/incoming/stream.h"

namespace m365 {
namespace {

using StreamPtr = std::shared_ptr<Stream>;

// How many receipts of which stream are in a group.
struct Share {
  StreamPtr stream;
  std::size_t count = 0;
};

// They are on disk: the front of what the stream owed, for new ones are put behind it.
void forget_written(Stream& stream, std::size_t count) {
  const std::lock_guard lock(stream.mutex);
  const auto end = stream.owed.begin() + static_cast<std::ptrdiff_t>(count);
  const auto marks =
      std::count_if(stream.owed.begin(), end, [](const auto& receipt) { return !receipt.pending_mark.empty(); });
  stream.marks_waiting = stream.marks_waiting || marks > 0;
  stream.marks_written += static_cast<std::size_t>(marks);
  if (end == stream.owed.end()) {
    stream.owed = {};  // with its memory: most mailboxes are idle most of the time
  } else {
    stream.owed.erase(stream.owed.begin(), end);
  }
  stream.asides_changed = true;  // their rows are gone
}

// What the disk does not take stays owed, and the stream knows of it.
void try_to_save(Stream& stream) {
  try {
    save_receipts(stream);
  } catch (const mail::FaultError&) {
  }
}

void note_refused(Stream& stream) {
  const std::lock_guard lock(stream.mutex);
  stream.disk_refused = true;
}

}  // namespace

bool Debtors::add(StreamPtr stream) {
  const std::lock_guard lock(mutex_);
  streams_.push_back(std::move(stream));
  return streams_.size() == 1;
}

std::vector<StreamPtr> Debtors::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(streams_, {});
}

void owe_receipt(Stream& stream, store::Receipt receipt) {
  bool listed = true;
  {
    const std::lock_guard lock(stream.mutex);
    stream.owed.push_back(std::move(receipt));
    listed = std::exchange(stream.listed_as_debtor, true);
  }
  if (!listed && stream.core.debtors.add(stream.shared_from_this()))
    stream.core.schedule.plan(receipts_job, stream.core.now() + longest_owed, 0);
  // Stopped or closed: its last turn may be over. Looked at after the receipt was put there: either that turn sees the
  // receipt, or this sees the closed door.
  if (!stream.core.door_is_open(stream)) try_to_save(stream);
}

void write_receipt(Stream& stream, store::Receipt receipt) {
  {
    const std::lock_guard lock(stream.mutex);
    stream.owed.push_back(std::move(receipt));
  }
  try_to_save(stream);
}

bool owes_much(Stream& stream) {
  const std::lock_guard lock(stream.mutex);
  return stream.owed.size() >= most_owed;
}

void save_receipts(Stream& stream) {
  const std::lock_guard writing(stream.core.debtors.writing);
  std::vector<store::Receipt> receipts;
  std::vector<store::SetAside> asides;
  {
    const std::lock_guard lock(stream.mutex);
    receipts = stream.owed;
    asides = stream.unsaved_asides;
    if (receipts.empty() && asides.empty()) return;
  }
  try {
    if (!receipts.empty()) {
      stream.core.store()->decide_all(receipts);
      forget_written(stream, receipts.size());
    }
    if (!asides.empty()) stream.core.store()->set_aside_all(asides);
  } catch (...) {
    note_refused(stream);
    throw;
  }
  const std::lock_guard lock(stream.mutex);
  stream.unsaved_asides.erase(stream.unsaved_asides.begin(),
                              stream.unsaved_asides.begin() + static_cast<std::ptrdiff_t>(asides.size()));
  stream.disk_refused = !stream.unsaved_asides.empty();
}

void save_owed_receipts(IncomingCore& core) {
  const std::lock_guard writing(core.debtors.writing);
  std::vector<Share> group;
  std::vector<store::Receipt> receipts;
  for (StreamPtr& stream : core.debtors.take()) {
    const std::lock_guard lock(stream->mutex);
    stream->listed_as_debtor = false;
    if (stream->owed.empty() || stream->disk_refused) continue;  // written meanwhile; or it asks the disk by itself
    receipts.insert(receipts.end(), stream->owed.begin(), stream->owed.end());
    group.push_back({stream, stream->owed.size()});
  }
  if (receipts.empty()) return;
  bool written = true;
  try {
    core.store()->decide_all(receipts);
  } catch (const std::exception&) {
    written = false;
  }
  for (const Share& share : group) {
    if (written) {
      forget_written(*share.stream, share.count);
    } else {
      note_refused(*share.stream);
    }
    // It marks, says that it is idle, or shows what the disk says.
    core.schedule.hasten(fetch_job(share.stream->id), core.now());
  }
}

}  // namespace m365
