// host-sim: finds the command, reads its options, turns what went wrong into sentences and an exit code.
#include <signal.h>
#include <sys/prctl.h>

#include <cstdio>
#include <iostream>

#include "base/file.h"
#include "base/nearest.h"
#include "commands/command.h"
#include "configurator/configuration.h"
#include "loader/manifest.h"
#include "runtime/data_folder.h"
#include "runtime/outgoing_mail.h"
#include "runtime/sqlite.h"

namespace commands {
namespace {

constexpr const char* kVersion = "1.0.0";

std::vector<Command> all_commands() {
  std::vector<Command> all{plugins_command(), describe_command(), check_command(),    run_command(), send_command(),
                           inbox_command(),   m365_command(),     manifest_command(), demo_command()};
  for (Command& command : all) {
    auto& options = command.spec.options;
    options.push_back({"--plugins", "DIR", "look for plugins in this folder only"});
    options.push_back({"--log-level", "LEVEL",
                       "debug, info, warning or error; default: " + std::string(base::name_of(command.log_level))});
    options.push_back({"--log-format", "FORMAT", "text or json; default: text"});
    options.push_back({"--help", "", "this text"});
    options.push_back({"--version", "", "the version of host-sim"});
  }
  return all;
}

void print_overview(const std::vector<Command>& all) {
  std::cout << "usage: host-sim COMMAND [OPTIONS]\n\nThe contact center's stand-in: runs mail plugins.\n\n";
  for (const Command& command : all) {
    std::cout << "  " << command.spec.name << std::string(12 - command.spec.name.size(), ' ') << command.spec.summary
              << "\n";
  }
  std::cout << "\nhost-sim COMMAND --help tells the options of a command.\n"
               "Exit codes: 0 all well, 1 something failed, 2 wrong usage or configuration, 3 no usable plugin,\n"
               "4 no server could be reached or all refused.\n";
}

base::Log::Options log_options(const base::Options& options, base::Level least) {
  base::Log::Options log;
  log.least = least;
  if (const auto level = options.value("--log-level")) {
    const auto named = base::level_named(*level);
    if (!named) {
      throw base::UsageError("--log-level: \"" + *level + "\" is no level" +
                             base::did_you_mean(*level, {"debug", "info", "warning", "error"}));
    }
    log.least = *named;
  }
  if (const auto format = options.value("--log-format")) {
    if (*format != "text" && *format != "json") {
      throw base::UsageError("--log-format: \"" + *format + "\" is no format" +
                             base::did_you_mean(*format, {"text", "json"}));
    }
    log.json = *format == "json";
  }
  return log;
}

int complain(const std::string& sentence, int code) {
  std::cerr << "host-sim: " << sentence << std::endl;
  return code;
}

int complain(const std::vector<std::string>& sentences, int code) {
  for (const std::string& sentence : sentences) complain(sentence, code);
  return code;
}

int run_guarded(const Command& command, const base::Options& options) {
  try {
    base::Log log(log_options(options, command.log_level));
    return command.run(options, log);
  } catch (const base::UsageError& error) {
    return complain(std::string(error.what()) + "; see host-sim " + command.spec.name + " --help", kWrongUsage);
  } catch (const configurator::ConfigurationError& error) {
    return complain(error.problems(), kWrongUsage);
  } catch (const NoPlugin& error) {
    return complain(error.problems(), kNoPlugin);
  } catch (const loader::PluginError& error) {
    return complain(error.what(), kNoPlugin);
  } catch (const runtime::FolderInUse& error) {
    return complain(error.what(), kWrongUsage);
  } catch (const runtime::MessageError& error) {
    return complain(error.what(), kWrongUsage);
  } catch (const base::FileError& error) {
    return complain(std::string(error.what()) + "; name a place this user may write to and read from", kWrongUsage);
  } catch (const runtime::StoreError& error) {
    return complain(error.what(), kWrongUsage);
  } catch (const std::exception& error) {
    return complain(error.what(), kSomethingFailed);
  }
}

int main_of(const std::vector<std::string>& words) {
  const std::vector<Command> all = all_commands();
  if (words.empty()) {
    print_overview(all);
    return kWrongUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help") {
    print_overview(all);
    return kAllWell;
  }
  if (words[0] == "--version") {
    std::cout << "host-sim " << kVersion << std::endl;
    return kAllWell;
  }
  std::vector<std::string> names;
  for (const Command& command : all) {
    names.push_back(command.spec.name);
    if (command.spec.name != words[0]) continue;
    base::Options options;
    try {
      options = base::Options::parse({words.begin() + 1, words.end()}, command.spec);
    } catch (const base::UsageError& error) {
      return complain(std::string(error.what()) + "; see host-sim " + command.spec.name + " --help", kWrongUsage);
    }
    if (options.has("--help")) {
      std::cout << base::help_of(command.spec, "host-sim");
      return kAllWell;
    }
    if (options.has("--version")) {
      std::cout << "host-sim " << kVersion << std::endl;
      return kAllWell;
    }
    return run_guarded(command, options);
  }
  return complain(
      "unknown command \"" + words[0] + "\"" + base::did_you_mean(words[0], names) + "; see host-sim --help",
      kWrongUsage);
}

}  // namespace
}  // namespace commands

int main(int argc, char** argv) {
  // A peer that is gone is an error of that connection, not the end of the process.
  ::signal(SIGPIPE, SIG_IGN);
  // Secrets and mails are in this memory: no core dumps, no debugger of the same user.
  // (The leak checker of a sanitizer build attaches as a debugger does.)
#if !defined(__SANITIZE_ADDRESS__)
  ::prctl(PR_SET_DUMPABLE, 0);
#endif
  runtime::prepare_sqlite();
  return commands::main_of({argv + 1, argv + argc});
}
