// The forms of the two server types, and what an administrator typed into them, checked field by field.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mail/health.h"
#include "mail/secret.h"
#include "mail/settings.h"

namespace m365 {

enum class SignIn { service, user };  ///< "OAuth Service", "OAuth User"

/// What both kinds of server need to reach the tenant.
struct TenantSettings {
  std::string login_origin;   ///< "https://login.microsoftonline.com", as typed but without a slash at the end
  std::string tenant;         ///< GUID or domain
  std::string graph_origin;   ///< without "/v1.0"
  bool delta_offered = true;  ///< false in the China cloud: plain lists instead (graph-mail.md, section 1)
  SignIn sign_in = SignIn::service;
  std::string client_id;
  mail::Secret secret;  ///< may be empty with SignIn::user
  std::string ca_file;
  mail::Secret proxy;  ///< there may be a password in it
  std::optional<mail::WallTime> secret_expires;
  unsigned workers = 8;
  /// The outgoing server's "Server User" meant the mailbox's user in the older document: for the sentence when Entra
  /// does not know the client ID.
  bool client_id_may_be_user = false;
  /// What is no fault but worth a line in the log when the server starts. No secrets.
  std::vector<std::string> warnings = {};
};

struct IncomingSettings {
  TenantSettings tenant;
  std::chrono::seconds poll{10};
};

/// So many automatic answers from one queue to one correspondent leave within the window; 0: any number.
struct AutomaticLimit {
  unsigned answers = 10;
  std::chrono::minutes window{10};
};

struct OutgoingSettings {
  TenantSettings tenant;
  std::string mailbox_user;  ///< the user in Graph's path when sending; empty: the message's mailbox, else its from
  AutomaticLimit automatic;
};

struct AfterFetch {
  enum class Kind { mark_read, move, erase, leave } kind = Kind::mark_read;
  std::string folder;  ///< of move
};

struct MailboxSettings {
  std::string address;    ///< the queue's address
  std::string user;       ///< the mailbox in Graph's path, and the sign-in name of OAuth User
  mail::Secret password;  ///< of OAuth User
  std::uint32_t priority = UINT32_MAX;
  std::string folder = "inbox";
  std::string start_from = "unread";  ///< "unread", "all", "now"; else start_time is set
  std::optional<mail::WallTime> start_time;
  unsigned first_fetch_limit = 500;  ///< 0: none
  AfterFetch after_fetch;
  AfterFetch rejected{AfterFetch::Kind::move, "Rejected"};  ///< move or leave; leave where after_fetch is leave
  bool suppress_read_receipts = true;
  std::uint64_t max_email_size_kb = 25600;
  std::chrono::minutes scan_wait{15}, reconcile{15};
};

const std::vector<mail::Field>& incoming_form();  ///< server and mailbox scope, labels as in the product's documents
const std::vector<mail::Field>& outgoing_form();

/// nullopt when anything is wrong; every fault is told to `problems` with its key and a sentence. Unknown keys are
/// faults.
std::optional<IncomingSettings> read_incoming(const mail::Settings& settings, mail::Problems& problems);
std::optional<OutgoingSettings> read_outgoing(const mail::Settings& settings, mail::Problems& problems);
std::optional<MailboxSettings> read_mailbox(const mail::Settings& settings, SignIn sign_in, mail::Problems& problems);

/// The names of a folder path, from the top: "/" parts them, "\/" is a slash in a name. nullopt when a part is empty.
std::optional<std::vector<std::string>> folder_path(std::string_view text);

/// Which notice is due for `secret_expires`: 60, 30, 7 or 1 (days, the nearest that was reached), 0 once the date has
/// passed; nullopt before, or when no date was entered.
std::optional<int> secret_expiry_notice(const TenantSettings& tenant, mail::WallTime now);
/// The same as a warning to show (Cause::secret_expires_soon), with the date and what to do.
std::optional<mail::Fault> secret_expiry_warning(const TenantSettings& tenant, mail::WallTime now);

}  // namespace m365
