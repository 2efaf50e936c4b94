// A message as a client writes it in JSON -> the store. graph-mail.md sections 10 to 13.
#ifndef HOST_SIM_M365_DRAFT_H_
#define HOST_SIM_M365_DRAFT_H_

#include "m365/json.h"
#include "m365/world/message.h"

namespace embedded {

// All throw GraphError 400 and change nothing visible then: work on a copy.

// Every property that may stand in a new message; headers only x- and at most five.
void fill_draft(Message& draft, const Json& body, Time now);

// PATCH. Returns true when more than the read flag changes. `isRead` is not applied here but told in `read`.
struct PatchResult {
  bool content = false;
  std::optional<bool> read;
};
PatchResult patch_message(Message& message, const Json& body);

// An attachment of a POST or of a message's list.
Attachment parse_attachment(const Json& body, Time now);

// {"message": {...}, "comment": "..."} of createReply, reply and forward.
void apply_reply_body(Message& draft, const Json& body, Time now);

}  // namespace embedded

#endif  // HOST_SIM_M365_DRAFT_H_
