// Another host-sim as a child process of this one.
#ifndef HOST_SIM_COMMANDS_CHILD_H_
#define HOST_SIM_COMMANDS_CHILD_H_

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "runtime/wakeup.h"

namespace commands {

// The user asked to stop while something was waited for.
class Interrupted : public std::exception {};

// Started by the constructor, killed by the destructor (and by the kernel when this process dies first).
class Child {
 public:
  // Runs this program with these arguments; standard output and error go to the files OUTPUT.out and OUTPUT.err.
  // Throws base::FileError.
  Child(std::vector<std::string> arguments, const std::filesystem::path& output, runtime::Wakeup& wakeup);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // The exit code, 128 + the signal's number, or nullopt when it still runs after `milliseconds`. Throws Interrupted.
  std::optional<int> wait(std::int64_t milliseconds);
  void signal(int number);
  std::string out() const;
  std::string err() const;

 private:
  const std::filesystem::path output_;
  runtime::Wakeup& wakeup_;
  pid_t pid_ = -1;
  std::optional<int> code_;
};

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_CHILD_H_
