// Entra ID's directory of the simulated world: tenants, apps with their secrets and grants, users.
//
// Entries are immutable snapshots; a change puts a new one in its place. So a request works on one state from its
// beginning to its end without holding a lock.
#ifndef HOST_SIM_M365_DIRECTORY_H_
#define HOST_SIM_M365_DIRECTORY_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "m365/server/clock.h"

namespace embedded {

class Mailbox;

struct Secret {
  std::string id;     // the "Secret ID" of the portal, a GUID
  std::string value;  // the "Value"
  std::optional<Time> expires;
};

// exchange-admin.md section 6.
struct AccessPolicy {
  bool deny = false;                // DenyAccess, else RestrictAccess
  std::set<std::string> mailboxes;  // any address, UPN or id of the mailbox, lower case
};

// exchange-admin.md section 5: a permission granted in Exchange, for some mailboxes only.
struct ScopedGrant {
  std::string role;                 // "Mail.ReadWrite"
  std::set<std::string> mailboxes;  // as above
};

struct App {
  std::string client_id;  // lower case
  std::string name;
  std::string object_id;
  bool enabled = true;
  bool public_client = false;  // "Allow public client flows": takes no secret
  std::vector<Secret> secrets;
  std::set<std::string> roles;   // application permissions granted in Entra
  std::set<std::string> scopes;  // delegated permissions consented
  std::vector<AccessPolicy> policies;
  std::vector<ScopedGrant> scoped_grants;
};

struct User {
  std::string id;      // object id, lower case
  std::string tenant;  // tenant GUID
  std::string upn;     // as written
  std::string display_name;
  std::vector<std::string> addresses;  // SMTP, primary first; lower case
  std::string password;
  bool enabled = true;  // false: sign-in blocked, as for the user behind a shared mailbox
  bool shared = false;
  bool mfa = false;
  // Directory lookups by an SMTP address that is not the UPN succeed too. Off: they are answered 404, see
  // graph-mail.md 2.
  bool found_by_address = false;
  std::uint64_t password_version = 0;  // refresh tokens of an older one are void
  std::set<std::string> full_access;   // who may open this mailbox: UPN or id, lower case
  std::set<std::string> send_as;       // who may send as this mailbox
  std::shared_ptr<Mailbox> mailbox;    // null: no Exchange Online mailbox

  const std::string& primary_address() const { return addresses.empty() ? upn : addresses.front(); }
  // Is this mailbox named by one of the entries (address, UPN or id)?
  bool named_in(const std::set<std::string>& names) const;
};

struct Tenant {
  std::string id;  // GUID, lower case
  std::string name;
  std::vector<std::string> domains;  // verified ones, lower case; mail to them is delivered here
};

class Directory {
 public:
  using AppPtr = std::shared_ptr<const App>;
  using UserPtr = std::shared_ptr<const User>;

  // All throw std::runtime_error for a second one of the same id, domain, UPN or address, or a tenant that is not
  // there.
  void add_tenant(Tenant tenant);
  void put_app(const std::string& tenant, App app);  // adds or replaces
  void put_user(User user);                          // adds or replaces, by id

  std::optional<Tenant> tenant(std::string_view guid_or_domain) const;
  std::vector<Tenant> tenants() const;
  AppPtr app(std::string_view tenant, std::string_view client_id) const;
  std::vector<std::pair<std::string, AppPtr>> apps() const;  // with their tenants
  // By object id or UPN; by another address only where the user says so.
  UserPtr user(std::string_view tenant, std::string_view id_or_upn) const;
  // By any SMTP address or UPN, in every tenant: who gets a mail.
  UserPtr recipient(std::string_view address) const;
  std::vector<UserPtr> users() const;
  bool hosts(std::string_view domain) const;

  // Change one entry; false when it is not there.
  bool change_app(std::string_view client_id, const std::function<void(App&)>& change);
  bool remove_app(std::string_view client_id);
  bool change_user(std::string_view any_name, const std::function<void(User&)>& change);
  bool remove_user(std::string_view any_name);

 private:
  UserPtr recipient_locked(const std::string& address) const;
  void index_user(const UserPtr& user);
  void forget_user(const User& user);

  mutable std::shared_mutex mutex_;
  // Guarded by mutex_:
  std::map<std::string, Tenant, std::less<>> tenants_;
  std::map<std::string, std::string, std::less<>> domains_;  // domain -> tenant
  std::map<std::string, AppPtr, std::less<>> apps_;          // tenant|client id
  std::map<std::string, UserPtr, std::less<>> users_;        // tenant|id and tenant|UPN
  std::map<std::string, UserPtr, std::less<>> by_address_;   // every address and UPN
};

}  // namespace embedded

#endif  // HOST_SIM_M365_DIRECTORY_H_
