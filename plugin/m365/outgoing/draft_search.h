// Where a submission stands in the mailbox, after an answer was lost (graph-mail.md, section 10.7).
#pragma once

#include <cstddef>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "m365/message/message_row.h"
#include "m365/outgoing/submission_context.h"
#include "mail/health.h"

namespace m365 {

/// A message of ours as a look saw it.
struct Sighting {
  std::string id, folder_id, internet_message_id, conversation_id;
  std::optional<bool> is_draft;  ///< nullopt: the service does not say
};

/// From the JSON of a message. Throws FaultError when it is none; `mailbox` for its sentence.
Sighting read_sighting(const std::string& json, const std::string& mailbox);

/// What one look at Drafts, Outbox and Sent Items found.
struct Look {
  std::optional<Sighting> left;   ///< in Outbox or Sent Items, or no draft any more: it has left
  std::vector<Sighting> drafts;   ///< in Drafts, with the key
  bool own_draft_stands = false;  ///< the draft asked for is a draft in Drafts
};

/// Looks for one submission. All functions throw GraphError and FaultError.
class DraftSearch {
 public:
  /// `since`: nothing older is taken for this submission, so that a key used again long after does not find old mail.
  DraftSearch(const SubmissionContext& context, std::string mailbox, std::string key, mail::WallTime since);

  /// The draft of this id (may be empty: by key alone) and everything with the key. A folder that may not be searched,
  /// or whose search fails for good, counts as one where nothing was found.
  Look look(const std::string& draft_id, std::stop_token stop) const;
  /// The message that left, for its ids: by id, else in Sent Items by key. nullopt: not there yet.
  std::optional<Sighting> sent(const std::string& draft_id, std::stop_token stop) const;
  /// The mail that is answered, while it stands in this mailbox: its id, to reply to; empty when it does not.
  std::string answered_mail(const std::string& internet_message_id, std::stop_token stop) const;
  std::vector<AttachmentRow> attachments(const std::string& draft_id, std::stop_token stop) const;
  /// Best effort: gone already counts as removed; false, and a line in the log, when it cannot be removed now.
  bool remove_draft(const std::string& draft_id, std::stop_token stop) const;
  /// Of a submission whose fate is known: every draft of it that stands in Drafts was made late, and nobody sends it.
  /// False when one could not be removed now.
  bool remove_late_drafts(std::stop_token stop) const;
  /// Throws GraphError when it cannot be removed.
  void remove_attachment(const std::string& draft_id, const std::string& attachment_id, std::stop_token stop) const;

 private:
  std::optional<Sighting> by_id(const std::string& id, std::stop_token stop) const;
  std::vector<Sighting> by_key(const char* folder, std::stop_token stop) const;
  std::string search(const char* folder, const std::string& value, std::stop_token stop) const;
  std::string get(const std::string& path, const char* operation, std::stop_token stop) const;

  const SubmissionContext& context_;
  const std::string mailbox_, user_, key_;
  const mail::WallTime since_;
};

}  // namespace m365
