// One Graph request on its way: where it goes, who asks, and how the answer is wanted.
#ifndef HOST_SIM_M365_CALL_H_
#define HOST_SIM_M365_CALL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/entra/entra.h"
#include "m365/graph/graph_error.h"
#include "m365/graph/query.h"
#include "m365/graph/render.h"
#include "m365/json.h"
#include "m365/server/http.h"
#include "m365/world/directory.h"
#include "m365/world/mailbox.h"

namespace embedded {

struct World;
struct Route;

// The Prefer headers; what was honoured goes back in Preference-Applied.
struct Preferences {
  IdForm ids = IdForm::ordinary;
  std::optional<bool> text_body;
  bool unsafe_html = false;
  bool minimal = false;
  std::optional<std::size_t> page_size;
  std::vector<std::string> applied;
};
Preferences parse_preferences(const Headers& headers);

// A path below /v1.0 with key syntax opened: users('x') is users, x; a folder in front of a message is dropped, of a
// chain of child folders the last is kept; "microsoft.graph." and "()" of an action are dropped. Decoded.
std::vector<std::string> normal_segments(std::string_view encoded_path);

struct Call {
  const HttpRequest* request = nullptr;
  const Route* route = nullptr;
  std::vector<std::string> path;        // normal segments
  std::string user_name;                // as in the path; "me" for /me
  std::vector<std::string> parameters;  // what stands at the {} of the route, in order
  std::shared_ptr<const TokenClaims> token;
  Directory::AppPtr app;
  Directory::UserPtr actor;  // the signed-in user; null for an app-only call
  Directory::UserPtr owner;  // whose mailbox
  Preferences prefer;

  Mailbox& mailbox() const { return *owner->mailbox; }
  std::string_view query() const { return request->query(); }
  View view() const;
  // "https://.../v1.0/$metadata#users('..')/" + rest.
  std::string context(const World& world, std::string_view rest) const;
  // The JSON object of the body. Throws GraphError: Content-Type missing or wrong, no JSON. An empty body is an empty
  // object where `may_be_empty`.
  Json json_body(bool may_be_empty = false) const;
};

enum class Need { none, read, write, send };

using RouteHandler = HttpResponse (*)(World&, Call&);

struct Route {
  const char* method;
  const char* pattern;    // below the user; {} is one segment
  const char* operation;  // its name in the census and in fault rules
  Need need;
  RouteHandler handler;
};

HttpResponse json_response(int status, std::string body);

// ---- what the handlers share; the mailbox's lock is held ----

// By id or well-known name. Throws GraphError 400 or 404.
Folder& folder_of(Mailbox& mailbox, const std::string& name);
// The folder that the body of a move or copy names. Throws GraphError 400 or 404.
Folder& destination_of(Mailbox& mailbox, const Json& body);
// By either form of id; an ordinary id of an earlier place is not found. Throws GraphError 400 or 404.
Message& message_of(Mailbox& mailbox, const std::string& id);
Attachment& attachment_of(Mailbox& mailbox, Message& message, const std::string& id);
// Throws ErrorQuotaExceeded when the mailbox is full.
void check_quota(const Mailbox& mailbox);

// ---- the routes, by what they are about ----
const std::vector<Route>& folder_routes();
const std::vector<Route>& message_routes();
const std::vector<Route>& attachment_routes();
const std::vector<Route>& sending_routes();
const std::vector<Route>& id_routes();

}  // namespace embedded

#endif  // HOST_SIM_M365_CALL_H_
