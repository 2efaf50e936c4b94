#include "commands/demo_world.h"

#include <stdexcept>

#include "base/file.h"

namespace commands {
namespace {

using base::Json;
namespace fs = std::filesystem;

constexpr const char* kFabrikam = "b4d0c8f2-71a5-4d0e-8d1e-6a3c2f9e7b20";
constexpr const char* kFabrikamApp = "9d2c6b7e-3f41-4c0a-8a52-1e0f4b6d8c33";
constexpr const char* kSupport = "support@contoso.example";

embedded::Options options_for(const fs::path& dir) {
  base::make_private_directory(dir);
  const fs::path tenants = dir / "tenants.json";
  const base::Fd fd = base::create_private(tenants);
  base::write_all(fd.get(), demo_tenants().dump_pretty(), tenants);
  embedded::Options options;
  options.dir = dir;
  options.tenant_file = tenants;
  return options;
}

Json queue(const std::string& name, const std::string& language, int priority, Json address) {
  address.set("sender", true).set("email_server", "Contoso M365");
  return Json::object({{"name", name},
                       {"basics", Json::object({{"language", language}})},
                       {"contact_management", Json::object({{"priority", priority}})},
                       {"numbers_addresses", Json::array({std::move(address)})}});
}

bool same_folder(const Json& folder, const std::string& name) {
  return folder.text("well_known") == name || folder.text("name") == name;
}

}  // namespace

DemoWorld::DemoWorld(const fs::path& dir) : dir_(dir), service_(options_for(dir)), web_(service_.ca_file()) {
  web_.json("POST", service_.control_origin() + "/mailboxes/" + kSupport + "/folders",
            Json::object({{"name", "Claims"}, {"parent", "inbox"}}));
}

std::string DemoWorld::secret() const {
  std::string text = base::read_file(dir_ / "secret.txt");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

Json DemoWorld::configuration(bool with_ceo, const fs::path& secret_file) const {
  const Json secret = Json::object({{"file", secret_file.string()}});
  const Json made = Json::parse(base::read_file(service_.configuration_file()));
  const Json& email = *made.find("system_services")->find("email_settings");
  Json incoming = email.find("incoming_mail_servers")->items().at(0);
  incoming.set("name", "Contoso M365")
      .set("secret", secret)
      .set("ca_file", service_.ca_file().string())
      .set("poll_seconds", 1);
  Json outgoing = *email.find("external_outgoing_mail_server");
  outgoing.set("password", secret).set("ca_file", service_.ca_file().string());
  Json queues = Json::array(
      {queue("Claims", "de", 1,
             Json::object(
                 {{"address", "claims@contoso.example"}, {"email_account", kSupport}, {"folder", "inbox/Claims"}})),
       queue("Support", "en", 5, Json::object({{"address", kSupport}, {"email_account", "Support"}})),
       queue("Asiakaspalvelu", "fi", 10, Json::object({{"address", "asiakaspalvelu@contoso.example"}}))});
  if (with_ceo) queues.push(queue("Board", "en", 20, Json::object({{"address", "ceo@contoso.example"}})));
  return Json::object(
      {{"system_language", "en"},
       {"system_services",
        Json::object({{"email_settings", Json::object({{"incoming_mail_servers", Json::array({incoming})},
                                                       {"external_outgoing_mail_server", outgoing}})}})},
       {"queue_management", Json::object({{"queues", queues}})}});
}

std::string DemoWorld::token() {
  if (!token_.empty()) return token_;
  const Json credentials = Json::parse(base::read_file(dir_ / "credentials.json"));
  const std::string secret = credentials.find("apps")->find(kFabrikamApp)->text("secret");
  const std::string body = std::string("grant_type=client_credentials&client_id=") + kFabrikamApp +
                           "&client_secret=" + secret + "&scope=" + origin() + "/.default";
  const auto answer = web_.ask("POST", origin() + "/" + kFabrikam + "/oauth2/v2.0/token",
                               {{"Content-Type", "application/x-www-form-urlencoded"}}, body);
  if (answer.status != 200) throw std::runtime_error("the customer cannot sign in: " + std::to_string(answer.status));
  token_ = Json::parse(answer.body).text("access_token");
  return token_;
}

void DemoWorld::send(const DemoMail& mail) {
  const auto answer =
      web_.ask("POST", origin() + "/v1.0/users/" + mail.sender + "/sendMail",
               {{"Authorization", "Bearer " + token()}, {"Content-Type", "text/plain"}}, base64(mail.mime, false));
  if (answer.status != 202) {
    throw std::runtime_error("a customer's mail was not taken: " + std::to_string(answer.status) + " " +
                             answer.body.substr(0, 300));
  }
}

void DemoWorld::deliver(const std::string& mailbox, const std::string& mime) {
  const auto answer = web_.ask("POST", service_.control_origin() + "/mailboxes/" + mailbox + "/messages",
                               {{"Content-Type", "message/rfc822"}}, mime);
  if (answer.status != 201) throw std::runtime_error("a mail was not delivered: " + answer.body.substr(0, 300));
}

void DemoWorld::file_into(const std::string& mailbox, const std::string& address, const std::string& folder) {
  for (const Json& message : messages(mailbox, "inbox")) {
    if (message.find("to")->dump().find(address) == std::string::npos) continue;
    web_.json("POST", service_.control_origin() + "/mailboxes/" + mailbox + "/messages/" + message.text("id") + "/move",
              Json::object({{"folder", folder}}));
  }
}

void DemoWorld::flood(const std::string& mailbox, int count) {
  web_.json("POST", service_.control_origin() + "/mailboxes/" + mailbox + "/flood",
            Json::object({{"count", count}, {"size", 4000}, {"subject", "Campaign answer"}}));
}

void DemoWorld::lose_next_send_answer() {
  web_.json("POST", service_.control_origin() + "/faults",
            Json::object({{"match", Json::object({{"operation", "messages.send"}, {"count", 1}})},
                          {"effect", Json::object({{"status", 504}, {"work", "done"}})}}));
}

std::vector<Json> DemoWorld::messages(const std::string& mailbox, const std::string& folder) {
  std::vector<Json> found;
  const Json state = web_.json("GET", service_.control_origin() + "/mailboxes/" + mailbox);
  for (const Json& one : state.find("folders")->items()) {
    if (!same_folder(one, folder)) continue;
    const auto& messages = one.find("messages")->items();
    found.insert(found.end(), messages.begin(), messages.end());
  }
  return found;
}

std::vector<std::string> DemoWorld::counts(const std::string& mailbox, const std::vector<std::string>& folders) {
  const Json state = web_.json("GET", service_.control_origin() + "/mailboxes/" + mailbox);
  std::vector<std::string> words;
  for (const std::string& folder : folders) {
    words.emplace_back("not there");
    for (const Json& one : state.find("folders")->items()) {
      if (!same_folder(one, folder)) continue;
      words.back() = std::to_string(one.find("total")->as_integer()) + " mails, " +
                     std::to_string(one.find("unread")->as_integer()) + " unread";
    }
  }
  return words;
}

}  // namespace commands
