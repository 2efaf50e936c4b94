// The System Configurator's part that concerns e-mail: servers and queues, as the file of the contract holds them.
#ifndef HOST_SIM_CONFIGURATOR_CONFIGURATION_H_
#define HOST_SIM_CONFIGURATOR_CONFIGURATION_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "configurator/secret.h"
#include "mailplugin/mailplugin.h"

namespace configurator {

// What is handed to the plugin for one server or one mailbox, and where in the file it stands.
class Settings {
 public:
  // `path`: of the object in the file, e.g. "queue_management.queues[0].numbers_addresses[1]".
  explicit Settings(std::string path = {}) : path_(std::move(path)) {}

  void set(const std::string& key, std::string value) { values_[key] = std::move(value); }
  void set_secret(const std::string& key, SecretSource source);

  const std::string* find(const std::string& key) const;
  // nullptr when the key is no secret.
  const SecretSource* secret(const std::string& key) const;
  const std::map<std::string, std::string>& values() const { return values_; }
  const std::string& path() const { return path_; }
  // The path of a key in the file; of the whole for an empty one.
  std::string path_of(const std::string& key) const { return key.empty() ? path_ : path_ + "." + key; }

 private:
  std::string path_;
  std::map<std::string, std::string> values_;  // secrets too
  std::map<std::string, SecretSource> secrets_;
};

struct IncomingServer {
  std::string name, type;
  const mailplugin_server_type* server_type = nullptr;
  Settings settings;
};

struct OutgoingServer {
  bool enabled = true;
  std::string type;
  const mailplugin_server_type* server_type = nullptr;
  Settings settings;
};

// One row of Numbers/Addresses, with the values that hold after queue and system were asked.
struct Address {
  std::string queue;
  std::string address;
  std::string mailbox;  // email_account where it names a mailbox, else the address
  std::string folder;   // as written, "inbox" by default
  std::optional<std::int64_t> priority;
  std::string language;
  bool sender = false;
  std::optional<std::size_t> server;  // index into incoming; none: an address to send from only
  Settings settings;
};

struct Queue {
  std::string name;
  std::vector<Address> addresses;
};

struct Configuration {
  std::filesystem::path file;
  std::vector<IncomingServer> incoming;
  std::optional<OutgoingServer> outgoing;
  std::vector<Queue> queues;
  std::vector<std::string> warnings;

  // The row of a sender address, compared without case; nullptr when no queue has it.
  const Address* find_address(std::string_view address) const;
};

// Every fault of the file, each a sentence that names the key by its path.
class ConfigurationError : public std::runtime_error {
 public:
  explicit ConfigurationError(std::vector<std::string> problems);
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;
};

// What the configurator asks about the plugins.
struct TypeCatalog {
  // The server type of this name that offers the interface, or nullptr.
  std::function<const mailplugin_server_type*(std::string_view type, std::string_view interface)> find;
  // All names, for "did you mean".
  std::vector<std::string> names;
};

// Throws ConfigurationError. Secrets are read once here, so that an unreadable one is told at the start.
Configuration read_configuration(const std::filesystem::path& file, const TypeCatalog& types);

// True when E-Mail Account names a mailbox by itself: an address or a GUID; a display name does not.
bool names_mailbox(std::string_view email_account);

}  // namespace configurator

#endif  // HOST_SIM_CONFIGURATOR_CONFIGURATION_H_
