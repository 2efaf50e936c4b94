// What most commands begin with: plugins, configuration, data folder.
#ifndef HOST_SIM_COMMANDS_WORKPLACE_H_
#define HOST_SIM_COMMANDS_WORKPLACE_H_

#include <filesystem>
#include <memory>
#include <string>

#include "base/log.h"
#include "base/options.h"
#include "commands/command.h"
#include "configurator/configuration.h"
#include "loader/plugins.h"

namespace commands {

// All plugins, those of --plugins DIR only when given. Sentences about broken ones go to stderr; throws NoPlugin when
// none is usable.
std::unique_ptr<loader::Plugins> load_plugins(const base::Options& options, const std::filesystem::path& state_root,
                                              base::Log& log);

// Says what is odd on stderr. Throws ConfigurationError.
configurator::Configuration load_configuration(const std::filesystem::path& file, const loader::Plugins& plugins,
                                               base::Log& log);

// One sentence on stderr.
void say(const std::string& sentence);

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_WORKPLACE_H_
