#include "configurator/configuration.h"

#include <algorithm>
#include <cctype>
#include <map>
#include <set>
#include <tuple>

#include "base/file.h"
#include "base/nearest.h"
#include "configurator/section.h"

namespace configurator {
namespace {

using base::Json;

constexpr std::uint64_t kLargestFile = 64 << 20;

std::string indexed(const std::string& path, std::size_t index) {
  return path + "[" + std::to_string(index) + "]";
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

// The server type of an entry's "type"; nullptr and a problem when no plugin has it.
const mailplugin_server_type* find_type(Section& section, const std::string& type, const char* interface,
                                        const TypeCatalog& types) {
  if (type.empty()) return nullptr;
  const mailplugin_server_type* found = types.find(type, interface);
  if (found == nullptr) {
    section.problem("type",
                    "no plugin offers the " +
                        std::string(std::string_view(interface) == MAILPLUGIN_OUTGOING ? "outgoing" : "incoming") +
                        " server type \"" + type + "\"" + base::did_you_mean(type, types.names));
  }
  return found;
}

class Reader {
 public:
  Reader(const Json& root, const TypeCatalog& types, Findings& findings)
      : types_(types), findings_(findings), top_(&root, "", findings) {}

  Configuration read() {
    const std::string language = top_.text("system_language").value_or("");
    {
      Section services(top_.object("system_services"), "system_services", findings_);
      Section email(services.object("email_settings"), "system_services.email_settings", findings_);
      read_incoming(email);
      read_outgoing(email);
    }
    Section management(top_.object("queue_management"), "queue_management", findings_);
    const Json::Array& queues = management.list("queues");
    for (std::size_t i = 0; i < queues.size(); ++i) {
      read_queue(queues[i], indexed("queue_management.queues", i), language);
    }
    return std::move(result_);
  }

 private:
  void read_incoming(Section& email) {
    const Json::Array& servers = email.list("incoming_mail_servers");
    for (std::size_t i = 0; i < servers.size(); ++i) {
      const std::string path = indexed(email.path_of("incoming_mail_servers"), i);
      Section section(&servers[i], path, findings_);
      IncomingServer server;
      server.settings = Settings(path);
      server.name = section.required_text("name", "the name that queues choose the server by");
      server.type = section.required_text("type", "the server type, for example \"m365\"");
      server.server_type = find_type(section, server.type, MAILPLUGIN_INCOMING, types_);
      if (server.server_type == nullptr) {
        section.accept_all();
      } else {
        section.fields(form_of(*server.server_type), Scope::kServer, server.settings);
      }
      for (const IncomingServer& other : result_.incoming) {
        if (!server.name.empty() && other.name == server.name) {
          section.problem("name", "\"" + server.name + "\" is the name of " + other.settings.path() + " already");
        }
      }
      result_.incoming.push_back(std::move(server));
    }
  }

  void read_outgoing(Section& email) {
    const Json* object = email.object("external_outgoing_mail_server");
    if (object == nullptr) return;
    const std::string path = email.path_of("external_outgoing_mail_server");
    Section section(object, path, findings_);
    OutgoingServer server;
    server.settings = Settings(path);
    server.enabled = section.on_or_off("enable").value_or(true);
    server.type = section.required_text("type", "the server type, for example \"m365\"");
    server.server_type = find_type(section, server.type, MAILPLUGIN_OUTGOING, types_);
    // The older document's box beside Password: it only opens the password for editing.
    const std::optional<bool> set_password = section.on_or_off("set_password");
    if (server.server_type == nullptr) {
      section.accept_all();
    } else {
      const Form form = form_of(*server.server_type);
      section.fields(form, Scope::kServer, server.settings);
      if (set_password && form.find(Scope::kServer, "set_password") != nullptr) {
        server.settings.set("set_password", *set_password ? "true" : "false");
      }
    }
    if (set_password == false && server.settings.find("password") != nullptr) {
      section.warning("set_password", "is false beside a password; the password is used all the same");
    }
    result_.outgoing = std::move(server);
  }

  void read_queue(const Json& value, const std::string& path, const std::string& system_language) {
    Section section(&value, path, findings_);
    Queue queue;
    queue.name = section.required_text("name", "the queue's name");
    std::optional<std::string> language;
    std::optional<std::int64_t> priority;
    {
      Section basics(section.object("basics"), section.path_of("basics"), findings_);
      language = basics.text("language");
      Section management(section.object("contact_management"), section.path_of("contact_management"), findings_);
      priority = management.whole_number("priority");
    }
    if (!queue.name.empty() && !queue_names_.insert(queue.name).second)
      section.problem("name", "two queues have the name \"" + queue.name + "\"");
    const Json::Array& addresses = section.list("numbers_addresses");
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      Address address = read_address(addresses[i], indexed(section.path_of("numbers_addresses"), i));
      address.queue = queue.name;
      if (!address.priority) address.priority = priority;
      if (address.language.empty()) address.language = language.value_or("");
      if (address.language.empty()) address.language = system_language;
      if (address.priority) address.settings.set("priority", std::to_string(*address.priority));
      queue.addresses.push_back(std::move(address));
      refuse_shared_folder(queue.addresses.back(), addresses[i].line());
    }
    result_.queues.push_back(std::move(queue));
  }

  Address read_address(const Json& value, const std::string& path) {
    Section section(&value, path, findings_);
    Address address;
    address.settings = Settings(path);
    address.address = section.required_text("address", "the full e-mail address of the mailbox");
    address.priority = section.whole_number("priority");
    address.language = section.text("extension_language").value_or("");
    address.sender = section.on_or_off("sender").value_or(false);
    const std::string account = section.text("email_account").value_or("");
    section.secret("email_password", address.settings);
    address.mailbox = names_mailbox(account) ? account : address.address;
    if (!address.address.empty()) address.settings.set("address", address.address);
    if (!account.empty()) address.settings.set("email_account", account);

    const std::string server = section.text("email_server").value_or("");
    const mailplugin_server_type* type = nullptr;
    if (server.empty()) {
      if (!address.sender) section.problem("email_server", "is missing: the name of one of the incoming mail servers");
    } else {
      type = find_server(section, server, address);
    }
    if (type == nullptr) {
      if (!server.empty()) section.accept_all();
    } else {
      section.fields(form_of(*type), Scope::kMailbox, address.settings);
    }
    const std::string* folder = address.settings.find("folder");
    address.folder = folder == nullptr ? "inbox" : *folder;
    return address;
  }

  const mailplugin_server_type* find_server(Section& section, const std::string& name, Address& address) {
    std::vector<std::string> names;
    for (std::size_t i = 0; i < result_.incoming.size(); ++i) {
      if (result_.incoming[i].name == name) {
        address.server = i;
        return result_.incoming[i].server_type;
      }
      names.push_back(result_.incoming[i].name);
    }
    section.problem("email_server",
                    "there is no incoming mail server \"" + name + "\"" + base::did_you_mean(name, names));
    return nullptr;
  }

  // Only what can be seen without the service: two addresses of one mailbox are found by the plugin (FOLDER_SHARED).
  void refuse_shared_folder(const Address& address, std::size_t line) {
    if (!address.server || address.mailbox.empty()) return;
    const auto [known, fresh] =
        folders_.try_emplace({*address.server, lower(address.mailbox), lower(address.folder)}, address.settings.path());
    if (fresh) return;
    findings_.problem(line, address.settings.path(),
                      "reads the folder \"" + address.folder + "\" of " + address.mailbox + ", which " + known->second +
                          " reads already; give one of them another folder");
  }

  const TypeCatalog& types_;
  Findings& findings_;
  Section top_;
  Configuration result_;
  std::set<std::string> queue_names_;
  // Who reads which folder: server, mailbox, folder; the path of the address.
  std::map<std::tuple<std::size_t, std::string, std::string>, std::string> folders_;
};

}  // namespace

void Settings::set_secret(const std::string& key, SecretSource source) {
  secrets_.insert_or_assign(key, std::move(source));
}

const std::string* Settings::find(const std::string& key) const {
  const auto it = values_.find(key);
  return it == values_.end() ? nullptr : &it->second;
}

const SecretSource* Settings::secret(const std::string& key) const {
  const auto it = secrets_.find(key);
  return it == secrets_.end() ? nullptr : &it->second;
}

const Address* Configuration::find_address(std::string_view wanted) const {
  for (const Queue& queue : queues) {
    for (const Address& address : queue.addresses) {
      if (lower(address.address) == lower(wanted)) return &address;
    }
  }
  return nullptr;
}

ConfigurationError::ConfigurationError(std::vector<std::string> problems)
    : std::runtime_error(problems.empty() ? "the configuration is faulty" : problems.front()),
      problems_(std::move(problems)) {}

bool names_mailbox(std::string_view account) {
  if (account.find('@') != std::string_view::npos) return true;
  // A GUID: 8-4-4-4-12 hexadecimal digits.
  if (account.size() != 36) return false;
  for (std::size_t i = 0; i < account.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    if (hyphen ? account[i] != '-' : std::isxdigit(static_cast<unsigned char>(account[i])) == 0) return false;
  }
  return true;
}

// A certificate file is named as a secret's file is: relative to the configuration, wherever host-sim was started.
static void resolve_files(Configuration& configuration) {
  const std::filesystem::path folder = std::filesystem::absolute(configuration.file).parent_path();
  const auto resolve = [&folder](Settings& settings) {
    const std::string* file = settings.find("ca_file");
    if (file != nullptr && !file->empty()) settings.set("ca_file", (folder / *file).string());
  };
  for (IncomingServer& server : configuration.incoming) resolve(server.settings);
  if (configuration.outgoing) resolve(configuration.outgoing->settings);
}

Configuration read_configuration(const std::filesystem::path& file, const TypeCatalog& types) {
  Findings findings;
  findings.file = file;
  findings.file_readable_by_others = base::readable_by_others(file);
  Configuration configuration;
  try {
    const Json root = Json::parse(base::read_file(file, kLargestFile));
    configuration = Reader(root, types, findings).read();
  } catch (const base::FileError& error) {
    throw ConfigurationError({error.what()});
  } catch (const base::JsonError& error) {
    throw ConfigurationError({file.string() + ":" + std::to_string(error.line()) + ":" +
                              std::to_string(error.column()) + ": not JSON: " + error.what()});
  }
  if (!findings.problems.empty()) throw ConfigurationError(std::move(findings.problems));
  configuration.file = file;
  resolve_files(configuration);
  configuration.warnings = std::move(findings.warnings);
  return configuration;
}

}  // namespace configurator
