// What the host's verdict on a mail leads to: a receipt, a later try, and never the loss of either.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "m365/incoming/stream.h"

namespace m365 {

/// A rejected mail that comes back gets one new try.
constexpr int most_tries_rejected = 2;

/// So many mails of a stream may be in the host's hands at a time.
constexpr std::size_t undecided_window = 32;

/// A mail in the host's hands.
struct Delivery {
  StreamPtr stream;
  std::shared_ptr<const FolderIdentity> folder;
  BuiltMail built;
  std::string message_id;
  store::Fingerprint fingerprint;
  AsideNote note;
  mail::WallTime first_seen{};
  int tries = 0;
  bool receipt_requested = false;

  std::mutex mutex;
  // Guarded by mutex.
  bool calling = true;  ///< on_message has not returned yet
  bool decided = false;
  std::optional<std::pair<mail::Verdict, std::chrono::milliseconds>> early;  ///< acknowledged before it returned
};

/// Carries the verdict out; what the disk does not take is kept in memory. Once for each delivery, any thread.
void settle(Delivery& delivery, mail::Verdict verdict, std::chrono::milliseconds retry_after);

/// The verdict after PENDING. False: as mail::IncomingServer::acknowledge. Any thread.
bool acknowledge(IncomingCore& core, mail::DeliveryId id, mail::Verdict verdict, std::chrono::milliseconds retry_after);

/// `first`, doubled `times` times, at most `most`.
std::chrono::milliseconds doubled(std::chrono::milliseconds first, int times, std::chrono::milliseconds most);
/// 30 s to 15 minutes, growing with the tries.
std::chrono::milliseconds proposed_retry(int tries);

}  // namespace m365
