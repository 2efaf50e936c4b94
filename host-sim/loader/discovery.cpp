#include "loader/discovery.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "loader/manifest.h"

namespace loader {
namespace fs = std::filesystem;

DiscoveryOptions DiscoveryOptions::of_process() {
  DiscoveryOptions options;
  std::error_code ignored;
  options.executable = fs::read_symlink("/proc/self/exe", ignored);
  options.environment = [](const char* name) -> std::optional<std::string> {
    const char* value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
  };
  return options;
}

std::vector<fs::path> discovery_folders(const DiscoveryOptions& options) {
  if (options.folder) return {*options.folder};
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    if (folder.is_absolute() && std::find(folders.begin(), folders.end(), folder) == folders.end()) {
      folders.push_back(folder.lexically_normal());
    }
  };
  const auto get = [&](const char* name) { return options.environment ? options.environment(name) : std::nullopt; };
  if (const auto list = get("MAILPLUGIN_PATH")) {
    for (std::size_t from = 0; from <= list->size();) {
      const std::size_t to = std::min(list->find(':', from), list->size());
      std::error_code ignored;
      if (to > from) add(fs::absolute(list->substr(from, to - from), ignored));
      from = to + 1;
    }
  }
  add(options.executable.parent_path().parent_path() / "plugins");
  if (const auto data = get("XDG_DATA_HOME")) {
    add(fs::path(*data) / "mailplugin" / "plugins");
  } else if (const auto home = get("HOME")) {
    add(fs::path(*home) / ".local" / "share" / "mailplugin" / "plugins");
  }
  add("/usr/local/lib/mailplugin");
  add("/usr/lib/mailplugin");
  return folders;
}

std::vector<fs::path> manifests_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (name.size() > kManifestSuffix.size() && name.ends_with(kManifestSuffix)) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace loader
