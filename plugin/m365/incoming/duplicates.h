// One mail under two ids: Outlook, archive and import do change even immutable ones (architecture, section 3).
#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "m365/incoming/stream.h"

namespace m365 {

/// The mail is in hand, with the host, or its verdict is not yet on disk. A verdict can come at any moment, and is on
/// disk before this turns false: what was read from the store earlier has to be read again then.
bool at_work(Stream& stream, const std::string& message_id);

/// A mail of this folder with the same second key was decided under another id: a receipt is written for this id too,
/// with a line in the log, and true returned.
bool absorb(Stream& stream, const FolderIdentity& folder, const MessageRow& row);
/// `like`: what the store said of the second key.
bool absorb(Stream& stream, const FolderIdentity& folder, const MessageRow& row,
            const std::optional<store::Receipt>& like);

/// What a folder has set aside, by the fingerprints of the notes. Read once, when it is first asked.
class SetAsides {
 public:
  SetAsides(Stream& stream, const FolderIdentity& folder) : stream_(stream), folder_(folder) {}
  /// In the order of their being due. Each may have been decided since.
  const std::vector<store::SetAside>& with(const std::string& fingerprint);

 private:
  Stream& stream_;
  const FolderIdentity& folder_;
  bool read_ = false;
  std::unordered_map<std::string, std::vector<store::SetAside>> by_fingerprint_;
};

/// A mail that is set aside, and not there any more under the id it was seen with, keeps its identity for the host.
void inherit_identity(Stream& stream, const FolderIdentity& folder, Arrival& arrival, SetAsides& asides);

}  // namespace m365
