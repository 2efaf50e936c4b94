// What the store's "reason" of a mail that is set aside says, and the identity of a mail that never changes.
#pragma once

#include <string>
#include <string_view>

#include "store/store.h"

namespace m365 {

enum class AsideKind {
  offered,     ///< given to the host, or about to be; no verdict yet
  retry,       ///< the host said RETRY_LATER
  listed,      ///< found by a list, or stepped around before it was: still to be fetched
  scan,        ///< Safe Attachments has not finished (exchange-admin.md, section 10)
  unreadable,  ///< the service could not give it
  refused,     ///< rejected while the host rejected everything: offered again when the host accepts
  watch,       ///< handed over with SCAN_PENDING: looked at until its attachments are there
};

struct AsideNote {
  AsideKind kind = AsideKind::listed;
  std::string fingerprint;  ///< digest of the second key, to recognise the mail after its id changed; may be empty
  std::string stable_id;    ///< only where it is not stable_id_of() the present id
  bool replaced = false;    ///< its attachments were replaced: ATTACHMENTS_REPLACED
  bool around = false;      ///< stepped around when it stood in front: its next failure is its own affair
};

std::string to_reason(const AsideNote& note);
/// Unknown words are left out: a file of a newer version does no harm.
AsideNote from_reason(std::string_view reason);

/// The first 16 bytes of SHA-256 over "tenant|message id", in hex. Tenants compare without case, ids with it.
std::string stable_id_of(std::string_view tenant, std::string_view message_id);
/// Empty when the mail has no Message-ID or no time: then there is no second key.
std::string digest_of(const store::Fingerprint& fingerprint);

}  // namespace m365
