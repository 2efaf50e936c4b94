// Receipts of accepted mails, written together: one transaction, one fsync, for all that were accepted in a moment.
//
// What may go wrong meanwhile: the process dies, and the mails whose receipts were still owed are handed over once
// more. They are flagged REDELIVERED and have the same stable_id, for their "offered" rows were on disk before the host
// was called. So the gap that is always there between the host's verdict and its receipt is wider, but bounded: at most
// `most_owed` mails of a mailbox, and `longest_owed` and a commit in time. Nothing is marked before its receipt is on
// disk, because marks are read from there.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <mutex>
#include <vector>

#include "store/store.h"

namespace m365 {

class IncomingCore;
struct Stream;

/// One page of a folder that is read alone.
constexpr std::size_t most_owed = 50;
constexpr std::chrono::milliseconds longest_owed{20};

/// The streams of one server that owe receipts. Any thread.
class Debtors {
 public:
  /// True: it is the first since the last take(), so a turn for all is to be planned.
  bool add(std::shared_ptr<Stream> stream);
  std::vector<std::shared_ptr<Stream>> take();

  /// Held while receipts are on their way to the disk, so that two writers cannot take each other's for written.
  std::mutex writing;

 private:
  std::mutex mutex_;
  std::vector<std::shared_ptr<Stream>> streams_;  // guarded by mutex_
};

/// Takes the receipt of a mail the host has accepted, and sees to it that it is written soon. Any thread. Never throws
/// but for want of memory.
void owe_receipt(Stream& stream, store::Receipt receipt);
/// Writes the receipt now, or keeps it until the disk is back. Any thread.
void write_receipt(Stream& stream, store::Receipt receipt);

/// True: the stream owes as many receipts as it may.
bool owes_much(Stream& stream);
/// Writes what this stream owes, and what else of its verdicts the disk did not take before. Throws mail::FaultError
/// (state_disk) when it still does not; nothing is forgotten then. Any thread.
void save_receipts(Stream& stream);
/// The turn for all streams: writes what they owe. A stream whose receipts the disk refuses shows that itself, in its
/// own turn. Never throws.
void save_owed_receipts(IncomingCore& core);

}  // namespace m365
