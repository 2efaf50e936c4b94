// The manifest: what a plugin package says of itself before any of its code runs (manifests/README.md).
#ifndef HOST_SIM_LOADER_MANIFEST_H_
#define HOST_SIM_LOADER_MANIFEST_H_

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace loader {

inline constexpr std::string_view kManifestSuffix = ".mailplugin.json";
inline constexpr int kManifestFormat = 1;

struct ManifestServerType {
  std::string id, label;
  std::vector<std::string> interfaces;
  bool operator==(const ManifestServerType&) const = default;
};

struct Manifest {
  std::string id, name, vendor, version;
  std::uint32_t abi_major = 0, abi_minor = 0;
  std::string platform;
  std::string library;  // a file beside the manifest or below its folder
  std::uint64_t library_size = 0;
  std::string library_sha256;
  std::vector<ManifestServerType> server_types;
};

// A manifest or a plugin that cannot be used: what, where, what to do.
class PluginError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// "linux-x86_64": the platform this host was built for.
std::string host_platform();

// Throws PluginError with the key's path: not JSON, unknown key (the nearest known one named), missing key, wrong type,
// a library path that is absolute or leaves the folder.
Manifest parse_manifest(std::string_view text);

// Checks what can be known before loading: ABI major, platform, the library's place, size and SHA-256. `folder` is
// where the manifest stands. Returns the library's real path. Throws PluginError.
std::filesystem::path verify(const Manifest& manifest, const std::filesystem::path& folder);

// The manifest as the file has it, for `host-sim manifest`.
base::Json to_json(const Manifest& manifest);

}  // namespace loader

#endif  // HOST_SIM_LOADER_MANIFEST_H_
