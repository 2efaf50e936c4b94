// A plugin in this process: loaded, asked for its module, negotiated.
#ifndef HOST_SIM_LOADER_MODULE_H_
#define HOST_SIM_LOADER_MODULE_H_

#include <filesystem>
#include <memory>
#include <string>

#include "base/log.h"
#include "loader/manifest.h"
#include "mailplugin/mailplugin.h"

namespace loader {

// One loaded plugin and the host table it was given. All its servers must be destroyed before it is.
class Module {
 public:
  // Loads the library and calls its entry. `state_dir` is what the plugin may write to; `source` names it in the log.
  // Throws PluginError: cannot be loaded, no entry symbol, it refuses this host, structs too small, texts missing.
  Module(const std::filesystem::path& library, const std::filesystem::path& state_dir, std::string source,
         base::Log& log);
  // Calls shutdown. The library stays mapped: what a plugin's libraries left in the process (thread-local
  // destructors, exit handlers) would otherwise point at nothing.
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const mailplugin_module& get() const { return *module_; }
  // What the module says of itself, in a manifest's words (library's path, size and hash left empty).
  Manifest description() const;

 private:
  struct Host;
  std::unique_ptr<Host> host_;
  const mailplugin_module* module_ = nullptr;
};

// Throws PluginError naming the key when the manifest says another thing than the module itself.
void compare(const Manifest& manifest, const Manifest& module);

}  // namespace loader

#endif  // HOST_SIM_LOADER_MODULE_H_
