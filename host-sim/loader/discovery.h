// Where plugins are looked for (manifests/README.md, "Discovery").
#ifndef HOST_SIM_LOADER_DISCOVERY_H_
#define HOST_SIM_LOADER_DISCOVERY_H_

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace loader {

struct DiscoveryOptions {
  // --plugins DIR: then nowhere else.
  std::optional<std::filesystem::path> folder;
  // Of the running program; a seam for tests.
  std::filesystem::path executable;
  std::function<std::optional<std::string>(const char*)> environment;

  // The running process's own.
  static DiscoveryOptions of_process();
};

// The folders in their order; those that do not exist are left in (a sentence may name them), doubles are not.
// --plugins alone; else $MAILPLUGIN_PATH (colon separated), `plugins` beside the folder of the executable, the user's
// $XDG_DATA_HOME/mailplugin/plugins (~/.local/share/...), /usr/local/lib/mailplugin, /usr/lib/mailplugin.
std::vector<std::filesystem::path> discovery_folders(const DiscoveryOptions& options);

// The files *.mailplugin.json of a folder, by name; none when it does not exist.
std::vector<std::filesystem::path> manifests_in(const std::filesystem::path& folder);

}  // namespace loader

#endif  // HOST_SIM_LOADER_DISCOVERY_H_
