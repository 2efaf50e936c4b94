// The control door: how a test looks into the simulated world and changes it while it runs.
//
// HTTPS on a free port of loopback, the same CA, no sign-in; JSON in and out. Its address is printed by host-sim m365
// and stands in DIR/control.json ({"control": "https://localhost:PORT", "origin": ..., "upload_origin": ..., "ca_file":
// ...}). {a} is any address, UPN or object id of a mailbox; {m} a message id in either form, or its Message-ID; {f} a
// well-known folder name, a folder id or a display name. Refusals are {"error": "sentence"} with 400 or 404.
//
// Mail
//   POST   /mailboxes/{a}/messages?folder=inbox&received=RFC3339&count=N&read=true     body: the mail as MIME
//            A mail that arrived. With count its copies get Message-IDs of their own, <2.original>, <3.original> ...
//            201 {"ids": [..], "immutable_ids": [..], "internet_message_ids": [..]}
//   POST   /mailboxes/{a}/flood    {"count": 1000, "size": 8192, "headers": 10240, "folder": "inbox",
//   "attachment_size": 0,
//                                   "from": "2026-01-01T00:00:00Z", "step_seconds": 1, "subject": "Flood"}
//            Synthetic html mails, numbered; the newest arrives now when "from" is missing. 201 {"count": N}
//   GET    /mailboxes/{a}                       folders and messages, as in /state, with "text" and "html"
//   GET    /mailboxes/{a}/messages/{m}          one message, as in /state, with "text" and "html"
//   GET    /mailboxes/{a}/messages/{m}/mime     as it arrived or left; for a draft as it would leave
//   PATCH  /mailboxes/{a}/messages/{m}          {"is_read": true, "received": RFC3339, "subject": ".."}: by a person
//   POST   /mailboxes/{a}/messages/{m}/move     {"folder": {f}}: by a person, or a rule
//   DELETE /mailboxes/{a}/messages/{m}          gone for good
//   POST   /mailboxes/{a}/messages/{m}/attachments/replace  [{"name": .., "content_type": .., "content": base64}, ..]
//            All attachments are replaced, as Safe Attachments does: new ids, and a delta row.
//   POST   /mailboxes/{a}/folders               {"name": .., "parent": {f}}     DELETE /mailboxes/{a}/folders/{f}
//   PATCH  /mailboxes/{a}/folders/{f}           {"name": ..}
//   GET    /state                               {"mailboxes": [{"address", "upn", "id", "folders": [{"id", "name",
//   "well_known",
//            "total", "unread", "messages": [{"id", "immutable_id", "subject", "internet_message_id", "is_read",
//            "is_draft", "folder", "received", "from", "to", "cc", "bcc", "reply_to", "in_reply_to", "references",
//            "conversation_id", "message_class", "size", "headers" (own x- ones), "properties": [{"id", "value"}],
//            "attachments": [{"id", "name", "content_type", "size", "sha256", "inline", "content_id", "kind"}]}]}]}]}
//            ?mailbox={a}&folder={f} narrows it
//   GET    /left                                mails to domains that are not hosted: [{"from", "to", "when", "mime"}]
//   DELETE /left
//
// What was asked
//   GET    /requests                            {"total", "operations": {name: n}, "mailboxes": {address: n},
//   "batches",
//            "batched" (inner requests), "max_concurrency": {address: n}}. Inner requests count like others; a batch
//            itself counts only in "batches". Token requests are "token", pieces of an upload "upload.put".
//   POST   /requests/reset
//   GET    /issued                              {"tokens", "upload_tokens"}: given out, and to be found nowhere else
//
// Faults
//   POST   /faults     one rule or an array: {"match": {"method", "path": regex on path and query, "operation",
//   "mailbox",
//            "nth": hits only the n-th that matches, "every": each n-th, "count": at most so often}, "effect":
//            {"status", "code", "message", "retry_after": text ("120", "2.128", a date), "location", "work": "none" |
//            "done" | "later", "later_ms", "work_done_ms_later": n (= later, with 504 at once), "delay_ms", "cut":
//            "before" | "after" the work, "body": "half" | "garbage" | "html" | "empty", "close": "abrupt" | "clean"
//            (of a half body or a cut)}} Without status the work is done and its answer bent. The first rule that hits
//            wins.
//            Operations: token, batch, upload.put, folders.list|get|create|update|move|copy|delete|delta,
//            messages.list|delta|count|get|mime|update|delete|move|copy|purge|send|reply,
//            attachments.list|get|value|create| delete|session, drafts.create|createReply, sendMail, users.get,
//            ids.translate.
//   GET    /faults     the rules with "met" and "hit"          DELETE /faults
//   POST   /search_lag {"seconds": 5}           $filter does not find what was stored in that time
//   POST   /delta/forget {"mailbox": .., "folder": ..}   delta state is lost: 410; both optional
//   POST   /clock {"advance_seconds": 3600}     the service's clock: tokens, throttling, uploads and later work follow
//   it POST   /behaviour {"immutable_id_changes_on_send": bool, "patch_suppresses_receipt": bool,
//   "delta_forgets_returned": bool,
//            "new_message_id_on_send": bool, "transport_delay_ms": n, "body_limit": n}     GET /behaviour
//
// Directory
//   GET    /directory                           tenants, apps (without secret values), users
//   POST   /apps       {"tenant": .., "client_id": .., "name": .., ... as in the tenant file}      DELETE /apps/{client
//   id} PATCH  /apps/{id}  {"enabled": bool, "public_client": bool, "roles": [..], "scopes": [..]} POST
//   /apps/{id}/secrets  {"value": .., "expires": RFC3339, "replace": true}    adds, or replaces all; 201 {"id",
//   "value"} POST   /apps/{id}/secrets/expire            all of them are expired now          DELETE /apps/{id}/secrets
//   POST   /apps/{id}/policies [{"right": "RestrictAccess" | "DenyAccess", "mailboxes": [..]}]   replaces     DELETE
//   POST   /apps/{id}/grants   [{"role": "Mail.ReadWrite", "mailboxes": [..]}]   RBAC for Applications, replaces DELETE
//   POST   /users      as in the tenant file                                                   DELETE /users/{a}
//   PATCH  /users/{a}  {"enabled", "mfa", "password", "found_by_address", "addresses": [..], "full_access": [..],
//   "send_as": [..]} PATCH  /mailboxes/{a}/options  {"quota_exceeded", "quota_blocks_reading", "not_enabled": bool,
//   "daily_limit": n or null,
//            "max_send_size": n, "recipient_limit": n}
//   POST   /mailboxes/{a}/throttle {"count": 3, "retry_after": 2}     the next requests get 429
//   POST   /throttling {"on": bool, "requests": n, "window_seconds": n, "concurrent": n, "upload_bytes": n,
//   "upload_window_seconds": n} POST   /token_life {"seconds": 120}         of tokens issued from now on POST
//   /tokens/revoke                       every access token is void now       POST /tokens/unlock   ends lock-outs
#ifndef HOST_SIM_M365_CONTROL_H_
#define HOST_SIM_M365_CONTROL_H_

#include <string>
#include <vector>

#include "m365/json.h"
#include "m365/server/http.h"

namespace embedded {

struct World;

class Control {
 public:
  explicit Control(World& world) : world_(world) {}
  HttpResponse handle(const HttpRequest& request);

 private:
  World& world_;
};

// One mailbox, or one message of it, as /state shows it.
struct User;
class Mailbox;
struct Message;
struct Folder;
Json state_of(const User& user, const std::string& folder_filter, bool bodies);
Json state_of(Mailbox& mailbox, const Message& message, bool bodies = true);
// By well-known name, id or display name; nullptr when there is none. The mailbox's lock is held.
Folder* find_folder(Mailbox& mailbox, const std::string& name);

}  // namespace embedded

#endif  // HOST_SIM_M365_CONTROL_H_
