#include "commands/workplace.h"

#include <iostream>

namespace commands {

void say(const std::string& sentence) {
  std::cerr << "host-sim: " << sentence << std::endl;
}

std::unique_ptr<loader::Plugins> load_plugins(const base::Options& options, const std::filesystem::path& state_root,
                                              base::Log& log) {
  loader::DiscoveryOptions where = loader::DiscoveryOptions::of_process();
  if (const auto folder = options.value("--plugins")) {
    std::error_code error;
    if (!std::filesystem::is_directory(*folder, error)) {
      throw base::UsageError("--plugins: there is no folder " + *folder);
    }
    where.folder = std::filesystem::absolute(*folder);
  }
  auto plugins = std::make_unique<loader::Plugins>(where, state_root, log);
  if (!plugins->any_usable()) throw NoPlugin(plugins->problems());
  for (const std::string& problem : plugins->problems()) say(problem);
  return plugins;
}

configurator::Configuration load_configuration(const std::filesystem::path& file, const loader::Plugins& plugins,
                                               base::Log& log) {
  configurator::TypeCatalog types;
  types.find = [&](std::string_view type, std::string_view interface) { return plugins.server_type(type, interface); };
  types.names = plugins.type_names();
  configurator::Configuration configuration = configurator::read_configuration(file, types);
  for (const std::string& warning : configuration.warnings) log.warning(warning);
  return configuration;
}

}  // namespace commands
