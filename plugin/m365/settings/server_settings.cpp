#include "m365/settings/server_settings.h"

#include <algorithm>
#include <array>

#include "m365/settings/cloud.h"
#include "m365/settings/forms.h"
#include "m365/settings/server_settings_reader.h"
#include "m365/settings/server_settings_values.h"

namespace m365 {
namespace {

using mail::Scope;

std::string origin_text(const UrlParts& url, const std::string& port_where_none) {
  const std::string& port = url.port.empty() ? port_where_none : url.port;
  return url.scheme + "://" + url.host + (port.empty() || port == "443" ? "" : ":" + port);
}

// "https://host[:port]" and nothing more than a slash.
std::optional<UrlParts> read_origin(SettingsReader& reader, std::string_view key, const std::string& example) {
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

bool check_tenant(SettingsReader& reader, std::string_view key, const std::string& tenant) {
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
void read_address(SettingsReader& reader, TenantSettings& tenant) {
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
void read_graph_origin(SettingsReader& reader, const std::string& port, TenantSettings& tenant) {
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

void read_client(SettingsReader& reader, std::string_view key, TenantSettings& tenant) {
  tenant.client_id = reader.text(key);
  const std::string where = "Copy the Application (client) ID from the app's Overview page.";
  if (tenant.client_id.empty()) return reader.fail(key, "The " + reader.label(key) + " is missing. " + where);
  if (!is_guid(tenant.client_id)) reader.fail(key, "The " + reader.label(key) + " is not a GUID. " + where);
}

void read_secret(SettingsReader& reader, std::string_view key, TenantSettings& tenant) {
  tenant.secret = reader.secret(key);
  // No fault: a Value could look like this. If Entra refuses it, its sentence says so too.
  if (is_guid(tenant.secret)) {
    tenant.warnings.push_back("The " + reader.label(key) +
                              " looks like a Secret ID. If it is refused, enter what the Value column shows.");
  }
}

void read_proxy(SettingsReader& reader, TenantSettings& tenant) {
  tenant.proxy = reader.secret_text("proxy");
  if (tenant.proxy.empty()) return;
  auto url = split_url(tenant.proxy);
  if (url) mail::wipe(url->user_info);
  const bool sound =
      url && url->scheme == "http" && !url->port.empty() && (url->path.empty() || url->path == "/") && !url->has_query;
  // The value may hold a password: the sentence does not repeat it.
  if (!sound) {
    reader.fail("proxy",
                "The Proxy must be entered as http://host:port or http://user:password@host:port; write "
                "characters such as @ : / in the password percent-encoded.");
  }
}

void read_connection(SettingsReader& reader, TenantSettings& tenant) {
  tenant.ca_file = reader.text("ca_file");
  read_proxy(reader, tenant);
  tenant.workers = reader.number("workers", tenant.workers, 1, 64);
  const std::string expires = reader.text("secret_expires");
  if (expires.empty()) return;
  tenant.secret_expires = parse_date(expires);
  if (!tenant.secret_expires) tenant.secret_expires = parse_rfc3339(expires);
  if (!tenant.secret_expires) reader.fail("secret_expires", "Secret Expires must be a date such as 2026-12-31.");
}

}  // namespace

std::optional<IncomingSettings> read_incoming(const mail::Settings& settings, mail::Problems& problems) {
  SettingsReader reader(settings, incoming_form(), Scope::server, problems);
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
  } else if (tenant.secret.empty() && !reader.given("secret")) {
    reader.fail("secret",
                "The Secret is missing. OAuth Service needs the app's client secret: the Value column under "
                "Certificates & secrets.");
  }
  read_connection(reader, tenant);
  result.poll = std::chrono::seconds(reader.number("poll_seconds", result.poll.count(), 1, 3600));
  return reader.sound() ? std::optional(std::move(result)) : std::nullopt;
}

std::optional<OutgoingSettings> read_outgoing(const mail::Settings& settings, mail::Problems& problems) {
  SettingsReader reader(settings, outgoing_form(), Scope::server, problems);
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
  if (tenant.secret.empty() && !reader.given("password")) {
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
  result.automatic.answers = reader.number("automatic_replies_limit", result.automatic.answers, 0, 1'000'000);
  result.automatic.window =
      std::chrono::minutes(reader.number("automatic_replies_minutes", result.automatic.window.count(), 1, 1440));
  read_connection(reader, tenant);
  return reader.sound() ? std::optional(std::move(result)) : std::nullopt;
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
