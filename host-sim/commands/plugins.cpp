// host-sim plugins: what is installed, and whether it can be used.
#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "base/file.h"
#include "base/json.h"
#include "base/table.h"
#include "commands/command.h"
#include "commands/workplace.h"

namespace commands {
namespace {

using base::Json;

Json to_json(const loader::Plugin& plugin) {
  Json json = Json::object({{"manifest", plugin.manifest_path.string()}, {"usable", plugin.module != nullptr}});
  json.set("problem", plugin.problem.empty() ? Json() : Json(plugin.problem));
  const bool known = plugin.manifest.has_value();
  json.set("id", known ? Json(plugin.manifest->id) : Json());
  json.set("name", known ? Json(plugin.manifest->name) : Json());
  json.set("vendor", known ? Json(plugin.manifest->vendor) : Json());
  json.set("version", known ? Json(plugin.manifest->version) : Json());
  json.set("library", known ? Json((plugin.manifest_path.parent_path() / plugin.manifest->library).string()) : Json());
  json.set("server_types", known ? *loader::to_json(*plugin.manifest).find("server_types") : Json::array());
  return json;
}

std::vector<std::string> to_row(const loader::Plugin& plugin) {
  if (!plugin.manifest) return {"-", "-", "-", "-", "-", "not usable", plugin.manifest_path.string()};
  std::string types;
  for (const auto& type : plugin.manifest->server_types) types += (types.empty() ? "" : ", ") + type.id;
  const std::string abi = std::to_string(plugin.manifest->abi_major) + "." + std::to_string(plugin.manifest->abi_minor);
  return {plugin.manifest->id,
          plugin.manifest->version,
          plugin.manifest->vendor,
          abi,
          types,
          plugin.module ? "usable" : "not usable",
          plugin.manifest_path.string()};
}

int run(const base::Options& options, base::Log& log) {
  const base::ScratchFolder scratch("host-sim");
  loader::DiscoveryOptions where = loader::DiscoveryOptions::of_process();
  if (const auto folder = options.value("--plugins")) where.folder = std::filesystem::absolute(*folder);
  const loader::Plugins plugins(where, scratch.path(), log);
  base::Table table({"PLUGIN", "VERSION", "VENDOR", "INTERFACE", "SERVER TYPES", "STATE", "MANIFEST"});
  for (const loader::Plugin& plugin : plugins.all()) {
    if (options.has("--json")) {
      std::cout << to_json(plugin).dump() << "\n";
    } else {
      table.add(to_row(plugin));
    }
  }
  if (!options.has("--json") && !plugins.all().empty()) std::cout << table.render(0, base::may_colour(STDOUT_FILENO));
  std::cout.flush();
  const std::vector<std::string> problems = plugins.problems();
  for (const std::string& problem : problems) say(problem);
  if (!plugins.any_usable()) return kNoPlugin;
  return problems.empty() ? kAllWell : kSomethingFailed;
}

}  // namespace

Command plugins_command() {
  Command command;
  command.spec = {"plugins",
                  "[--json]",
                  "finds plugins, verifies and loads them, and tells what they are",
                  "",
                  {{"--json", "", "one JSON object a line instead of a table"}}};
  command.run = &run;
  return command;
}

}  // namespace commands
