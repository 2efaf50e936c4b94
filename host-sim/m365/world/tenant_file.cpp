#include "m365/world/tenant_file.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "m365/mime/text.h"
#include "m365/server/tls.h"
#include "m365/world/mailbox.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

[[noreturn]] void fail(const std::string& where, const std::string& why) {
  throw std::runtime_error(where + ": " + why);
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void check_members(const Json& object, std::initializer_list<std::string_view> known, const std::string& where) {
  if (!object.is_object()) fail(where, "an object is expected");
  for (const auto& member : object.object()) {
    bool found = false;
    for (const auto name : known) found = found || name == member.first;
    if (!found) fail(where + "." + member.first, "this key is not known here");
  }
}

std::vector<std::string> texts(const Json& object, std::string_view name, const std::string& where) {
  const Json* list = object.find(name);
  if (list == nullptr || list->is_null()) return {};
  if (!list->is_array()) fail(where + "." + std::string(name), "an array is expected");
  std::vector<std::string> all;
  for (const auto& item : list->array()) {
    if (!item.is_string()) fail(where + "." + std::string(name), "a text is expected");
    all.push_back(item.string());
  }
  return all;
}

std::set<std::string> lower_set(const std::vector<std::string>& words) {
  std::set<std::string> all;
  for (const auto& word : words) all.insert(lower(word));
  return all;
}

std::optional<Time> time_of(const Json& object, std::string_view name, const std::string& where) {
  const std::string text = object.text(name);
  if (text.empty()) return std::nullopt;
  const auto time = parse_rfc3339(text);
  if (!time) fail(where + "." + std::string(name), "'" + text + "' is no RFC 3339 time");
  return time;
}

std::string guid_or_new(const Json& object, std::string_view name, const std::string& where) {
  const std::string text = object.text(name);
  if (text.empty()) return new_guid();
  if (!is_guid(text)) fail(where + "." + std::string(name), "'" + text + "' is no GUID");
  return lower(text);
}

std::string new_secret() {
  return "8Q~" + base64url_encode(random_bytes(27));
}

const Json::Array& array_of(const Json& object, std::string_view name, const std::string& where) {
  static const Json::Array none;
  const Json* list = object.find(name);
  if (list == nullptr || list->is_null()) return none;
  if (!list->is_array()) fail(where + std::string(name), "an array is expected");
  return list->array();
}

std::string at(std::string_view name, std::size_t index) {
  return std::string(name) + "[" + std::to_string(index) + "]";
}

void load_mail(World& world, const Json& source, const std::filesystem::path& base, const std::string& where) {
  check_members(source, {"mailbox", "folder", "file", "received", "read"}, where);
  const auto user = world.directory.recipient(source.text("mailbox"));
  if (!user || !user->mailbox) fail(where + ".mailbox", "there is no mailbox '" + source.text("mailbox") + "'");
  const std::filesystem::path file = base / source.text("file");
  std::string mime;
  try {
    mime = read_file(file);
  } catch (const std::runtime_error& error) {
    fail(where + ".file", error.what());
  }
  const std::string folder = source.text("folder", "inbox");
  {
    const auto lock = user->mailbox->lock();
    if (user->mailbox->well_known(folder) == nullptr)
      fail(where + ".folder", "'" + folder + "' is no well-known folder name");
  }
  const auto number = world.transport.put(*user, mime, folder, time_of(source, "received", where));
  if (source.boolean("read", false)) {
    const auto lock = user->mailbox->lock();
    user->mailbox->set_read(*user->mailbox->find(number), true);
  }
}

}  // namespace

std::vector<AccessPolicy> parse_policies(const Json& source, const std::string& where) {
  if (!source.is_array()) fail(where, "an array is expected");
  std::vector<AccessPolicy> all;
  for (std::size_t i = 0; i < source.array().size(); ++i) {
    const Json& item = source.array()[i];
    const std::string here = at(where, i);
    check_members(item, {"right", "mailboxes"}, here);
    const std::string right = item.text("right");
    if (right != "RestrictAccess" && right != "DenyAccess")
      fail(here + ".right", "RestrictAccess or DenyAccess is expected");
    all.push_back({right == "DenyAccess", lower_set(texts(item, "mailboxes", here))});
  }
  return all;
}

std::vector<ScopedGrant> parse_grants(const Json& source, const std::string& where) {
  if (!source.is_array()) fail(where, "an array is expected");
  std::vector<ScopedGrant> all;
  for (std::size_t i = 0; i < source.array().size(); ++i) {
    const Json& item = source.array()[i];
    const std::string here = at(where, i);
    check_members(item, {"role", "mailboxes"}, here);
    if (item.text("role").empty()) fail(here + ".role", "it is missing");
    all.push_back({item.text("role"), lower_set(texts(item, "mailboxes", here))});
  }
  return all;
}

App parse_app(const Json& source, const std::string& where) {
  check_members(source,
                {"tenant", "client_id", "name", "object_id", "secrets", "roles", "scopes", "public_client", "enabled",
                 "policies", "grants"},
                where);
  App app;
  app.client_id = guid_or_new(source, "client_id", where);
  app.object_id = guid_or_new(source, "object_id", where);
  app.name = source.text("name", "App " + app.client_id.substr(0, 8));
  app.public_client = source.boolean("public_client", false);
  app.enabled = source.boolean("enabled", true);
  for (const auto& role : texts(source, "roles", where)) app.roles.insert(role);
  for (const auto& scope : texts(source, "scopes", where)) app.scopes.insert(scope);
  if (const Json* policies = source.find("policies")) app.policies = parse_policies(*policies, where + ".policies");
  if (const Json* grants = source.find("grants")) app.scoped_grants = parse_grants(*grants, where + ".grants");
  const auto& secrets = array_of(source, "secrets", where + ".");
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    const std::string here = where + "." + at("secrets", i);
    check_members(secrets[i], {"id", "value", "expires"}, here);
    Secret secret{guid_or_new(secrets[i], "id", here), secrets[i].text("value"), time_of(secrets[i], "expires", here)};
    if (secret.value.empty()) secret.value = new_secret();
    app.secrets.push_back(std::move(secret));
  }
  if (app.secrets.empty() && !app.public_client && source.find("secrets") == nullptr) {
    app.secrets.push_back({new_guid(), new_secret(), std::nullopt});
  }
  return app;
}

User parse_user(World& world, const Json& source, const std::string& tenant, const std::string& where) {
  check_members(source,
                {"tenant", "upn", "id", "name", "addresses", "password", "enabled", "shared", "mfa", "mailbox",
                 "language", "found_by_address", "full_access", "send_as"},
                where);
  User user;
  user.tenant = tenant;
  user.upn = source.text("upn");
  user.addresses = texts(source, "addresses", where);
  if (user.upn.empty() && !user.addresses.empty()) user.upn = user.addresses.front();
  if (user.upn.find('@') == std::string::npos) fail(where + ".upn", "a user principal name with an @ is expected");
  if (user.addresses.empty()) user.addresses.push_back(user.upn);
  user.id = guid_or_new(source, "id", where);
  user.display_name = source.text("name", user.upn.substr(0, user.upn.find('@')));
  user.shared = source.boolean("shared", false);
  user.enabled = source.boolean("enabled", !user.shared);
  user.password = source.text("password");
  user.mfa = source.boolean("mfa", false);
  user.found_by_address = source.boolean("found_by_address", false);
  user.full_access = lower_set(texts(source, "full_access", where));
  user.send_as = lower_set(texts(source, "send_as", where));
  if (source.boolean("mailbox", true)) {
    user.mailbox = std::make_shared<Mailbox>(user.id, world.clock, source.text("language", "en"));
  }
  return user;
}

void apply_behaviour(World& world, const Json& source) {
  check_members(source,
                {"immutable_id_changes_on_send", "patch_suppresses_receipt", "delta_forgets_returned",
                 "new_message_id_on_send", "transport_delay_ms", "body_limit"},
                "behaviour");
  auto& behaviour = world.behaviour;
  behaviour.immutable_id_changes_on_send =
      source.boolean("immutable_id_changes_on_send", behaviour.immutable_id_changes_on_send);
  behaviour.patch_suppresses_receipt = source.boolean("patch_suppresses_receipt", behaviour.patch_suppresses_receipt);
  behaviour.delta_forgets_returned = source.boolean("delta_forgets_returned", behaviour.delta_forgets_returned);
  behaviour.new_message_id_on_send = source.boolean("new_message_id_on_send", behaviour.new_message_id_on_send);
  behaviour.transport_delay_ms = static_cast<int>(source.integer("transport_delay_ms", behaviour.transport_delay_ms));
  behaviour.body_limit =
      static_cast<std::size_t>(source.integer("body_limit", static_cast<std::int64_t>(behaviour.body_limit.load())));
}

void apply_throttling(World& world, const Json& source) {
  check_members(source, {"on", "requests", "window_seconds", "concurrent", "upload_bytes", "upload_window_seconds"},
                "throttling");
  ThrottleLimits limits = world.throttle.limits();
  const auto number = [&](std::string_view name, auto present) {
    const auto value = source.integer(name, static_cast<std::int64_t>(present));
    if (value < 1) fail("throttling." + std::string(name), "a positive number is expected");
    return value;
  };
  limits.on = source.boolean("on", limits.on);
  limits.requests = static_cast<std::size_t>(number("requests", limits.requests));
  limits.window = std::chrono::seconds(number("window_seconds", limits.window.count()));
  limits.concurrent = static_cast<std::size_t>(number("concurrent", limits.concurrent));
  limits.upload_bytes = static_cast<std::size_t>(number("upload_bytes", limits.upload_bytes));
  limits.upload_window = std::chrono::seconds(number("upload_window_seconds", limits.upload_window.count()));
  world.throttle.set_limits(limits);
}

namespace {

ContactCenter load(World& world, const Json& source, const std::filesystem::path& base) {
  check_members(source, {"tenants", "queues", "queue_app", "behaviour", "throttling", "token_life"}, "the tenant file");
  if (const Json* behaviour = source.find("behaviour")) apply_behaviour(world, *behaviour);
  if (const Json* throttling = source.find("throttling")) apply_throttling(world, *throttling);
  world.entra.set_token_life(static_cast<int>(source.integer("token_life", 3599)));
  const auto& tenants = array_of(source, "tenants", "");
  if (tenants.empty()) fail("tenants", "at least one is needed");
  ContactCenter center;
  const std::string wanted_app = lower(source.text("queue_app"));
  std::vector<Queue> shared;
  for (std::size_t t = 0; t < tenants.size(); ++t) {
    const std::string where = at("tenants", t);
    check_members(tenants[t], {"id", "name", "domains", "apps", "users", "mails"}, where);
    Tenant tenant;
    tenant.id = guid_or_new(tenants[t], "id", where);
    tenant.domains = texts(tenants[t], "domains", where);
    if (tenant.domains.empty()) fail(where + ".domains", "at least one is needed");
    tenant.name = tenants[t].text("name", tenant.domains.front());
    const std::string id = tenant.id;
    try {
      world.directory.add_tenant(std::move(tenant));
    } catch (const std::runtime_error& error) {
      fail(where, error.what());
    }
    const auto& apps = array_of(tenants[t], "apps", where + ".");
    for (std::size_t i = 0; i < apps.size(); ++i) {
      App app = parse_app(apps[i], where + "." + at("apps", i));
      const bool chosen = wanted_app.empty() ? center.client_id.empty() : app.client_id == wanted_app;
      if (chosen && !app.secrets.empty()) {
        center.tenant = id;
        center.client_id = app.client_id;
        center.secret = app.secrets.front().value;
      }
      world.directory.put_app(id, std::move(app));
    }
    const auto& users = array_of(tenants[t], "users", where + ".");
    for (std::size_t i = 0; i < users.size(); ++i) {
      const std::string here = where + "." + at("users", i);
      User user = parse_user(world, users[i], id, here);
      if (user.shared && t == 0) {
        Queue queue;
        queue.name = user.display_name;
        queue.address = user.primary_address();
        queue.language = users[i].text("language", "en");
        if (!equal_ignoring_case(user.upn, queue.address)) queue.mailbox = user.upn;
        shared.push_back(std::move(queue));
      }
      try {
        world.directory.put_user(std::move(user));
      } catch (const std::runtime_error& error) {
        fail(here, error.what());
      }
    }
  }
  for (std::size_t t = 0; t < tenants.size(); ++t) {
    const std::string where = at("tenants", t);
    const auto& mails = array_of(tenants[t], "mails", where + ".");
    for (std::size_t i = 0; i < mails.size(); ++i) load_mail(world, mails[i], base, where + "." + at("mails", i));
  }
  const auto& queues = array_of(source, "queues", "");
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const std::string where = at("queues", i);
    check_members(queues[i],
                  {"name", "language", "priority", "address", "address_priority", "extension_language", "mailbox"},
                  where);
    Queue queue;
    queue.name = queues[i].text("name");
    queue.address = queues[i].text("address");
    if (queue.name.empty() || queue.address.empty()) fail(where, "name and address are needed");
    queue.language = queues[i].text("language");
    queue.extension_language = queues[i].text("extension_language");
    queue.mailbox = queues[i].text("mailbox");
    const auto owner = world.directory.recipient(queue.address);
    if (queue.mailbox.empty() && owner && !equal_ignoring_case(owner->upn, queue.address)) queue.mailbox = owner->upn;
    if (const Json* priority = queues[i].find("priority"); priority != nullptr && priority->is_integer()) {
      queue.priority = static_cast<int>(priority->integer());
    }
    if (const Json* priority = queues[i].find("address_priority"); priority != nullptr && priority->is_integer()) {
      queue.address_priority = static_cast<int>(priority->integer());
    }
    center.queues.push_back(std::move(queue));
  }
  if (queues.empty()) center.queues = std::move(shared);
  return center;
}

// Ids are fixed, secrets are made at each start: nothing here opens anything.
constexpr std::string_view kBuiltIn = R"json({
  "tenants": [
    { "id": "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10", "name": "Contoso",
      "domains": ["contoso.example", "contoso.onmicrosoft.example"],
      "apps": [
        { "client_id": "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b", "name": "Contact Center Mail",
          "roles": ["Mail.ReadWrite", "Mail.Send"], "scopes": ["Mail.ReadWrite", "Mail.Send"],
          "policies": [ { "right": "RestrictAccess", "mailboxes": ["support@contoso.example", "sales@contoso.example",
            "asiakaspalvelu@contoso.example", "agent@contoso.example", "orders@contoso.example"] } ] },
        { "client_id": "0c3e9d5b-6c0f-4a7e-9f0d-2b5f5d0f7a11", "name": "Contact Center Mail, read only",
          "roles": ["Mail.ReadWrite"], "scopes": ["Mail.ReadWrite"] },
        { "client_id": "5b1f0c52-9a55-4c52-8a19-74a2cf6f0d22", "name": "Contact Center Mail, user sign-in",
          "public_client": true, "scopes": ["Mail.ReadWrite", "Mail.Send", "Mail.ReadWrite.Shared", "Mail.Send.Shared"] }
      ],
      "users": [
        { "upn": "support@contoso.example", "id": "3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1001", "name": "Support", "shared": true },
        { "upn": "sales@contoso.example", "id": "3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1002", "name": "Sales", "shared": true },
        { "upn": "asiakaspalvelu@contoso.example", "id": "3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1003", "name": "Asiakaspalvelu",
          "shared": true, "language": "fi" },
        { "upn": "agent@contoso.example", "id": "3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1004", "name": "Agent Adams",
          "password": "PASSWORD" },
        { "upn": "ceo@contoso.example", "id": "3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1005", "name": "Chief Executive",
          "password": "PASSWORD" },
        { "upn": "orders.mailbox@contoso.onmicrosoft.example", "id": "3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a1006", "name": "Orders",
          "addresses": ["orders@contoso.example", "bestellung@contoso.example", "tilaukset@contoso.example"], "shared": true }
      ] },
    { "id": "b4d0c8f2-71a5-4d0e-8d1e-6a3c2f9e7b20", "name": "Fabrikam", "domains": ["fabrikam.example"],
      "apps": [
        { "client_id": "9d2c6b7e-3f41-4c0a-8a52-1e0f4b6d8c33", "name": "Fabrikam Mail", "roles": ["Mail.ReadWrite", "Mail.Send"] }
      ],
      "users": [
        { "upn": "customer@fabrikam.example", "id": "3f0a5f5e-0d3a-4a52-9f5c-5b4b8f6a2001", "name": "Casey Customer",
          "password": "PASSWORD" }
      ] }
  ],
  "queues": [
    { "name": "Support", "language": "en", "priority": 10, "address": "support@contoso.example", "address_priority": 5 },
    { "name": "Sales", "language": "en", "priority": 20, "address": "sales@contoso.example" },
    { "name": "Asiakaspalvelu", "language": "fi", "priority": 15, "address": "asiakaspalvelu@contoso.example" }
  ]
})json";

}  // namespace

ContactCenter load_tenant_file(World& world, const std::filesystem::path& file) {
  try {
    return load(world, parse_json(read_file(file)), file.parent_path());
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(file.string() + ": " + error.what());
  }
}

ContactCenter load_built_in(World& world) {
  std::string text(kBuiltIn);
  for (auto spot = text.find("PASSWORD"); spot != std::string::npos; spot = text.find("PASSWORD", spot)) {
    text.replace(spot, 8, "Pw-" + base64url_encode(random_bytes(15)));
  }
  return load(world, parse_json(text), {});
}

void write_contact_center(const World& world, const ContactCenter& center, const std::filesystem::path& dir) {
  write_file(dir / "secret.txt", center.secret + "\n", 0600);
  // Passwords and the other apps' secrets, for whoever tests signing in as a user.
  Json credentials = Json::Object{{"users", Json::Object{}}, {"apps", Json::Object{}}};
  for (const auto& user : world.directory.users()) {
    if (!user->password.empty()) credentials.find("users")->set(user->upn, user->password);
  }
  for (const auto& [tenant, app] : world.directory.apps()) {
    Json entry = Json::Object{{"tenant", tenant}, {"name", app->name}};
    if (!app->secrets.empty()) {
      entry.set("secret", app->secrets.front().value);
      entry.set("secret_id", app->secrets.front().id);
    }
    credentials.find("apps")->set(app->client_id, std::move(entry));
  }
  write_file(dir / "credentials.json", credentials.pretty() + "\n", 0600);

  Json queues{Json::Array{}};
  for (const auto& queue : center.queues) {
    Json address = Json::Object{{"address", queue.address}};
    if (queue.address_priority) address.set("priority", *queue.address_priority);
    if (!queue.extension_language.empty()) address.set("extension_language", queue.extension_language);
    if (!queue.mailbox.empty()) address.set("email_account", queue.mailbox);
    address.set("sender", true);
    address.set("email_server", "Embedded M365");
    Json entry = Json::Object{{"name", queue.name}};
    if (!queue.language.empty()) entry.set("basics", Json::Object{{"language", queue.language}});
    if (queue.priority) entry.set("contact_management", Json::Object{{"priority", *queue.priority}});
    entry.set("numbers_addresses", Json::Array{std::move(address)});
    queues.push(std::move(entry));
  }
  const Json secret = Json::Object{{"file", "secret.txt"}};
  const std::string ca_file = std::filesystem::absolute(dir / "ca.pem").string();  // whoever reads it, from wherever
  const Json incoming = Json::Object{{"name", "Embedded M365"},
                                     {"type", "m365"},
                                     {"address", world.origin + "/" + center.tenant},
                                     {"authentication_type", "OAuth Service"},
                                     {"client_id", center.client_id},
                                     {"secret", secret},
                                     {"graph_endpoint", world.origin},
                                     {"ca_file", ca_file}};
  const Json outgoing = Json::Object{{"enable", true},
                                     {"type", "m365"},
                                     {"server", center.tenant},
                                     {"port", ""},
                                     {"login_address", world.origin},
                                     {"graph_endpoint", world.origin},
                                     {"ca_file", ca_file},
                                     {"authentication_type", "OAuth Service"},
                                     {"server_user", center.client_id},
                                     {"password", secret}};
  const Json whole = Json::Object{
      {"system_services", Json::Object{{"email_settings", Json::Object{{"incoming_mail_servers", Json::Array{incoming}},
                                                                       {"external_outgoing_mail_server", outgoing}}}}},
      {"queue_management", Json::Object{{"queues", std::move(queues)}}}};
  write_file(dir / "contact-center.json", whole.pretty() + "\n", 0600);
}

}  // namespace embedded
