#include "loader/plugins.h"

#include <algorithm>

#include "base/file.h"

namespace loader {
namespace {

constexpr std::uint64_t kLargestManifest = 1 << 20;

bool offers(const mailplugin_server_type& type, std::string_view interface) {
  for (const char* const* name = type.interfaces; *name != nullptr; ++name) {
    if (interface == *name) return true;
  }
  return false;
}

}  // namespace

Plugins::Plugins(const DiscoveryOptions& where, const std::filesystem::path& state_root, base::Log& log)
    : folders_(discovery_folders(where)) {
  for (const auto& folder : folders_) {
    for (const auto& manifest : manifests_in(folder)) load(manifest, state_root, log);
  }
}

void Plugins::load(const std::filesystem::path& manifest_path, const std::filesystem::path& state_root,
                   base::Log& log) {
  Plugin& plugin = plugins_.emplace_back();
  plugin.manifest_path = manifest_path;
  try {
    plugin.manifest = parse_manifest(base::read_file(manifest_path, kLargestManifest));
    const std::string& id = plugin.manifest->id;
    for (const Plugin& other : plugins_) {
      if (other.module && other.manifest->id == id) {
        throw PluginError("id: a plugin \"" + id + "\" was already found at " + other.manifest_path.string() +
                          ", which is used; remove one of the two");
      }
    }
    const auto library = verify(*plugin.manifest, manifest_path.parent_path());
    const auto state_dir = state_root / id;
    base::make_private_directory(state_dir);
    auto module = std::make_unique<Module>(library, state_dir, id, log);
    compare(*plugin.manifest, module->description());
    plugin.module = std::move(module);
  } catch (const std::exception& error) {
    plugin.problem = error.what();
  }
}

bool Plugins::any_usable() const {
  return std::any_of(plugins_.begin(), plugins_.end(), [](const Plugin& plugin) { return plugin.module != nullptr; });
}

std::vector<std::string> Plugins::problems() const {
  std::vector<std::string> sentences;
  for (const Plugin& plugin : plugins_) {
    if (!plugin.problem.empty()) sentences.push_back(plugin.manifest_path.string() + ": " + plugin.problem);
  }
  if (plugins_.empty()) {
    std::string looked;
    for (const auto& folder : folders_) looked += (looked.empty() ? "" : ", ") + folder.string();
    sentences.push_back("no plugin was found: no file *" + std::string(kManifestSuffix) + " in " + looked +
                        "; install a plugin's package there, or name its folder with --plugins");
  }
  return sentences;
}

const mailplugin_server_type* Plugins::server_type(std::string_view type, std::string_view interface) const {
  const std::string suffix = interface == MAILPLUGIN_OUTGOING ? ".outgoing" : ".incoming";
  for (const std::string& id : {std::string(type), std::string(type) + suffix}) {
    for (const Plugin& plugin : plugins_) {
      if (!plugin.module) continue;
      const mailplugin_module& module = plugin.module->get();
      for (uint32_t i = 0; i < module.server_type_count; ++i) {
        if (id == module.server_types[i]->id && offers(*module.server_types[i], interface))
          return module.server_types[i];
      }
    }
  }
  return nullptr;
}

std::vector<std::string> Plugins::type_names() const {
  std::vector<std::string> names;
  for (const Plugin& plugin : plugins_) {
    if (!plugin.module) continue;
    const mailplugin_module& module = plugin.module->get();
    for (uint32_t i = 0; i < module.server_type_count; ++i) {
      std::string name = module.server_types[i]->id;
      for (const std::string_view suffix : {".incoming", ".outgoing"}) {
        if (name.size() > suffix.size() && name.ends_with(suffix)) name.resize(name.size() - suffix.size());
      }
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

const Plugin* Plugins::owner_of(const mailplugin_server_type* type) const {
  for (const Plugin& plugin : plugins_) {
    if (!plugin.module) continue;
    const mailplugin_module& module = plugin.module->get();
    for (uint32_t i = 0; i < module.server_type_count; ++i) {
      if (module.server_types[i] == type) return &plugin;
    }
  }
  return nullptr;
}

Manifest describe_library(const std::filesystem::path& library, base::Log& log) {
  const base::ScratchFolder scratch("mailplugin-manifest");
  Manifest manifest;
  {
    const Module module(std::filesystem::absolute(library), scratch.path(), library.filename().string(), log);
    manifest = module.description();
  }
  const base::Digest digest = base::digest_file(library);
  manifest.library = library.filename().string();
  manifest.library_size = digest.size;
  manifest.library_sha256 = digest.sha256;
  return manifest;
}

}  // namespace loader
