// Delta: the change stream of one folder. graph-mail.md section 6.
//
// A mailbox numbers its changes. A folder keeps each message at the number of its last change, and a tombstone at the
// number at which a message left. A round knows up to where its client knew the folder (`base`), and has two phases:
//   A  (first series only) what is in the folder, newest first, by position (received, number);
//   B  what changed after the round's start, in the order of change, message and tombstone.
// No snapshot is kept: what changes meanwhile is reported again in phase B, as the documents allow. Tokens carry all of
// this and a check; an older generation of the folder than the present one is lost state.
#ifndef HOST_SIM_M365_DELTA_H_
#define HOST_SIM_M365_DELTA_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "m365/graph/query.h"
#include "m365/graph/render.h"
#include "m365/world/mailbox.h"

namespace embedded {

struct DeltaState {
  bool delta_link = false;  // the token ends a round (else it is in the middle of a series)
  std::uint64_t folder = 0, generation = 0;
  std::uint64_t base = 0;        // 0: the client knows nothing
  std::uint64_t start = 0;       // first series: the sequence at its beginning
  bool listing = false;          // phase A
  std::int64_t at_received = 0;  // phase A: where it stands
  std::uint64_t at_number = 0;
  std::uint64_t position = 0;  // phase B: last number reported
  std::uint64_t reported = 0;  // rows of phase A so far
  // Options of the first request:
  MessageProperties properties = 0;
  std::int64_t from = 0;  // receivedDateTime ge, milliseconds; 0: no filter
  std::uint64_t cap = 0;  // rows of phase A at most; 0: no limit
  std::string change_type;
  bool expand_attachments = false;
};

struct DeltaPage {
  std::string rows;  // joined with commas
  std::size_t count = 0;
  bool more = false;
};

// The first state of a series; throws GraphError 400 for options delta does not take.
DeltaState begin_delta(const Query& query, const Folder& folder, std::uint64_t sequence);

// With a check, so that one that was made up or belongs to an earlier run is told from a good one.
std::string encode_delta_token(const DeltaState& state);
// Throws GraphError: 400 when it is no token, 410 SyncStateNotFound when its state is gone.
DeltaState decode_delta_token(std::string_view token, bool delta_link, const Folder& folder);

// Reports up to `size` rows and moves the state on. When nothing is left the state becomes that of a deltaLink.
DeltaPage next_delta_page(DeltaState& state, Mailbox& mailbox, const Folder& folder, std::size_t size, View view,
                          bool forgets_returned);

}  // namespace embedded

#endif  // HOST_SIM_M365_DELTA_H_
