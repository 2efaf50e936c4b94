// The steps of a check: what is asked of Entra and Graph, and what the answers prove. No mail is read, marked or moved.
#pragma once

#include <map>
#include <stop_token>
#include <string>

#include "m365/graph/graph_client.h"
#include "m365/settings/server_settings.h"
#include "mail/check.h"
#include "mail/clock.h"

namespace m365 {

/// One checkup of one tenant with one sign-in. Its functions add one finding for each thing they looked at, failures
/// included; they throw nothing but what Findings::add throws.
class Checkup {
 public:
  /// All of them outlive it. `subject`: whom the sentences speak of.
  Checkup(GraphClient& graph, const TenantSettings& tenant, std::string subject, std::stop_token stop,
          mail::Findings& findings);

  /// Entra issues a token. False: nothing else can be asked.
  bool sign_in();
  /// The date of `secret_expires`, where one was entered and it is near.
  void expiry(mail::WallTime now);
  /// `permission` shows in the token; `needed_for` completes "is needed to ...".
  void permission(const std::string& permission, const std::string& needed_for);
  /// The folder is there, its mails can be listed, and how many the first opening would hand over.
  /// `others`: the address by folder id of those looked at before; this one is added. A folder of two is a failure.
  void folder(const MailboxSettings& mailbox, std::map<std::string, std::string>& others);
  /// The folders that after_fetch and rejected move to.
  void targets(const MailboxSettings& mailbox);
  /// The mailbox a reply would leave from is there.
  void sending_mailbox(const std::string& user);

 private:
  void passed(const char* step, std::string text);
  void failed(const char* step, const mail::Fault& fault);
  template <typename Ask>
  void ask(const char* step, Ask what);

  GraphClient& graph_;
  const TenantSettings& tenant_;
  const std::string subject_;
  const std::stop_token stop_;
  mail::Findings& findings_;
};

}  // namespace m365
