#include "m365/settings/forms.h"

#include <algorithm>
#include <cstdint>
#include <numeric>
#include <utility>

#include "m365/settings/server_settings.h"

namespace m365 {
namespace {

using mail::Field;
using mail::FieldType;
using mail::Scope;

Field field(const char* key, const char* label, FieldType type, const char* help) {
  Field f;
  f.key = key;
  f.label = label;
  f.help = help;
  f.type = type;
  return f;
}
Field required(Field f) {
  f.required = true;
  return f;
}
Field optional(Field f, const char* default_value = "") {
  f.advanced = true;
  f.default_value = default_value;
  return f;
}
Field of_mailbox(Field f) {
  f.scope = Scope::mailbox;
  return f;
}
Field choice(Field f, std::vector<std::pair<std::string, std::string>> choices) {
  f.choices = std::move(choices);
  return f;
}

// The fields that both server types have beside those of the product's documents.
void add_connection_fields(std::vector<Field>& form) {
  form.push_back(optional(field("graph_endpoint", "Graph Endpoint", FieldType::url,
                                "Where Microsoft Graph answers, without /v1.0. Leave empty in Microsoft's public and "
                                "national clouds: the login address decides.")));
  form.push_back(optional(field("ca_file", "CA File", FieldType::text,
                                "PEM file with certificates to trust in addition to the system's, for example those of "
                                "a proxy that inspects TLS.")));
  form.push_back(optional(field("proxy", "Proxy", FieldType::text, "http://[user:password@]host:port")));
  form.push_back(optional(field("secret_expires", "Secret Expires", FieldType::text,
                                "The date, as 2026-12-31, on which the client secret expires. You are warned 60, 30, 7 "
                                "and 1 days before.")));
}

std::vector<Field> make_incoming() {
  std::vector<Field> form;
  form.push_back(required(field("address", "Address", FieldType::url,
                                "https://[login address]/[tenant ID], for example https://login.microsoftonline.com/ "
                                "and the Directory (tenant) ID of the Overview page.")));
  form.push_back(required(choice(field("authentication_type", "Authentication Type", FieldType::choice,
                                       "OAuth Service: the app signs in with its secret. OAuth User: each mailbox "
                                       "signs in with its own account and password."),
                                 {{oauth_user, oauth_user}, {oauth_service, oauth_service}})));
  form.push_back(required(
      field("client_id", "Client ID", FieldType::text, "The Application (client) ID of the app's Overview page.")));
  form.push_back(field("secret", "Secret", FieldType::secret,
                       "The Value column (not the Secret ID) under Certificates & secrets. Needed for OAuth Service; "
                       "for OAuth User only when the app is a confidential client."));
  add_connection_fields(form);
  form.push_back(optional(
      field("poll_seconds", "Poll Seconds", FieldType::number, "How often a quiet mailbox is asked for new mail."),
      "10"));
  form.push_back(optional(field("workers", "Workers", FieldType::number, "Threads that fetch and deliver."), "8"));

  form.push_back(
      of_mailbox(required(field("address", "Address", FieldType::email, "The full email address of the mailbox."))));
  form.push_back(
      of_mailbox(field("priority", "Priority", FieldType::number, "The lowest value is fetched first; empty: last.")));
  form.push_back(of_mailbox(field("email_account", "E-Mail Account", FieldType::text,
                                  "The account that the mailbox is read by, when it is not the address: a user name "
                                  "with @, or the object ID of the user. A display name changes nothing.")));
  form.push_back(of_mailbox(field("email_password", "E-Mail Password", FieldType::secret,
                                  "Required for OAuth User: the password of the account.")));
  form.push_back(of_mailbox(optional(field("folder", "Folder", FieldType::text,
                                           "A well-known name such as inbox, or a path such as inbox/Claims. Write \\/ "
                                           "for a slash in a name."),
                                     "inbox")));
  form.push_back(of_mailbox(optional(field("start_from", "Start From", FieldType::text,
                                           "What the first opening fetches: unread, all, now (only what comes from now "
                                           "on), or a time such as 2026-01-31T08:00:00Z."),
                                     "unread")));
  form.push_back(of_mailbox(optional(field("first_fetch_limit", "First Fetch Limit", FieldType::number,
                                           "Fetch nothing when the first opening would hand over more mails than this, "
                                           "until you decide. 0: no limit."),
                                     "500")));
  form.push_back(
      of_mailbox(optional(field("after_fetch", "After Fetch", FieldType::text,
                                "What becomes of a mail that was accepted: mark_read, move:FOLDER (made when "
                                "missing), delete, or leave."),
                          "mark_read")));
  form.push_back(of_mailbox(optional(field("rejected", "Rejected", FieldType::text,
                                           "What becomes of a mail that was rejected: move:FOLDER (beside the fetched "
                                           "folder), or leave (the default where After Fetch is leave)."),
                                     "move:Rejected")));
  form.push_back(
      of_mailbox(optional(choice(field("read_receipts", "Read Receipts", FieldType::choice,
                                       "Whether the service may answer a sender who asked for a read receipt "
                                       "when a mail is marked as read."),
                                 {{"suppress", "Suppress"}, {"leave", "Leave to the service"}}),
                          "suppress")));
  form.push_back(of_mailbox(optional(field("max_email_size_kb", "Max E-Mail Size (KB)", FieldType::number,
                                           "Larger mails are handed over without their attachments' content."),
                                     "25600")));
  form.push_back(of_mailbox(optional(field("scan_wait_minutes", "Scan Wait (Minutes)", FieldType::number,
                                           "How long a mail waits for Safe Attachments to finish scanning."),
                                     "15")));
  form.push_back(of_mailbox(optional(field("reconcile_minutes", "Reconcile (Minutes)", FieldType::number,
                                           "How often unread and recent mail is compared with what was fetched."),
                                     "15")));
  return form;
}

std::vector<Field> make_outgoing() {
  std::vector<Field> form;
  form.push_back(required(field("server", "IP Address or Name of Mail Server", FieldType::text,
                                "The tenant ID of your Office365 system. This is a GUID or a domain name.")));
  form.push_back(field("port", "Port", FieldType::number, "If the default port 443 is used, leave empty."));
  form.push_back(required(choice(field("authentication_type", "Authentication Type", FieldType::choice,
                                       "To use OAuth authentication, choose the option OAuth Service."),
                                 {{oauth_service, oauth_service}})));
  form.push_back(
      required(field("server_user", "Server User", FieldType::text, "The Application (client) ID of the app.")));
  form.push_back(
      field("set_password", "Set Password", FieldType::toggle, "To enter the password, select this option."));
  form.push_back(required(field("password", "Password", FieldType::secret,
                                "The client secret: the Value column (not the Secret ID) under Certificates & "
                                "secrets.")));
  form.push_back(optional(field("mailbox_user", "Mailbox User", FieldType::text,
                                "The user whose mailbox sends, as object ID or user name, when it is not the sender's "
                                "address.")));
  form.push_back(optional(field("login_address", "Login Address", FieldType::url,
                                "Where the app signs in; for national clouds, for example "
                                "https://login.microsoftonline.us."),
                          "https://login.microsoftonline.com"));
  add_connection_fields(form);
  form.push_back(optional(field("automatic_replies_limit", "Automatic Replies Limit", FieldType::number,
                                "So many automatic replies a queue sends to one correspondent in the time below; more "
                                "are refused, for they are a loop of two machines. 0: no limit."),
                          "10"));
  form.push_back(optional(field("automatic_replies_minutes", "Automatic Replies (Minutes)", FieldType::number,
                                "The time in which automatic replies are counted."),
                          "10"));
  form.push_back(optional(field("workers", "Workers", FieldType::number, "Threads that send."), "8"));
  return form;
}

// Levenshtein's distance, one row at a time.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

const std::vector<Field>& incoming_form() {
  static const std::vector<Field> form = make_incoming();
  return form;
}

const std::vector<Field>& outgoing_form() {
  static const std::vector<Field> form = make_outgoing();
  return form;
}

bool check_keys(const mail::Settings& settings, const std::vector<Field>& form, Scope scope, mail::Problems& problems) {
  bool all_known = true;
  for (const auto& setting : settings) {
    const std::string& key = setting.first;
    const auto is_it = [&](const Field& f) { return f.scope == scope && key == f.key; };
    if (std::any_of(form.begin(), form.end(), is_it)) continue;
    const Field* nearest = nullptr;
    std::size_t least = SIZE_MAX;
    for (const Field& f : form) {
      if (f.scope != scope) continue;
      const std::size_t d = distance(key, f.key);
      if (d < least) {
        least = d;
        nearest = &f;
      }
    }
    if (nearest == nullptr) continue;
    all_known = false;
    problems.add(key, "There is no setting \"" + key + "\". The nearest one is \"" + nearest->key + "\".");
  }
  return all_known;
}

std::string label_of(const std::vector<Field>& form, Scope scope, std::string_view key) {
  for (const Field& f : form) {
    if (f.scope == scope && f.key == key) return f.label;
  }
  return std::string(key);
}

}  // namespace m365
