// The simulated world's first state: from a tenant file, or built in.
//
// {"tenants": [{"id": GUID, "name": .., "domains": [..],
//    "apps":  [{"client_id": GUID, "name": .., "secrets": [{"id": GUID, "value": .., "expires": RFC3339}], "roles":
//    ["Mail.ReadWrite"],
//               "scopes": [..], "public_client": false, "enabled": true,
//               "policies": [{"right": "RestrictAccess", "mailboxes": [..]}], "grants": [{"role": .., "mailboxes":
//               [..]}]}],
//    "users": [{"upn": .., "id": GUID, "name": .., "addresses": [primary, ..], "password": .., "enabled": true,
//    "shared": false,
//               "mfa": false, "mailbox": true, "language": "fi", "found_by_address": false, "full_access": [..],
//               "send_as": [..]}],
//    "mails": [{"mailbox": address, "folder": "inbox", "file": "a.eml", "received": RFC3339, "read": false}]}],
//  "queues": [{"name": .., "language": "en", "priority": 10, "address": .., "address_priority": 5,
//  "extension_language": "fi"}], "queue_app": GUID,        the app of contact-center.json (default: the first)
//  "behaviour": {..}, "throttling": {..}, "token_life": 3599}      as the control door takes them
//
// What is left out gets a sensible value: GUIDs are made, an app without "secrets" gets one, a shared mailbox has no
// sign-in.
#ifndef HOST_SIM_M365_TENANT_FILE_H_
#define HOST_SIM_M365_TENANT_FILE_H_

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "m365/json.h"
#include "m365/world/directory.h"

namespace embedded {

struct World;

struct Queue {
  std::string name, language, address, extension_language, mailbox;
  std::optional<int> priority, address_priority;
};

// What contact-center.json is made of.
struct ContactCenter {
  std::string tenant, client_id, secret;
  std::vector<Queue> queues;
};

// Throw std::runtime_error with the JSON path and the reason.
ContactCenter load_tenant_file(World& world, const std::filesystem::path& file);
ContactCenter load_built_in(World& world);

// One entry, as it stands in the file; the control door takes the same. `where` is the path in messages.
App parse_app(const Json& source, const std::string& where);
User parse_user(World& world, const Json& source, const std::string& tenant, const std::string& where);
std::vector<AccessPolicy> parse_policies(const Json& source, const std::string& where);
std::vector<ScopedGrant> parse_grants(const Json& source, const std::string& where);
void apply_behaviour(World& world, const Json& source);
void apply_throttling(World& world, const Json& source);

// DIR/contact-center.json with the secret in a file beside it, both 0600.
void write_contact_center(const World& world, const ContactCenter& center, const std::filesystem::path& dir);

}  // namespace embedded

#endif  // HOST_SIM_M365_TENANT_FILE_H_
