// host-sim manifest: writes the manifest of a plugin from what the plugin says of itself.
#include <iostream>

#include "base/file.h"
#include "commands/command.h"
#include "loader/plugins.h"

namespace commands {
namespace {

int run(const base::Options& options, base::Log& log) {
  const std::filesystem::path library = *options.value("--library");
  const std::string text = loader::to_json(loader::describe_library(library, log)).dump_pretty();
  const auto output = options.value("--output");
  if (!output) {
    std::cout << text << std::flush;
    return kAllWell;
  }
  // Beside and renamed: who looks for plugins meanwhile sees the old manifest or the new one, never half of it.
  const std::filesystem::path temporary = *output + "." + base::random_name();
  const base::Fd fd = base::create_private(temporary);
  base::write_all(fd.get(), text, temporary);
  std::filesystem::permissions(temporary, std::filesystem::perms(0644));
  std::filesystem::rename(temporary, *output);
  return kAllWell;
}

}  // namespace

Command manifest_command() {
  Command command;
  command.spec = {"manifest",
                  "--library PLUGIN.so",
                  "writes the manifest of a plugin, for those who pack one",
                  "Loads the library, asks it for its id, version and server types, and adds size and SHA-256.",
                  {{"--library", "FILE", "the plugin", true},
                   {"--output", "FILE", "where to; default: standard output", false, false, "-o"}}};
  command.run = &run;
  return command;
}

}  // namespace commands
