// host-sim describe TYPE: the form of a server type.
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/file.h"
#include "base/json.h"
#include "base/nearest.h"
#include "base/table.h"
#include "commands/command.h"
#include "commands/workplace.h"
#include "configurator/form.h"

namespace commands {
namespace {

using base::Json;

int run(const base::Options& options, base::Log& log) {
  if (options.positionals().empty()) throw base::UsageError("\"describe\" needs a server type, for example m365");
  const std::string& type = options.positionals()[0];
  const base::ScratchFolder scratch("host-sim");
  const auto plugins = load_plugins(options, scratch.path(), log);
  std::vector<const mailplugin_server_type*> found;
  for (const char* interface : {MAILPLUGIN_INCOMING, MAILPLUGIN_OUTGOING}) {
    const mailplugin_server_type* one = plugins->server_type(type, interface);
    if (one != nullptr && std::find(found.begin(), found.end(), one) == found.end()) found.push_back(one);
  }
  if (found.empty()) {
    throw base::UsageError("no plugin offers the server type \"" + type + "\"" +
                           base::did_you_mean(type, plugins->type_names()));
  }
  if (options.has("--json")) {
    Json types = Json::array();
    for (const mailplugin_server_type* one : found) {
      Json json = configurator::to_json(configurator::form_of(*one));
      json.set("plugin", plugins->owner_of(one)->manifest->id);
      types.push(std::move(json));
    }
    std::cout << Json::object({{"type", type}, {"server_types", types}}).dump_pretty() << std::flush;
    return kAllWell;
  }
  constexpr std::size_t kPageWidth = 100;
  const std::size_t terminal = base::terminal_width(STDOUT_FILENO);
  const std::size_t width = terminal == 0 ? kPageWidth : std::min(terminal, kPageWidth);
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::cout << (i == 0 ? "" : "\n") << configurator::render(configurator::form_of(*found[i]), width);
  }
  std::cout.flush();
  return kAllWell;
}

}  // namespace

Command describe_command() {
  Command command;
  command.spec = {"describe",
                  "TYPE [--json]",
                  "shows the form of a server type, as in the System Configurator",
                  "TYPE is what the configuration calls it, for example m365; host-sim plugins lists them.",
                  {{"--json", "", "the fields as JSON"}},
                  1};
  command.run = &run;
  return command;
}

}  // namespace commands
