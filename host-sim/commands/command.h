// One command of host-sim: its options and what it does.
#ifndef HOST_SIM_COMMANDS_COMMAND_H_
#define HOST_SIM_COMMANDS_COMMAND_H_

#include <stdexcept>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/options.h"

namespace commands {

// The contract's exit codes (section 2).
enum ExitCode { kAllWell = 0, kSomethingFailed = 1, kWrongUsage = 2, kNoPlugin = 3, kNothingReached = 4 };

// No usable plugin: one sentence each.
class NoPlugin : public std::runtime_error {
 public:
  explicit NoPlugin(std::vector<std::string> problems)
      : std::runtime_error("no usable plugin"), problems_(std::move(problems)) {}
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  std::vector<std::string> problems_;
};

struct Command {
  base::CommandSpec spec;
  // What is logged without --log-level: long-running commands say more.
  base::Level log_level = base::Level::kWarning;
  int (*run)(const base::Options& options, base::Log& log) = nullptr;
};

Command plugins_command();
Command describe_command();
Command check_command();
Command run_command();
Command send_command();
Command inbox_command();
Command m365_command();
Command manifest_command();
Command demo_command();

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_COMMAND_H_
