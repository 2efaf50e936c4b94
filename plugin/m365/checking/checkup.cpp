#include "m365/checking/checkup.h"

#include <utility>

#include "m365/checking/granted.h"
#include "m365/incoming/folder_finder.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

using mail::Cause;
using mail::Finding;
using Result = mail::Finding::Result;

Finding finding_of(Result result, const char* step, const mail::Fault& fault) {
  return {result, step, fault.text, fault.cause, fault.code, fault.request_id};
}

// What the first opening would hand over; -1 when only a count at the service could tell.
std::int64_t first_mails(const MailboxSettings& mailbox, const FolderRow& folder) {
  if (mailbox.start_time) return -1;
  if (mailbox.start_from == "now") return 0;
  return mailbox.start_from == "all" ? folder.total : folder.unread;
}

std::string counted(std::int64_t mails) {
  return std::to_string(mails) + (mails == 1 ? " mail" : " mails");
}

}  // namespace

Checkup::Checkup(GraphClient& graph, const TenantSettings& tenant, std::string subject, std::stop_token stop,
                 mail::Findings& findings)
    : graph_(graph), tenant_(tenant), subject_(std::move(subject)), stop_(std::move(stop)), findings_(findings) {}

void Checkup::passed(const char* step, std::string text) {
  findings_.add({Result::passed, step, std::move(text), Cause::none, {}, {}});
}

void Checkup::failed(const char* step, const mail::Fault& fault) {
  Finding finding = finding_of(Result::failed, step, fault);
  if (fault.remedy == mail::Remedy::cancelled) {
    finding.cause = Cause::network;
    finding.text = subject_ + ": the time for the check was over before the service had answered. Check again; if it " +
                   "stays so, look at the way to the service (firewall, proxy).";
  }
  findings_.add(finding);
}

template <typename Ask>
void Checkup::ask(const char* step, Ask what) {
  try {
    what();
  } catch (const mail::FaultError& error) {
    failed(step, error.fault());
  }
}

bool Checkup::sign_in() {
  bool signed_in = false;
  ask("sign in", [&] {
    graph_.tokens().current(stop_);
    signed_in = true;
    const std::string permissions = graph_.tokens().permissions();
    std::string text = "Entra gave a token for the tenant " + tenant_.tenant + " and the app " + tenant_.client_id;
    // Grants through Exchange RBAC never show in a token (entra-oauth.md, section 8).
    text += permissions.empty() || permissions == "none"
                ? "; it names no permissions, as with RBAC for Applications: the mailboxes tell what is granted"
                : "; permissions: " + permissions;
    passed("sign in", std::move(text));
  });
  return signed_in;
}

void Checkup::expiry(mail::WallTime now) {
  if (const auto warning = secret_expiry_warning(tenant_, now))
    findings_.add(finding_of(Result::warning, "secret", *warning));
}

void Checkup::permission(const std::string& permission, const std::string& needed_for) {
  switch (granted(graph_.tokens().permissions(), permission)) {
    case Granted::yes:
      passed("permission", permission + " is granted");
      return;
    case Granted::no: {
      mail::Fault fault;
      fault.cause = Cause::consent_missing;
      fault.text = subject_ + ": the app lacks " + permission + ", which is needed to " + needed_for +
                   ". Grant it in the app registration under API permissions (Microsoft Graph, " +
                   (tenant_.sign_in == SignIn::service ? "application" : "delegated") +
                   " permissions) with admin consent, or as a role of RBAC for Applications.";
      failed("permission", fault);
      return;
    }
    case Granted::unsaid:
      findings_.add({Result::unknown,
                     "permission",
                     subject_ + ": whether " + permission + " is granted, which is needed to " + needed_for +
                         ", cannot be told without doing it. With RBAC for Applications ask Exchange: " +
                         "Test-ServicePrincipalAuthorization.",
                     Cause::none,
                     {},
                     {}});
      return;
  }
}

void Checkup::folder(const MailboxSettings& mailbox, std::map<std::string, std::string>& others) {
  ask("folder", [&] {
    const FolderRow folder = FolderFinder(graph_, mailbox.user, mailbox.address, stop_).find(mailbox.folder);
    passed("folder", "\"" + folder.name + "\" is there: " + counted(folder.total) + ", " +
                         std::to_string(folder.unread) + " unread");
    const auto [holder, fresh] = others.try_emplace(folder.id, mailbox.address);
    if (!fresh && holder->second != mailbox.address)
      failed("folder", shared_folder(mailbox.address, holder->second, folder.name));
    ask("list", [&] {
      GraphRequest request;
      request.mailbox = mailbox.user;
      request.operation = "list the folder";
      request.path =
          user_path(mailbox.user) + "/mailFolders/" + http::percent_encode(folder.id) + "/messages?$top=1&$select=id";
      graph_.send(request, stop_);
      passed("list", "its mails can be listed");
    });
    const std::int64_t first = first_mails(mailbox, folder);
    if (mailbox.first_fetch_limit > 0 && first > mailbox.first_fetch_limit) {
      mail::Fault fault;
      fault.cause = Cause::first_fetch;
      fault.text = mailbox.address + ": opened for the first time, it would hand over " + std::to_string(first) +
                   " mails, more than first_fetch_limit (" + std::to_string(mailbox.first_fetch_limit) +
                   "). Set start_from to all or to a time, or raise the limit. A mailbox that was opened before is not "
                   "concerned.";
      findings_.add(finding_of(Result::warning, "first fetch", fault));
    }
  });
}

void Checkup::targets(const MailboxSettings& mailbox) {
  if (mailbox.after_fetch.kind != AfterFetch::Kind::move) return;
  try {
    const FolderRow target =
        FolderFinder(graph_, mailbox.user, mailbox.address, stop_).find(mailbox.after_fetch.folder);
    passed("target", "fetched mails move to \"" + target.name + "\"");
  } catch (const mail::FaultError& error) {
    if (error.fault().cause != Cause::folder_missing) {
      failed("target", error.fault());
      return;
    }
    passed("target", "fetched mails move to \"" + mailbox.after_fetch.folder + "\", which will be made");
  }
}

void Checkup::sending_mailbox(const std::string& user) {
  ask("mailbox", [&] {
    GraphRequest request;
    request.mailbox = user;
    request.operation = "look at the mailbox";
    request.path = user_path(user) + "/mailFolders/drafts?$select=id";
    try {
      graph_.send(request, stop_);
      passed("mailbox", "the mailbox is there");
    } catch (const GraphError& error) {
      // Only Mail.Send granted: reading is refused, and sending may work all the same (graph-mail.md, section 19).
      const std::string permissions = graph_.tokens().permissions();
      if (error.status() != 403 || granted(permissions, "Mail.Send") != Granted::yes ||
          granted(permissions, "Mail.ReadWrite") == Granted::yes)
        throw;
      findings_.add(
          {Result::unknown, "mailbox",
           user + ": with Mail.Send alone nothing of a mailbox can be looked at. Send one message to find " + "out.",
           error.fault().cause, error.fault().code, error.fault().request_id});
    }
  });
}

}  // namespace m365
