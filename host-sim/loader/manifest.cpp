#include "loader/manifest.h"

#include <algorithm>

#include "base/file.h"
#include "base/nearest.h"
#include "mailplugin/mailplugin.h"

namespace loader {
namespace {

using base::Json;

// Reads the members of one object, and at the end refuses the ones nobody asked for.
class Reader {
 public:
  Reader(const Json& object, std::string path) : object_(object), path_(std::move(path)) {
    if (!object.is_object()) throw PluginError(name("") + ": an object is expected, not " + std::string(object.kind()));
  }

  const Json& required(const std::string& key) {
    known_.push_back(key);
    const Json* value = object_.find(key);
    if (value == nullptr) throw PluginError(name(key) + ": is missing");
    return *value;
  }

  std::string text(const std::string& key) {
    const Json& value = required(key);
    if (!value.is_string()) throw PluginError(name(key) + ": a text is expected, not " + std::string(value.kind()));
    if (value.as_string().empty()) throw PluginError(name(key) + ": must not be empty");
    return value.as_string();
  }

  std::uint64_t number(const std::string& key, std::int64_t most) {
    const Json& value = required(key);
    if (!value.is_integer()) {
      throw PluginError(name(key) + ": a whole number is expected, not " + std::string(value.kind()));
    }
    if (value.as_integer() < 0 || value.as_integer() > most) {
      throw PluginError(name(key) + ": must be between 0 and " + std::to_string(most));
    }
    return static_cast<std::uint64_t>(value.as_integer());
  }

  const Json::Array& list(const std::string& key) {
    const Json& value = required(key);
    if (!value.is_array()) throw PluginError(name(key) + ": a list is expected, not " + std::string(value.kind()));
    return value.items();
  }

  void optional(const std::string& key) { known_.push_back(key); }

  void finish() const {
    for (const auto& [key, value] : object_.members()) {
      if (std::find(known_.begin(), known_.end(), key) == known_.end()) {
        throw PluginError(name(key) + ": unknown key" + base::did_you_mean(key, known_));
      }
    }
  }

  std::string name(const std::string& key) const {
    if (path_.empty()) return key.empty() ? "the manifest" : key;
    return key.empty() ? path_ : path_ + "." + key;
  }

 private:
  const Json& object_;
  const std::string path_;
  std::vector<std::string> known_;
};

bool is_id(const std::string& id) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
  };
  return id.size() <= 100 && std::all_of(id.begin(), id.end(), allowed) && id.front() != '.' && id.front() != '-';
}

ManifestServerType read_server_type(const Json& value, const std::string& path) {
  Reader reader(value, path);
  ManifestServerType type;
  type.id = reader.text("id");
  type.label = reader.text("label");
  const Json::Array& interfaces = reader.list("interfaces");
  for (std::size_t i = 0; i < interfaces.size(); ++i) {
    if (!interfaces[i].is_string()) {
      throw PluginError(path + ".interfaces[" + std::to_string(i) + "]: a text is expected, not " +
                        std::string(interfaces[i].kind()));
    }
    type.interfaces.push_back(interfaces[i].as_string());
  }
  reader.finish();
  return type;
}

// A path may only lead down from the manifest's folder; the file in a package names no other file of the machine.
void check_library_path(const std::string& library) {
  const std::filesystem::path path(library);
  if (path.is_absolute())
    throw PluginError("library.path: \"" + library + "\" is absolute; name a file in the package");
  for (const auto& part : path) {
    if (part == "..") throw PluginError("library.path: \"" + library + "\" leaves the package's folder");
  }
}

}  // namespace

std::string host_platform() {
#if defined(__x86_64__)
  const std::string machine = "x86_64";
#elif defined(__aarch64__)
  const std::string machine = "aarch64";
#else
  const std::string machine = "other";
#endif
  return "linux-" + machine;
}

Manifest parse_manifest(std::string_view text) {
  Json json;
  try {
    json = Json::parse(text);
  } catch (const base::JsonError& error) {
    throw PluginError("not JSON: line " + std::to_string(error.line()) + ", column " + std::to_string(error.column()) +
                      ": " + error.what());
  }
  Reader reader(json, "");
  reader.optional("$schema");
  reader.optional("description");
  const std::uint64_t format = reader.number("format", 1'000'000);
  if (format != kManifestFormat) {
    throw PluginError("format: " + std::to_string(format) + " is not known to this host, which reads format " +
                      std::to_string(kManifestFormat));
  }
  Manifest manifest;
  manifest.id = reader.text("id");
  if (!is_id(manifest.id)) {
    throw PluginError("id: \"" + manifest.id + "\" must be of a-z, 0-9, dot, hyphen and underscore, at most 100");
  }
  manifest.name = reader.text("name");
  manifest.vendor = reader.text("vendor");
  manifest.version = reader.text("version");
  Reader abi(reader.required("abi"), "abi");
  manifest.abi_major = static_cast<std::uint32_t>(abi.number("major", 1'000'000));
  manifest.abi_minor = static_cast<std::uint32_t>(abi.number("minor", 1'000'000));
  abi.finish();
  manifest.platform = reader.text("platform");
  Reader library(reader.required("library"), "library");
  manifest.library = library.text("path");
  manifest.library_size = library.number("size", std::int64_t{1} << 40);
  manifest.library_sha256 = library.text("sha256");
  library.finish();
  check_library_path(manifest.library);
  const Json::Array& types = reader.list("server_types");
  for (std::size_t i = 0; i < types.size(); ++i) {
    manifest.server_types.push_back(read_server_type(types[i], "server_types[" + std::to_string(i) + "]"));
  }
  reader.finish();
  return manifest;
}

std::filesystem::path verify(const Manifest& manifest, const std::filesystem::path& folder) {
  if (manifest.abi_major != MAILPLUGIN_ABI_MAJOR) {
    throw PluginError("abi.major: the plugin was made for version " + std::to_string(manifest.abi_major) +
                      " of the plugin interface, this host has version " + std::to_string(MAILPLUGIN_ABI_MAJOR) +
                      "; install the plugin's package for this version");
  }
  if (manifest.platform != host_platform()) {
    throw PluginError("platform: the plugin was made for " + manifest.platform + ", this host runs on " +
                      host_platform() + "; install the plugin's package for this platform");
  }
  std::error_code error;
  const auto real_folder = std::filesystem::canonical(folder, error);
  const auto library = std::filesystem::canonical(folder / manifest.library, error);
  if (error) {
    throw PluginError("library.path: " + (folder / manifest.library).string() + " cannot be found: " + error.message() +
                      "; install the whole package");
  }
  // A symbolic link may have led out of the folder although the words of the path do not.
  const auto [end, ignored] = std::mismatch(real_folder.begin(), real_folder.end(), library.begin(), library.end());
  if (end != real_folder.end()) {
    throw PluginError("library.path: " + library.string() + " lies outside the package's folder " +
                      real_folder.string());
  }
  base::Digest digest;
  try {
    digest = base::digest_file(library);
  } catch (const base::FileError& failure) {
    throw PluginError(std::string("library.path: ") + failure.what());
  }
  if (digest.size != manifest.library_size) {
    throw PluginError("library.size: " + library.string() + " has " + std::to_string(digest.size) +
                      " bytes, the manifest says " + std::to_string(manifest.library_size) +
                      "; the package is damaged or mixed from two versions: install it again");
  }
  if (digest.sha256 != manifest.library_sha256) {
    throw PluginError("library.sha256: " + library.string() + " has SHA-256 " + digest.sha256 + ", the manifest says " +
                      manifest.library_sha256 + "; the library was changed after it was packed: install it again");
  }
  return library;
}

Json to_json(const Manifest& manifest) {
  Json types = Json::array();
  for (const ManifestServerType& type : manifest.server_types) {
    Json interfaces = Json::array();
    for (const std::string& name : type.interfaces) interfaces.push(name);
    types.push(Json::object({{"id", type.id}, {"label", type.label}, {"interfaces", interfaces}}));
  }
  return Json::object({
      {"format", kManifestFormat},
      {"id", manifest.id},
      {"name", manifest.name},
      {"vendor", manifest.vendor},
      {"version", manifest.version},
      {"abi", Json::object({{"major", static_cast<std::int64_t>(manifest.abi_major)},
                            {"minor", static_cast<std::int64_t>(manifest.abi_minor)}})},
      {"platform", manifest.platform},
      {"library", Json::object({{"path", manifest.library},
                                {"size", static_cast<std::int64_t>(manifest.library_size)},
                                {"sha256", manifest.library_sha256}})},
      {"server_types", types},
  });
}

}  // namespace loader
