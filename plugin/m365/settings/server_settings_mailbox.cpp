// What was typed for one address of a queue.
#include <algorithm>

#include "m365/settings/server_settings.h"
#include "m365/settings/server_settings_reader.h"

namespace m365 {
namespace {

bool check_folder(SettingsReader& reader, std::string_view key, const std::string& path) {
  if (folder_path(path)) return true;
  reader.fail(key, "The folder \"" + path +
                       "\" has an empty part. Write a path as inbox/Claims, and \\/ for a slash in a "
                       "name.");
  return false;
}

// "move:FOLDER" into `result`; false when it is something else.
bool read_move(SettingsReader& reader, std::string_view key, const std::string& value, AfterFetch& result) {
  if (!value.starts_with("move")) return false;
  if (value.size() > 4 && value[4] != ':') return false;
  result.kind = AfterFetch::Kind::move;
  result.folder = value.size() > 5 ? std::string(trimmed(std::string_view(value).substr(5))) : std::string();
  if (result.folder.empty()) {
    reader.fail(key, "\"move\" needs a folder: enter move:FOLDER, for example move:Done.");
  } else {
    check_folder(reader, key, result.folder);
  }
  return true;
}

void read_after_fetch(SettingsReader& reader, MailboxSettings& mailbox) {
  using Kind = AfterFetch::Kind;
  const std::string after = reader.text("after_fetch");
  if (after == "delete") {
    mailbox.after_fetch.kind = Kind::erase;
  } else if (after == "leave") {
    mailbox.after_fetch.kind = Kind::leave;
  } else if (!after.empty() && after != "mark_read" && !read_move(reader, "after_fetch", after, mailbox.after_fetch)) {
    reader.fail("after_fetch", "After Fetch must be mark_read, move:FOLDER, delete or leave.");
  }
  const std::string rejected = reader.text("rejected");
  if (rejected == "leave" || (rejected.empty() && mailbox.after_fetch.kind == Kind::leave)) {
    mailbox.rejected = {Kind::leave, ""};
  } else if (!rejected.empty() && !read_move(reader, "rejected", rejected, mailbox.rejected)) {
    reader.fail("rejected", "Rejected must be move:FOLDER or leave.");
  }
}

void read_start(SettingsReader& reader, MailboxSettings& mailbox) {
  const std::string start = reader.text("start_from");
  if (start.empty()) return;
  mailbox.start_from = start;
  if (start == "unread" || start == "all" || start == "now") return;
  mailbox.start_time = parse_rfc3339(start);
  if (!mailbox.start_time) {
    reader.fail("start_from", "Start From must be unread, all, now, or a time such as 2026-01-31T08:00:00Z.");
  }
}

void read_user(SettingsReader& reader, SignIn sign_in, MailboxSettings& mailbox) {
  mailbox.address = reader.text("address");
  if (mailbox.address.empty()) {
    reader.fail("address", "The Address is missing. Enter the full email address of the mailbox.");
  } else if (!is_email(mailbox.address)) {
    reader.fail("address", "\"" + mailbox.address +
                               "\" is not an email address. Enter the full address of the mailbox, "
                               "for example support@contoso.com.");
  }
  // The documents have a display name here ("Support"), which names nothing in Graph.
  const std::string account = reader.text("email_account");
  const bool names_user = account.find('@') != std::string::npos || is_guid(account);
  mailbox.user = names_user ? account : mailbox.address;
  if (names_user && !is_guid(account) && !is_email(account)) {
    reader.fail("email_account", "\"" + account + "\" is not a user name. Enter it as user@contoso.com.");
  }
  if (sign_in == SignIn::service) return;
  mailbox.password = reader.secret("email_password");
  if (mailbox.password.empty() && !reader.given("email_password")) {
    reader.fail("email_password",
                "The E-Mail Password is missing. OAuth User signs in with the password of " + mailbox.user + ".");
  }
  if (names_user && is_guid(account)) {
    reader.fail("email_account",
                "OAuth User signs in with a user name. Enter it as user@contoso.com, not as object ID.");
  }
}

}  // namespace

std::optional<MailboxSettings> read_mailbox(const mail::Settings& settings, SignIn sign_in, mail::Problems& problems) {
  SettingsReader reader(settings, incoming_form(), mail::Scope::mailbox, problems);
  MailboxSettings result;
  read_user(reader, sign_in, result);
  // The largest value means "none given" inside.
  result.priority = reader.number("priority", result.priority, 0, UINT32_MAX - 1);
  if (const std::string folder = reader.text("folder"); !folder.empty() && check_folder(reader, "folder", folder)) {
    result.folder = folder;
  }
  read_start(reader, result);
  result.first_fetch_limit = reader.number("first_fetch_limit", result.first_fetch_limit, 0, 1'000'000'000);
  read_after_fetch(reader, result);
  const std::string receipts = reader.text("read_receipts");
  result.suppress_read_receipts = receipts != "leave";
  if (!receipts.empty() && receipts != "leave" && receipts != "suppress") {
    reader.fail("read_receipts", "Read Receipts must be suppress or leave.");
  }
  result.max_email_size_kb = reader.number("max_email_size_kb", result.max_email_size_kb, 1, 1'048'576);
  result.scan_wait = std::chrono::minutes(reader.number("scan_wait_minutes", result.scan_wait.count(), 0, 1440));
  result.reconcile = std::chrono::minutes(reader.number("reconcile_minutes", result.reconcile.count(), 1, 1440));
  return reader.sound() ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<std::vector<std::string>> folder_path(std::string_view text) {
  std::vector<std::string> names(1);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "\\/") {
      names.back() += '/';
      ++i;
    } else if (text[i] == '/') {
      names.emplace_back();
    } else {
      names.back() += text[i];
    }
  }
  const bool empty_part =
      std::any_of(names.begin(), names.end(), [](const auto& name) { return trimmed(name).empty(); });
  if (empty_part) return std::nullopt;
  return names;
}

}  // namespace m365
