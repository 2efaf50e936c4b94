#include "m365/control/control.h"

#include <charconv>
#include <functional>
#include <stdexcept>

#include "m365/graph/graph_error.h"
#include "m365/mime/mime_read.h"
#include "m365/mime/mime_write.h"
#include "m365/mime/text.h"
#include "m365/world/mailbox.h"
#include "m365/world/synthetic.h"
#include "m365/world/tenant_file.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

struct NotFound : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One request at the door.
struct Errand {
  World& world;
  const HttpRequest& request;
  std::vector<std::string> path;  // decoded
  std::vector<std::pair<std::string, std::string>> query;

  std::string option(std::string_view name, std::string_view fallback = {}) const {
    for (const auto& [key, value] : query) {
      if (key == name) return value;
    }
    return std::string(fallback);
  }
  Json body() const { return request.body.empty() ? Json(Json::Object{}) : parse_json(request.body); }

  Directory::UserPtr user(const std::string& name) const {
    auto found = world.directory.recipient(name);
    for (const auto& each : world.directory.users()) {
      if (!found && each->id == lower(name)) found = each;
    }
    if (!found) throw NotFound("there is no user or mailbox '" + name + "'");
    return found;
  }
  Directory::UserPtr mailbox_user(const std::string& name) const {
    auto found = user(name);
    if (!found->mailbox) throw NotFound("'" + name + "' has no mailbox");
    return found;
  }
};

HttpResponse answer(int status, const Json& body) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  response.body = body.dump();
  return response;
}

HttpResponse done() {
  return answer(200, Json(Json::Object{{"done", true}}));
}

Folder& need_folder(Mailbox& mailbox, const std::string& name) {
  Folder* folder = find_folder(mailbox, name);
  if (folder == nullptr) throw NotFound("there is no folder '" + name + "'");
  return *folder;
}

Message& need_message(Mailbox& mailbox, const std::string& name) {
  if (const auto id = decode_item_id(name); id && id->mailbox == mailbox.id()) {
    if (Message* message = mailbox.find(id->message)) return *message;
  }
  const auto found = mailbox.by_internet_message_id(name);
  if (found.empty()) throw NotFound("there is no message '" + name + "'");
  return *found.front();
}

std::optional<Time> time_option(const std::string& text, const char* name) {
  if (text.empty()) return std::nullopt;
  const auto time = parse_rfc3339(text);
  if (!time) throw std::runtime_error(std::string(name) + ": '" + text + "' is no RFC 3339 time");
  return time;
}

std::size_t number_of(const Json& body, std::string_view name, std::size_t fallback, std::size_t most) {
  const auto value = body.integer(name, static_cast<std::int64_t>(fallback));
  if (value < 0 || static_cast<std::size_t>(value) > most)
    throw std::runtime_error(std::string(name) + ": out of range");
  return static_cast<std::size_t>(value);
}

HttpResponse put_mail(const Errand& errand, const Directory::UserPtr& user) {
  const std::string count_text = errand.option("count", "1");
  std::size_t count = 0;
  if (std::from_chars(count_text.data(), count_text.data() + count_text.size(), count).ec != std::errc() ||
      count == 0 || count > 100'000) {
    throw std::runtime_error("count: a number from 1 to 100000 is expected");
  }
  if (trim(errand.request.body).empty()) throw std::runtime_error("the body is the mail as MIME; it is empty");
  const std::string folder = errand.option("folder", "inbox");
  const auto received = time_option(errand.option("received"), "received");
  const bool read = errand.option("read") == "true";
  Json ids{Json::Array{}};
  Json immutable{Json::Array{}};
  Json message_ids{Json::Array{}};
  for (std::size_t i = 0; i < count; ++i) {
    const std::string mime = i == 0 ? errand.request.body : with_numbered_message_id(errand.request.body, i + 1);
    Message message;
    static_cast<Content&>(message) = read_mime(mime);
    message.received = received.value_or(errand.world.clock.second());
    for (auto& attachment : message.attachments) attachment.modified = message.received;
    message.is_read = read;
    Mailbox& mailbox = *user->mailbox;
    const auto lock = mailbox.lock();
    mailbox.search_lag = Milliseconds(errand.world.behaviour.search_lag_ms);
    const Message& stored = mailbox.add(&need_folder(mailbox, folder), std::move(message));
    ids.push(mailbox.id_of(stored, IdForm::ordinary));
    immutable.push(mailbox.id_of(stored, IdForm::immutable));
    message_ids.push(stored.internet_message_id);
  }
  return answer(201, Json::Object{{"ids", ids}, {"immutable_ids", immutable}, {"internet_message_ids", message_ids}});
}

HttpResponse flood(const Errand& errand, const Directory::UserPtr& user) {
  const Json body = errand.body();
  FloodOptions options;
  options.count = number_of(body, "count", 1000, 1'000'000);
  options.size = number_of(body, "size", 8192, 50U << 20);
  options.headers = number_of(body, "headers", 1024, 1U << 20);
  options.attachment_size = number_of(body, "attachment_size", 0, 150U << 20);
  options.step = std::chrono::seconds(number_of(body, "step_seconds", 1, 1'000'000));
  options.subject = body.text("subject", "Flood");
  options.to = user->primary_address();
  const auto from = time_option(body.text("from"), "from");
  options.first = from.value_or(errand.world.clock.second() - options.step * static_cast<int>(options.count));
  const std::string folder = body.text("folder", "inbox");
  Mailbox& mailbox = *user->mailbox;
  {
    const auto lock = mailbox.lock();
    need_folder(mailbox, folder);
  }
  FloodMaker maker(options);
  for (std::size_t i = 0; i < options.count && !errand.world.stop.stopped(); ++i) {
    Message message = maker.next();
    const auto lock = mailbox.lock();
    mailbox.add(&need_folder(mailbox, folder), std::move(message));
  }
  return answer(201, Json::Object{{"count", options.count}});
}

HttpResponse replace_attachments(const Errand& errand, Mailbox& mailbox, Message& message) {
  const Json body = errand.body();
  if (!body.is_array()) throw std::runtime_error("an array of attachments is expected");
  std::vector<Attachment> fresh;
  for (const auto& item : body.array()) {
    Attachment attachment;
    attachment.name = item.text("name", "attachment");
    attachment.content_type = item.text("content_type", "application/octet-stream");
    auto bytes = base64_decode(item.text("content"), true);
    if (!bytes) throw std::runtime_error("content: no base64");
    attachment.bytes = std::make_shared<const std::string>(std::move(*bytes));
    attachment.is_inline = item.boolean("inline", false);
    if (const std::string id = item.text("content_id"); !id.empty()) attachment.content_id = id;
    attachment.modified = errand.world.clock.second();
    attachment.number = message.next_attachment++;
    fresh.push_back(std::move(attachment));
  }
  message.attachments = std::move(fresh);
  mailbox.touch(message, true);
  return answer(200, state_of(mailbox, message));
}

HttpResponse message_errand(const Errand& errand, const Directory::UserPtr& user) {
  Mailbox& mailbox = *user->mailbox;
  const auto lock = mailbox.lock();
  Message& message = need_message(mailbox, errand.path[3]);
  const std::string action = errand.path.size() > 4 ? errand.path[4] : std::string();
  const std::string& method = errand.request.method;
  if (action.empty() && method == "GET") return answer(200, state_of(mailbox, message));
  if (action.empty() && method == "DELETE") {
    mailbox.erase(message);
    return done();
  }
  if (action.empty() && method == "PATCH") {
    const Json body = errand.body();
    if (const Json* read = body.find("is_read"); read != nullptr && read->is_bool()) {
      mailbox.touch(message, false);
      mailbox.set_read(message, read->boolean());
    }
    const auto received = time_option(body.text("received"), "received");
    const Json* subject = body.find("subject");
    if (received || subject != nullptr) {
      mailbox.unindex(message);
      if (received) message.received = *received;
      if (subject != nullptr) message.subject = subject->is_string() ? std::optional(subject->string()) : std::nullopt;
      mailbox.touch(message, true);
    }
    return answer(200, state_of(mailbox, message));
  }
  if (action == "mime" && method == "GET") {
    HttpResponse response;
    response.headers.add("Content-Type", "message/rfc822");
    response.body = message.mime ? *message.mime : write_mime(message);
    return response;
  }
  if (action == "move" && method == "POST") {
    mailbox.move(message, &need_folder(mailbox, errand.body().text("folder")));
    return answer(200, state_of(mailbox, message));
  }
  if (action == "attachments" && method == "POST") return replace_attachments(errand, mailbox, message);
  throw NotFound("there is nothing like that to do with a message");
}

HttpResponse folder_errand(const Errand& errand, const Directory::UserPtr& user) {
  Mailbox& mailbox = *user->mailbox;
  const auto lock = mailbox.lock();
  const Json body = errand.body();
  const std::string& method = errand.request.method;
  Folder* folder = nullptr;
  if (method == "POST" && errand.path.size() == 3) {
    folder = mailbox.create_folder(&need_folder(mailbox, body.text("parent", "msgfolderroot")), body.text("name"));
    if (folder == nullptr) throw std::runtime_error("a folder of that name is there already");
  } else if (errand.path.size() == 4) {
    folder = &need_folder(mailbox, errand.path[3]);
    if (method == "DELETE") {
      mailbox.delete_folder(folder);
      return done();
    }
    if (method == "PATCH") {
      if (!mailbox.rename_folder(folder, body.text("name")))
        throw std::runtime_error("a folder of that name is there already");
    }
  }
  if (folder == nullptr) throw NotFound("there is nothing like that to do with a folder");
  return answer(200, Json::Object{{"id", mailbox.id_of(*folder)}, {"name", folder->name}});
}

HttpResponse mailbox_options(const Errand& errand, const Directory::UserPtr& user) {
  const Json body = errand.body();
  const auto lock = user->mailbox->lock();
  MailboxOptions& options = user->mailbox->options;
  options.quota_exceeded = body.boolean("quota_exceeded", options.quota_exceeded);
  options.quota_blocks_reading = body.boolean("quota_blocks_reading", options.quota_blocks_reading);
  options.not_enabled = body.boolean("not_enabled", options.not_enabled);
  options.max_send_size = number_of(body, "max_send_size", options.max_send_size, SIZE_MAX / 2);
  options.recipient_limit = number_of(body, "recipient_limit", options.recipient_limit, 1'000'000);
  if (const Json* limit = body.find("daily_limit")) {
    options.daily_recipient_limit.reset();
    if (limit->is_integer()) options.daily_recipient_limit = static_cast<std::size_t>(limit->integer());
  }
  return done();
}

HttpResponse mailboxes(const Errand& errand) {
  if (errand.path.size() < 2) throw NotFound("name a mailbox");
  const auto user = errand.mailbox_user(errand.path[1]);
  const std::string& method = errand.request.method;
  if (errand.path.size() == 2 && method == "GET") return answer(200, state_of(*user, errand.option("folder"), true));
  const std::string what = errand.path.size() > 2 ? errand.path[2] : std::string();
  if (what == "messages" && errand.path.size() == 3 && (method == "POST" || method == "PUT"))
    return put_mail(errand, user);
  if (what == "messages" && errand.path.size() > 3) return message_errand(errand, user);
  if (what == "flood" && method == "POST") return flood(errand, user);
  if (what == "folders") return folder_errand(errand, user);
  if (what == "options" && (method == "PATCH" || method == "POST")) return mailbox_options(errand, user);
  if (what == "throttle" && method == "POST") {
    const Json body = errand.body();
    errand.world.throttle.refuse_next(lower(user->primary_address()), number_of(body, "count", 1, 1'000'000),
                                      static_cast<int>(number_of(body, "retry_after", 1, 86'400)));
    return done();
  }
  throw NotFound("there is nothing like that to do with a mailbox");
}

HttpResponse state(const Errand& errand) {
  Json all{Json::Array{}};
  const std::string only = errand.option("mailbox");
  const std::string folder = errand.option("folder");
  if (!only.empty()) {
    all.push(state_of(*errand.mailbox_user(only), folder, false));
  } else {
    for (const auto& user : errand.world.directory.users()) {
      if (user->mailbox) all.push(state_of(*user, folder, false));
    }
  }
  return answer(200, Json::Object{{"mailboxes", std::move(all)}});
}

HttpResponse left(const Errand& errand) {
  if (errand.request.method == "DELETE") {
    errand.world.transport.forget_left();
    return done();
  }
  Json all{Json::Array{}};
  for (const auto& mail : errand.world.transport.left()) {
    all.push(
        Json::Object{{"from", mail.from}, {"to", mail.to}, {"when", rfc3339(mail.when)}, {"mime", to_utf8(mail.mime)}});
  }
  return answer(200, all);
}

HttpResponse requests(const Errand& errand) {
  if (errand.path.size() == 2 && errand.path[1] == "reset") {
    errand.world.census.reset();
    errand.world.throttle.reset();
    return done();
  }
  Json report = errand.world.census.report();
  Json peaks{Json::Object{}};
  for (const auto& [mailbox, peak] : errand.world.throttle.peaks()) peaks.set(mailbox, peak);
  report.set("max_concurrency", std::move(peaks));
  return answer(200, report);
}

HttpResponse issued(const Errand& errand) {
  const auto list = [](const std::vector<std::string>& texts) {
    Json list{Json::Array{}};
    for (const auto& text : texts) list.push(text);
    return list;
  };
  return answer(200, Json::Object{{"tokens", list(errand.world.entra.issued())},
                                  {"upload_tokens", list(errand.world.uploads.tokens())}});
}

HttpResponse faults(const Errand& errand) {
  if (errand.request.method == "DELETE") {
    errand.world.faults.clear();
    return done();
  }
  if (errand.request.method == "POST") errand.world.faults.add(errand.body());
  return answer(200, errand.world.faults.report());
}

HttpResponse forget_delta(const Errand& errand) {
  const Json body = errand.body();
  const std::string mailbox = body.text("mailbox");
  const std::string folder = body.text("folder");
  const auto forget = [&](Mailbox& box) {
    const auto lock = box.lock();
    if (!folder.empty()) {
      ++need_folder(box, folder).generation;
    } else {
      for (Folder* each : box.folders()) ++each->generation;
    }
  };
  if (!mailbox.empty()) {
    forget(*errand.mailbox_user(mailbox)->mailbox);
  } else {
    for (const auto& user : errand.world.directory.users()) {
      if (user->mailbox) forget(*user->mailbox);
    }
  }
  return done();
}

Json app_json(const std::string& tenant, const App& app) {
  Json roles{Json::Array{}};
  for (const auto& role : app.roles) roles.push(role);
  Json scopes{Json::Array{}};
  for (const auto& scope : app.scopes) scopes.push(scope);
  Json secrets{Json::Array{}};
  for (const auto& secret : app.secrets) {
    secrets.push(
        Json::Object{{"id", secret.id}, {"expires", secret.expires ? Json(rfc3339(*secret.expires)) : Json()}});
  }
  return Json::Object{{"tenant", tenant},
                      {"client_id", app.client_id},
                      {"name", app.name},
                      {"enabled", app.enabled},
                      {"public_client", app.public_client},
                      {"roles", roles},
                      {"scopes", scopes},
                      {"secrets", secrets},
                      {"policies", app.policies.size()}};
}

HttpResponse directory(const Errand& errand) {
  Json tenants{Json::Array{}};
  for (const auto& tenant : errand.world.directory.tenants()) {
    Json domains{Json::Array{}};
    for (const auto& domain : tenant.domains) domains.push(domain);
    tenants.push(Json::Object{{"id", tenant.id}, {"name", tenant.name}, {"domains", domains}});
  }
  Json apps{Json::Array{}};
  for (const auto& [tenant, app] : errand.world.directory.apps()) apps.push(app_json(tenant, *app));
  Json users{Json::Array{}};
  for (const auto& user : errand.world.directory.users()) {
    Json addresses{Json::Array{}};
    for (const auto& address : user->addresses) addresses.push(address);
    users.push(Json::Object{{"id", user->id},
                            {"tenant", user->tenant},
                            {"upn", user->upn},
                            {"name", user->display_name},
                            {"addresses", addresses},
                            {"enabled", user->enabled},
                            {"shared", user->shared},
                            {"mailbox", user->mailbox != nullptr}});
  }
  return answer(200, Json::Object{{"tenants", tenants}, {"apps", apps}, {"users", users}});
}

std::string tenant_of(const Errand& errand, const Json& body) {
  const std::string named = body.text("tenant");
  if (named.empty()) return errand.world.directory.tenants().front().id;
  const auto tenant = errand.world.directory.tenant(named);
  if (!tenant) throw NotFound("there is no tenant '" + named + "'");
  return tenant->id;
}

void change_app(const Errand& errand, const std::function<void(App&)>& change) {
  if (!errand.world.directory.change_app(errand.path[1], change))
    throw NotFound("there is no app '" + errand.path[1] + "'");
}

void replace_set(std::set<std::string>& set, const Json& body, std::string_view name) {
  const Json* list = body.find(name);
  if (list == nullptr || !list->is_array()) return;
  set.clear();
  for (const auto& item : list->array()) set.insert(item.string());
}

HttpResponse app_secrets(const Errand& errand) {
  if (errand.path.size() == 4 && errand.path[3] == "expire") {
    const Time now = errand.world.clock.now();
    change_app(errand, [now](App& app) {
      for (auto& secret : app.secrets) secret.expires = now - std::chrono::seconds(1);
    });
    return done();
  }
  if (errand.request.method == "DELETE") {
    change_app(errand, [](App& app) { app.secrets.clear(); });
    return done();
  }
  const Json body = errand.body();
  Secret secret{new_guid(), body.text("value"), time_option(body.text("expires"), "expires")};
  if (secret.value.empty()) secret.value = "8Q~" + base64url_encode(random_bytes(27));
  change_app(errand, [&](App& app) {
    if (body.boolean("replace", false)) app.secrets.clear();
    app.secrets.push_back(secret);
  });
  return answer(201, Json::Object{{"id", secret.id}, {"value", secret.value}});
}

HttpResponse apps(const Errand& errand) {
  const std::string& method = errand.request.method;
  if (errand.path.size() == 1 && method == "POST") {
    const Json body = errand.body();
    App app = parse_app(body, "app");
    const std::string tenant = tenant_of(errand, body);
    Json created = app_json(tenant, app);
    if (!app.secrets.empty()) created.set("secret", app.secrets.front().value);
    errand.world.directory.put_app(tenant, std::move(app));
    return answer(201, created);
  }
  if (errand.path.size() == 2 && method == "DELETE") {
    if (!errand.world.directory.remove_app(errand.path[1])) throw NotFound("there is no app '" + errand.path[1] + "'");
    return done();
  }
  if (errand.path.size() == 2 && method == "PATCH") {
    const Json body = errand.body();
    change_app(errand, [&](App& app) {
      app.enabled = body.boolean("enabled", app.enabled);
      app.public_client = body.boolean("public_client", app.public_client);
      replace_set(app.roles, body, "roles");
      replace_set(app.scopes, body, "scopes");
    });
    return done();
  }
  const std::string what = errand.path.size() > 2 ? errand.path[2] : std::string();
  if (what == "secrets") return app_secrets(errand);
  if (what == "policies") {
    const auto policies = method == "DELETE" ? std::vector<AccessPolicy>() : parse_policies(errand.body(), "policies");
    change_app(errand, [&](App& app) { app.policies = policies; });
    return done();
  }
  if (what == "grants") {
    const auto grants = method == "DELETE" ? std::vector<ScopedGrant>() : parse_grants(errand.body(), "grants");
    change_app(errand, [&](App& app) { app.scoped_grants = grants; });
    return done();
  }
  throw NotFound("there is nothing like that to do with an app");
}

HttpResponse users(const Errand& errand) {
  const std::string& method = errand.request.method;
  const Json body = errand.body();
  if (errand.path.size() == 1 && method == "POST") {
    User user = parse_user(errand.world, body, tenant_of(errand, body), "user");
    const Json created = Json::Object{{"id", user.id}, {"upn", user.upn}};
    errand.world.directory.put_user(std::move(user));
    return answer(201, created);
  }
  if (errand.path.size() != 2) throw NotFound("there is nothing like that to do with users");
  if (method == "DELETE") {
    if (!errand.world.directory.remove_user(errand.user(errand.path[1])->upn)) throw NotFound("there is no such user");
    return done();
  }
  if (method != "PATCH") throw NotFound("there is nothing like that to do with a user");
  const std::string name = errand.user(errand.path[1])->upn;
  errand.world.directory.change_user(name, [&](User& user) {
    user.enabled = body.boolean("enabled", user.enabled);
    user.mfa = body.boolean("mfa", user.mfa);
    user.found_by_address = body.boolean("found_by_address", user.found_by_address);
    if (const std::string password = body.text("password"); !password.empty()) {
      user.password = password;
      ++user.password_version;
    }
    replace_set(user.full_access, body, "full_access");
    replace_set(user.send_as, body, "send_as");
    if (const Json* addresses = body.find("addresses"); addresses != nullptr && addresses->is_array()) {
      user.addresses.clear();
      for (const auto& address : addresses->array()) user.addresses.push_back(lower(address.string()));
    }
  });
  return done();
}

HttpResponse behaviour(const Errand& errand) {
  if (errand.request.method == "POST") apply_behaviour(errand.world, errand.body());
  const auto& now = errand.world.behaviour;
  return answer(200, Json::Object{{"immutable_id_changes_on_send", now.immutable_id_changes_on_send.load()},
                                  {"patch_suppresses_receipt", now.patch_suppresses_receipt.load()},
                                  {"delta_forgets_returned", now.delta_forgets_returned.load()},
                                  {"new_message_id_on_send", now.new_message_id_on_send.load()},
                                  {"transport_delay_ms", now.transport_delay_ms.load()},
                                  {"body_limit", now.body_limit.load()}});
}

HttpResponse route(const Errand& errand) {
  const std::string what = errand.path.empty() ? std::string() : errand.path[0];
  World& world = errand.world;
  if (what == "mailboxes") return mailboxes(errand);
  if (what == "state") return state(errand);
  if (what == "left") return left(errand);
  if (what == "requests") return requests(errand);
  if (what == "issued") return issued(errand);
  if (what == "faults") return faults(errand);
  if (what == "delta") return forget_delta(errand);
  if (what == "directory") return directory(errand);
  if (what == "apps") return apps(errand);
  if (what == "users") return users(errand);
  if (what == "behaviour") return behaviour(errand);
  if (what == "search_lag") {
    const Json body = errand.body();
    const Json* seconds = body.find("seconds");
    if (seconds == nullptr || !seconds->is_number() || seconds->number() < 0)
      throw std::runtime_error("seconds: a number is expected");
    world.behaviour.search_lag_ms = static_cast<int>(seconds->number() * 1000);
    return done();
  }
  if (what == "clock") {
    world.clock.advance(std::chrono::seconds(number_of(errand.body(), "advance_seconds", 0, 10'000'000)));
    world.scheduler.look_again();
    return answer(200, Json::Object{{"now", rfc3339_millis(world.clock.now())}});
  }
  if (what == "throttling") {
    apply_throttling(world, errand.body());
    return done();
  }
  if (what == "token_life") {
    world.entra.set_token_life(static_cast<int>(number_of(errand.body(), "seconds", 3599, 1'000'000)));
    return done();
  }
  if (what == "tokens" && errand.path.size() == 2 && errand.path[1] == "revoke") {
    world.entra.revoke_all();
    return done();
  }
  if (what == "tokens" && errand.path.size() == 2 && errand.path[1] == "unlock") {
    world.entra.unlock_all();
    return done();
  }
  throw NotFound("there is no '" + what + "' at this door");
}

HttpResponse refused(int status, const std::string& why) {
  return answer(status, Json::Object{{"error", why}});
}

}  // namespace

HttpResponse Control::handle(const HttpRequest& request) {
  Errand errand{world_, request, {}, parse_form(request.query(), false)};
  for (const auto& part : split(request.path(), '/')) {
    if (!part.empty()) errand.path.push_back(percent_decode(part));
  }
  try {
    return route(errand);
  } catch (const NotFound& error) {
    return refused(404, error.what());
  } catch (const JsonError& error) {
    return refused(400, std::string("the body is no JSON: ") + error.what());
  } catch (const std::exception& error) {
    return refused(400, error.what());
  }
}

}  // namespace embedded
