#include "loader/module.h"

#include <dlfcn.h>

#include "mailplugin/mailplugin.h"

namespace loader {

namespace {

// What the table's ctx points at.
struct Context {
  base::Log& log;
  const std::string source;
};

std::string text_or_empty(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

void MAILPLUGIN_CALL write_log(const mailplugin_host* host, uint32_t level, const char* source, const char* line) {
  const auto* self = static_cast<const Context*>(host->ctx);
  std::string name = self->source;
  if (source != nullptr && *source != '\0') name += std::string("/") + source;
  base::Level as = base::Level::kError;
  std::string text = text_or_empty(line);
  if (level == MAILPLUGIN_LOG_DEBUG) as = base::Level::kDebug;
  if (level == MAILPLUGIN_LOG_INFO) as = base::Level::kInfo;
  if (level == MAILPLUGIN_LOG_WARNING) as = base::Level::kWarning;
  if (level == MAILPLUGIN_LOG_MISUSE) text = "the host misused the plugin: " + text;
  self->log.write(as, name, text);
}

const void* MAILPLUGIN_CALL no_extension(const mailplugin_host*, const char*) {
  return nullptr;
}

void check_text(const char* text, const std::string& what) {
  if (text == nullptr || *text == '\0') throw PluginError("the plugin has no " + what);
}

void check_server_type(const mailplugin_server_type* type, uint32_t index) {
  const std::string which = "server type " + std::to_string(index);
  if (type == nullptr) throw PluginError("the plugin's " + which + " is missing");
  if (!MAILPLUGIN_HAS(type, mailplugin_server_type, create)) {
    throw PluginError("the plugin's " + which + " is smaller than version 1.0 has it");
  }
  check_text(type->id, "id for its " + which);
  check_text(type->label, "label for its " + which);
  if (type->interfaces == nullptr || type->create == nullptr || (type->field_count > 0 && type->fields == nullptr)) {
    throw PluginError("the plugin's server type " + std::string(type->id) + " lacks interfaces, fields or create");
  }
  for (uint32_t i = 0; i < type->field_count; ++i) {
    const mailplugin_field* field = type->fields[i];
    const std::string name = "field " + std::to_string(i) + " of server type " + type->id;
    if (field == nullptr || !MAILPLUGIN_HAS(field, mailplugin_field, shown_if_value)) {
      throw PluginError("the plugin's " + name + " is missing or smaller than version 1.0 has it");
    }
    check_text(field->key, "key for " + name);
    check_text(field->label, "label for " + name);
  }
}

void check_module(const mailplugin_module* module) {
  if (module == nullptr) throw PluginError("the plugin's entry said OK and gave no module");
  if (!MAILPLUGIN_HAS(module, mailplugin_module, shutdown)) {
    throw PluginError("the plugin's module is smaller than version 1.0 has it (" + std::to_string(module->struct_size) +
                      " bytes)");
  }
  check_text(module->id, "id");
  check_text(module->name, "name");
  check_text(module->vendor, "vendor");
  check_text(module->version, "version");
  if (module->shutdown == nullptr) throw PluginError("the plugin has no shutdown function");
  if (module->server_type_count > 0 && module->server_types == nullptr) {
    throw PluginError("the plugin says it has server types and names none");
  }
  for (uint32_t i = 0; i < module->server_type_count; ++i) check_server_type(module->server_types[i], i);
}

}  // namespace

// The table and all it points at; they live until shutdown has returned.
struct Module::Host {
  Context context;
  const std::string state_dir;
  mailplugin_host table{};
};

Module::Module(const std::filesystem::path& library, const std::filesystem::path& state_dir, std::string source,
               base::Log& log)
    : host_(new Host{{log, std::move(source)}, state_dir.string(), {}}) {
  // NOW: a missing symbol is told here and not in the middle of a mail. LOCAL: two plugins do not see each other's.
  // NODELETE: see the destructor.
  void* handle = ::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* reason = ::dlerror();
    throw PluginError("the library cannot be loaded: " + text_or_empty(reason) +
                      "; install what it needs, or the package for this system");
  }
  const auto entry = reinterpret_cast<mailplugin_entry_fn>(::dlsym(handle, MAILPLUGIN_ENTRY_SYMBOL));
  if (entry == nullptr) {
    ::dlclose(handle);
    throw PluginError(library.string() + " has no " MAILPLUGIN_ENTRY_SYMBOL
                                         ": it is no mail plugin, or one for another version of the interface");
  }
  mailplugin_host& table = host_->table;
  table.struct_size = sizeof table;
  table.abi_minor = MAILPLUGIN_ABI_MINOR;
  table.ctx = &host_->context;
  table.name = "host-sim";
  table.version = "1.0.0";
  table.state_dir = host_->state_dir.c_str();
  table.log = &write_log;
  table.get_extension = &no_extension;
  const mailplugin_status status = entry(&table, &module_);
  try {
    if (status == MAILPLUGIN_E_ABI)
      throw PluginError("the plugin refuses this host: no common version of the interface");
    if (status != MAILPLUGIN_OK) {
      throw PluginError("the plugin's entry failed with status " + std::to_string(status) + "; its log line says why");
    }
    check_module(module_);
  } catch (...) {
    if (status == MAILPLUGIN_OK && module_ != nullptr && MAILPLUGIN_CAN(module_, mailplugin_module, shutdown)) {
      module_->shutdown();
    }
    throw;
  }
}

Module::~Module() {
  module_->shutdown();
}

Manifest Module::description() const {
  Manifest manifest;
  manifest.id = module_->id;
  manifest.name = module_->name;
  manifest.vendor = module_->vendor;
  manifest.version = module_->version;
  manifest.abi_major = MAILPLUGIN_ABI_MAJOR;
  manifest.abi_minor = module_->abi_minor;
  manifest.platform = host_platform();
  for (uint32_t i = 0; i < module_->server_type_count; ++i) {
    const mailplugin_server_type& type = *module_->server_types[i];
    ManifestServerType described{type.id, type.label, {}};
    for (const char* const* name = type.interfaces; *name != nullptr; ++name) described.interfaces.emplace_back(*name);
    manifest.server_types.push_back(std::move(described));
  }
  return manifest;
}

void compare(const Manifest& manifest, const Manifest& module) {
  const auto same = [](const char* key, const std::string& said, const std::string& is) {
    if (said != is) {
      throw PluginError(std::string(key) + ": the manifest says \"" + said + "\", the plugin itself \"" + is +
                        "\"; install the plugin's own manifest");
    }
  };
  same("id", manifest.id, module.id);
  same("name", manifest.name, module.name);
  same("vendor", manifest.vendor, module.vendor);
  same("version", manifest.version, module.version);
  same("abi.minor", std::to_string(manifest.abi_minor), std::to_string(module.abi_minor));
  same("server_types", std::to_string(manifest.server_types.size()), std::to_string(module.server_types.size()));
  for (std::size_t i = 0; i < module.server_types.size(); ++i) {
    const std::string path = "server_types[" + std::to_string(i) + "]";
    same((path + ".id").c_str(), manifest.server_types[i].id, module.server_types[i].id);
    same((path + ".label").c_str(), manifest.server_types[i].label, module.server_types[i].label);
    const auto joined = [](const std::vector<std::string>& names) {
      std::string all;
      for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
      return all;
    };
    same((path + ".interfaces").c_str(), joined(manifest.server_types[i].interfaces),
         joined(module.server_types[i].interfaces));
  }
}

}  // namespace loader
