// A process under measurement: its CPU, its memory, its threads.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace bench {

struct Usage {
  double cpu = 0;  ///< seconds, user and system
  long resident_kb = 0, peak_kb = 0;
  int threads = 0;
};

struct Ended {
  int code = 0;  ///< exit code; 128 + signal
  double seconds = 0, cpu = 0;
  /// Peak of resident memory (VmHWM), read every 10 ms: ru_maxrss would count the memory of the process that forked.
  long peak_kb = 0;
};

class Child {
 public:
  /// Runs `command` with standard output going to `output`. Throws std::runtime_error.
  Child(const std::vector<std::string>& command, const std::filesystem::path& output);
  /// Ends it by SIGKILL when it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Usage usage();
  void ask_to_end() const;  ///< SIGTERM
  bool running();
  /// Throws std::runtime_error when it runs longer than that.
  Ended wait(std::chrono::seconds longest);
  /// Lets it run for that long.
  void pass(std::chrono::milliseconds time);

 private:
  void look();

  std::string name_;
  std::filesystem::path output_;
  pid_t pid_ = -1;
  std::chrono::steady_clock::time_point begun_;
  long peak_kb_ = 0;
  std::optional<Ended> ended_;
};

/// SIGINT and SIGTERM from now on end what wait() and pass() wait for, by std::runtime_error: nothing is left behind.
void end_on_signals();

std::string read_whole(const std::filesystem::path& file);
/// As wait(), but its failure is one: throws std::runtime_error with what it wrote.
Ended run_well(const std::vector<std::string>& command, const std::filesystem::path& output,
               std::chrono::seconds longest);

}  // namespace bench
