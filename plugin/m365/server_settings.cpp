#include "m365/server_settings.h"

#include <algorithm>
#include <array>

#include "m365/cloud.h"
#include "m365/forms.h"
#include "m365/server_settings_values.h"

namespace m365 {
namespace {

using mail::Scope;

// One pass over one form: values out, faults to the host, and whether there were any.
class Reader {
 public:
  Reader(const mail::Settings& settings, const std::vector<mail::Field>& form, Scope scope, mail::Problems& problems)
      : settings_(settings), form_(form), scope_(scope), problems_(problems) {
    sound_ = check_keys(settings, form, scope, problems);
  }

  bool sound() const { return sound_; }

  void fail(std::string_view key, const std::string& sentence) {
    sound_ = false;
    problems_.add(key, sentence);
  }

  // Without the blanks that copying brings along; empty when not given.
  std::string text(std::string_view key) const { return std::string(trimmed(raw(key))); }

  // As it stands: a blank may belong to a password. One at either end never does (entra-oauth.md, section 4).
  std::string secret(std::string_view key) {
    const std::string_view value = raw(key);
    if (trimmed(value).size() == value.size()) return std::string(value);
    fail(key, "The " + label(key) + " begins or ends with a blank or a line break. Enter it without.");
    return {};
  }

  template <typename Number>
  Number number(std::string_view key, Number otherwise, std::uint64_t least, std::uint64_t most) {
    const std::string value = text(key);
    if (value.empty()) return otherwise;
    const auto parsed = parse_number(value);
    if (parsed && *parsed >= least && *parsed <= most) return static_cast<Number>(*parsed);
    fail(key,
         label(key) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
    return otherwise;
  }

  std::string label(std::string_view key) const { return label_of(form_, scope_, key); }

 private:
  std::string_view raw(std::string_view key) const {
    const auto found = settings_.find(key);
    return found == settings_.end() ? std::string_view() : std::string_view(found->second);
  }

  const mail::Settings& settings_;
  const std::vector<mail::Field>& form_;
  const Scope scope_;
  mail::Problems& problems_;
  bool sound_ = true;
};

std::string origin_text(const UrlParts& url, const std::string& port_where_none) {
  const std::string& port = url.port.empty() ? port_where_none : url.port;
  return url.scheme + "://" + url.host + (port.empty() || port == "443" ? "" : ":" + port);
}

// "https://host[:port]" and nothing more than a slash.
std::optional<UrlParts> read_origin(Reader& reader, std::string_view key, const std::string& example) {
  const std::string value = reader.text(key);
  const auto url = split_url(value);
  if (!url || url->scheme != "https") {
    reader.fail(
        key, "The " + reader.label(key) + " must begin with https:// and name a server, for example " + example + ".");
    return std::nullopt;
  }
  if ((!url->path.empty() && url->path != "/") || url->has_query || !url->user_info.empty()) {
    reader.fail(key, "The " + reader.label(key) + " must end after the server's name: enter " + origin_text(*url, "") +
                         (url->path.starts_with("/v1.0") ? " (/v1.0 is added by itself)." : "."));
    return std::nullopt;
  }
  return url;
}

bool check_tenant(Reader& reader, std::string_view key, const std::string& tenant) {
  constexpr std::array anyones = {"common", "organizations", "consumers"};
  if (std::any_of(anyones.begin(), anyones.end(), [&](const char* name) { return same_text(name, tenant); })) {
    reader.fail(key, "\"" + tenant +
                         "\" stands for any tenant. Enter the Directory (tenant) ID of yours: it is on the "
                         "Overview page of Microsoft Entra ID.");
    return false;
  }
  if (is_guid(tenant) || is_domain(tenant)) return true;
  reader.fail(key, "The tenant \"" + tenant +
                       "\" is neither a GUID nor a domain name. Copy the Directory (tenant) ID from "
                       "the Overview page of Microsoft Entra ID.");
  return false;
}

// "https://login.microsoftonline.com/{tenant}", also as copied from an endpoint list (entra-oauth.md, section 14).
void read_address(Reader& reader, TenantSettings& tenant) {
  const std::string example = "https://login.microsoftonline.com/[tenant ID]";
  const std::string value = reader.text("address");
  if (value.empty()) return reader.fail("address", "The Address is missing. Enter " + example + ".");
  const auto url = split_url(value);
  if (!url || (url->scheme != "https" && url->scheme != "http")) {
    return reader.fail("address", "The Address is not a web address. Enter it as " + example + ".");
  }
  if (url->scheme == "http") {
    return reader.fail("address", "The Address begins with http://, which is not encrypted. Enter it with https://.");
  }
  if (!url->user_info.empty() || url->has_query) {
    return reader.fail("address", "The Address holds more than login address and tenant ID. Enter " + example + ".");
  }
  std::string path = url->path;
  while (path.ends_with('/')) path.pop_back();
  for (const std::string_view tail : {"/oauth2/v2.0/token", "/v2.0"}) {
    if (path.ends_with(tail)) path.resize(path.size() - tail.size());
  }
  if (path.size() < 2) {
    return reader.fail("address", "The Address lacks the tenant ID. Enter " + origin_text(*url, "") +
                                      "/ and the Directory (tenant) ID of the Overview page of Microsoft Entra ID.");
  }
  tenant.tenant = path.substr(1);
  if (tenant.tenant.find('/') != std::string::npos) {
    return reader.fail("address", "The Address goes on after the tenant ID. Enter " + origin_text(*url, "") + "/" +
                                      tenant.tenant.substr(0, tenant.tenant.find('/')) + ".");
  }
  if (check_tenant(reader, "address", tenant.tenant)) tenant.login_origin = origin_text(*url, "");
}

// The Graph root: entered, or that of the login host's cloud. `port` is used where an entered origin names none.
void read_graph_origin(Reader& reader, const std::string& port, TenantSettings& tenant) {
  const auto login = split_url(tenant.login_origin);
  if (!login) return;  // told already
  const Cloud* cloud = cloud_of_login_host(login->host);
  if (reader.text("graph_endpoint").empty()) {
    if (cloud == nullptr) {
      return reader.fail("graph_endpoint",
                         "The login address " + login->host +
                             " is of no cloud of Microsoft's that is known here. Enter where Microsoft "
                             "Graph answers, as https://[server].");
    }
    const auto root = split_url(cloud->graph_origin);
    tenant.graph_origin = origin_text(*root, port);
    tenant.delta_offered = cloud->delta_offered;
    return;
  }
  const auto graph = read_origin(reader, "graph_endpoint", "https://graph.microsoft.com");
  if (!graph) return;
  const Cloud* graph_cloud = cloud_of_graph_host(graph->host);
  if (cloud != nullptr && graph_cloud != nullptr && cloud != graph_cloud) {
    // A token of one cloud is refused by another, and its scope is unknown there: AADSTS500011.
    return reader.fail("graph_endpoint", graph->host + " belongs to " + std::string(graph_cloud->name) +
                                             ", but the login address " + login->host + " to " +
                                             std::string(cloud->name) +
                                             ". Leave this field empty, or change the other.");
  }
  tenant.graph_origin = origin_text(*graph, port);
  tenant.delta_offered = graph_cloud == nullptr || graph_cloud->delta_offered;
}

void read_client(Reader& reader, std::string_view key, TenantSettings& tenant) {
  tenant.client_id = reader.text(key);
  const std::string where = "Copy the Application (client) ID from the app's Overview page.";
  if (tenant.client_id.empty()) return reader.fail(key, "The " + reader.label(key) + " is missing. " + where);
  if (!is_guid(tenant.client_id)) reader.fail(key, "The " + reader.label(key) + " is not a GUID. " + where);
}

void read_secret(Reader& reader, std::string_view key, TenantSettings& tenant) {
  tenant.secret = reader.secret(key);
  // No fault: a Value could look like this. If Entra refuses it, its sentence says so too.
  if (is_guid(tenant.secret)) {
    tenant.warnings.push_back("The " + reader.label(key) +
                              " looks like a Secret ID. If it is refused, enter what the Value column shows.");
  }
}

void read_proxy(Reader& reader, TenantSettings& tenant) {
  tenant.proxy = reader.text("proxy");
  if (tenant.proxy.empty()) return;
  const auto url = split_url(tenant.proxy);
  const bool sound =
      url && url->scheme == "http" && !url->port.empty() && (url->path.empty() || url->path == "/") && !url->has_query;
  // The value may hold a password: the sentence does not repeat it.
  if (!sound) {
    reader.fail("proxy",
                "The Proxy must be entered as http://host:port or http://user:password@host:port; write "
                "characters such as @ : / in the password percent-encoded.");
  }
}

void read_connection(Reader& reader, TenantSettings& tenant) {
  tenant.ca_file = reader.text("ca_file");
  read_proxy(reader, tenant);
  tenant.workers = reader.number("workers", tenant.workers, 1, 64);
  const std::string expires = reader.text("secret_expires");
  if (expires.empty()) return;
  tenant.secret_expires = parse_date(expires);
  if (!tenant.secret_expires) tenant.secret_expires = parse_rfc3339(expires);
  if (!tenant.secret_expires) reader.fail("secret_expires", "Secret Expires must be a date such as 2026-12-31.");
}

bool check_folder(Reader& reader, std::string_view key, const std::string& path) {
  if (folder_path(path)) return true;
  reader.fail(key, "The folder \"" + path +
                       "\" has an empty part. Write a path as inbox/Claims, and \\/ for a slash in a "
                       "name.");
  return false;
}

// "move:FOLDER" into `result`; false when it is something else.
bool read_move(Reader& reader, std::string_view key, const std::string& value, AfterFetch& result) {
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

void read_after_fetch(Reader& reader, MailboxSettings& mailbox) {
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

void read_start(Reader& reader, MailboxSettings& mailbox) {
  const std::string start = reader.text("start_from");
  if (start.empty()) return;
  mailbox.start_from = start;
  if (start == "unread" || start == "all" || start == "now") return;
  mailbox.start_time = parse_rfc3339(start);
  if (!mailbox.start_time) {
    reader.fail("start_from", "Start From must be unread, all, now, or a time such as 2026-01-31T08:00:00Z.");
  }
}

void read_user(Reader& reader, SignIn sign_in, MailboxSettings& mailbox) {
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
  if (mailbox.password.empty() && reader.text("email_password").empty()) {
    reader.fail("email_password",
                "The E-Mail Password is missing. OAuth User signs in with the password of " + mailbox.user + ".");
  }
  if (names_user && is_guid(account)) {
    reader.fail("email_account",
                "OAuth User signs in with a user name. Enter it as user@contoso.com, not as object ID.");
  }
}

}  // namespace

std::optional<IncomingSettings> read_incoming(const mail::Settings& settings, mail::Problems& problems) {
  Reader reader(settings, incoming_form(), Scope::server, problems);
  IncomingSettings result;
  TenantSettings& tenant = result.tenant;
  read_address(reader, tenant);
  read_graph_origin(reader, "", tenant);
  read_client(reader, "client_id", tenant);
  read_secret(reader, "secret", tenant);
  const std::string type = reader.text("authentication_type");
  if (type == oauth_user) {
    tenant.sign_in = SignIn::user;
    tenant.warnings.push_back(
        "OAuth User sends account passwords, which Microsoft advises against and which fails as "
        "soon as multi-factor authentication is demanded. Prefer OAuth Service.");
  } else if (type != oauth_service) {
    reader.fail("authentication_type",
                type.empty()
                    ? "The Authentication Type is missing. Choose OAuth Service or OAuth User."
                    : "The Authentication Type \"" + type + "\" is not known. Choose OAuth Service or OAuth User.");
  } else if (tenant.secret.empty() && reader.text("secret").empty()) {
    reader.fail("secret",
                "The Secret is missing. OAuth Service needs the app's client secret: the Value column under "
                "Certificates & secrets.");
  }
  read_connection(reader, tenant);
  result.poll = std::chrono::seconds(reader.number("poll_seconds", result.poll.count(), 1, 3600));
  return reader.sound() ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<OutgoingSettings> read_outgoing(const mail::Settings& settings, mail::Problems& problems) {
  Reader reader(settings, outgoing_form(), Scope::server, problems);
  OutgoingSettings result;
  TenantSettings& tenant = result.tenant;
  tenant.tenant = reader.text("server");
  if (tenant.tenant.empty()) {
    reader.fail("server",
                "The " + reader.label("server") + " is missing. Enter the tenant: its GUID or its domain name.");
  } else {
    check_tenant(reader, "server", tenant.tenant);
  }
  const unsigned port = reader.number("port", 443u, 1, 65535);
  const std::string port_text = std::to_string(port);
  if (reader.text("login_address").empty()) {
    tenant.login_origin = origin_text(*split_url("https://login.microsoftonline.com"), port_text);
  } else if (const auto login = read_origin(reader, "login_address", "https://login.microsoftonline.com")) {
    tenant.login_origin = origin_text(*login, port_text);
  }
  read_graph_origin(reader, port_text, tenant);

  const std::string type = reader.text("authentication_type");
  if (type == oauth_user) {
    reader.fail("authentication_type",
                "OAuth User cannot be used for sending. Choose OAuth Service, and enter the app's "
                "client ID and secret.");
  } else if (type != oauth_service) {
    reader.fail("authentication_type",
                type.empty() ? "The Authentication Type is missing. Choose OAuth Service."
                             : "The Authentication Type \"" + type + "\" is not known. Choose OAuth Service.");
  }
  read_client(reader, "server_user", tenant);
  read_secret(reader, "password", tenant);
  if (tenant.secret.empty() && reader.text("password").empty()) {
    reader.fail("password",
                "The Password is missing. Enter the app's client secret: the Value column under Certificates "
                "& secrets.");
  }
  const std::string set_password = reader.text("set_password");
  if (set_password == "false" && !tenant.secret.empty()) {
    tenant.warnings.push_back("Set Password is off beside a Password. The Password is used.");
  } else if (!set_password.empty() && set_password != "true" && set_password != "false") {
    reader.fail("set_password", "Set Password must be true or false.");
  }
  result.mailbox_user = reader.text("mailbox_user");
  if (!result.mailbox_user.empty() && !is_guid(result.mailbox_user) && !is_email(result.mailbox_user)) {
    reader.fail("mailbox_user",
                "The Mailbox User must be the object ID of a user (a GUID) or a user name such as "
                "support@contoso.com.");
  }
  tenant.client_id_may_be_user = result.mailbox_user.empty();
  read_connection(reader, tenant);
  return reader.sound() ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<MailboxSettings> read_mailbox(const mail::Settings& settings, SignIn sign_in, mail::Problems& problems) {
  Reader reader(settings, incoming_form(), Scope::mailbox, problems);
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

std::optional<int> secret_expiry_notice(const TenantSettings& tenant, mail::WallTime now) {
  if (!tenant.secret_expires) return std::nullopt;
  const auto left = *tenant.secret_expires - now;
  for (const int days : {0, 1, 7, 30, 60}) {
    if (left <= std::chrono::days(days)) return days;
  }
  return std::nullopt;
}

std::optional<mail::Fault> secret_expiry_warning(const TenantSettings& tenant, mail::WallTime now) {
  const auto notice = secret_expiry_notice(tenant, now);
  if (!notice) return std::nullopt;
  mail::Fault fault;
  fault.cause = mail::Cause::secret_expires_soon;
  fault.remedy = mail::Remedy::administrator;
  const std::string date = format_date(*tenant.secret_expires);
  // The stage and not the day: the text stays the same until the next notice is due.
  fault.text = "The client secret of app " + tenant.client_id + " in tenant " + tenant.tenant +
               (*notice == 0 ? " was to expire on " + date
                             : " expires on " + date + ", in " + std::to_string(*notice) +
                                   (*notice == 1 ? " day or less" : " days or less")) +
               ". Create a new one under Certificates & secrets, enter its Value here, and then its date as "
               "secret_expires.";
  return fault;
}

}  // namespace m365
