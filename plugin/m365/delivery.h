// Handing one mail to the host, and what its verdict leads to.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "m365/stream.h"

namespace m365 {

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

store::Fingerprint fingerprint_of(const MailboxSettings& settings, const MessageRow& row);
/// The mail's identity for ever, as the host sees it.
std::string stable_id(const Stream& stream, const Arrival& arrival);

/// Reads what is missing of the mail, builds it, hands it over and does what the verdict says. Whatever concerns this
/// mail alone ends here (it is set aside); what concerns the mailbox is thrown, and the mail stays as it was: on disk
/// as set aside. Only the fetch half. Throws GraphError, mail::FaultError.
void deliver(Stream& stream, Arrival& arrival);

/// The verdict after PENDING. False: as mail::IncomingServer::acknowledge. Any thread.
bool acknowledge(IncomingCore& core, mail::DeliveryId id, mail::Verdict verdict, std::chrono::milliseconds retry_after);

/// Writes the verdicts that the disk did not take. Throws mail::FaultError (state_disk) when it still does not.
void save_receipts(Stream& stream);
/// After the guard tripped: the mails whose rejection is still to be carried out are kept where they are.
void hold_incident(Stream& stream);
/// After a while one mail is tried: has the host, or the service, come to its senses?
void probe(Stream& stream);

/// The fault that stands while the guard is tripped.
mail::Fault incident_fault(const Stream& stream, RefusalGuard::Incident incident);

/// One message, as build_mail wants it; nullopt when the service says it is not there.
std::optional<MessageRow> fetch_row(Stream& stream, const std::string& message_id);

}  // namespace m365
