// All plugins of this machine: found, verified, loaded; a broken one is told and the others go on.
#ifndef HOST_SIM_LOADER_PLUGINS_H_
#define HOST_SIM_LOADER_PLUGINS_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "loader/discovery.h"
#include "loader/manifest.h"
#include "loader/module.h"

namespace loader {

// One manifest that was found, and what became of it.
struct Plugin {
  std::filesystem::path manifest_path;
  std::optional<Manifest> manifest;  // when it could be read
  std::unique_ptr<Module> module;    // when it is usable
  std::string problem;               // else: why not
};

class Plugins {
 public:
  // Each plugin gets `state_root`/<id>, a private folder that is made here. Of two usable plugins with one id the first
  // found is used. Throws nothing for a broken plugin: see Plugin::problem.
  Plugins(const DiscoveryOptions& where, const std::filesystem::path& state_root, base::Log& log);

  const std::vector<Plugin>& all() const { return plugins_; }
  bool any_usable() const;
  // One sentence for every plugin that is not usable, or where was looked when there was none at all.
  std::vector<std::string> problems() const;

  // The server type a configuration calls `type` ("m365"): the one with this id, or with this id and ".incoming" or
  // ".outgoing", that offers `interface` (MAILPLUGIN_INCOMING, ...). nullptr when there is none.
  const mailplugin_server_type* server_type(std::string_view type, std::string_view interface) const;
  // Names a configuration may use as a type: ids without ".incoming" and ".outgoing", each once.
  std::vector<std::string> type_names() const;
  // The plugin a server type belongs to, nullptr when none.
  const Plugin* owner_of(const mailplugin_server_type* type) const;

 private:
  void load(const std::filesystem::path& manifest_path, const std::filesystem::path& state_root, base::Log& log);

  std::vector<std::filesystem::path> folders_;
  std::vector<Plugin> plugins_;
};

// The manifest of a library that has none yet: loads it and writes down what it says of itself.
// Throws PluginError.
Manifest describe_library(const std::filesystem::path& library, base::Log& log);

}  // namespace loader

#endif  // HOST_SIM_LOADER_PLUGINS_H_
