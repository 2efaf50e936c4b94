// The host's log: lines on stderr, for people or as JSON, and the progress line of a terminal.
#ifndef HOST_SIM_BASE_LOG_H_
#define HOST_SIM_BASE_LOG_H_

#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace base {

enum class Level { kDebug = 1, kInfo, kWarning, kError };

std::optional<Level> level_named(std::string_view name);
std::string_view name_of(Level level);

// Thread-safe: every line is written whole.
class Log {
 public:
  struct Options {
    Level least = Level::kInfo;
    bool json = false;
    // Where to; not owned.
    int fd = 2;
  };
  explicit Log(Options options) : options_(options) {}

  bool enabled(Level level) const { return level >= options_.least; }
  // `source`: who speaks ("host", "m365.graph"). Control characters in the line become blanks: a mail's words in a line
  // must not forge another line.
  void write(Level level, std::string_view source, std::string_view line);
  void debug(std::string_view line) { write(Level::kDebug, "host", line); }
  void info(std::string_view line) { write(Level::kInfo, "host", line); }
  void warning(std::string_view line) { write(Level::kWarning, "host", line); }
  void error(std::string_view line) { write(Level::kError, "host", line); }

  // Shows the line at the foot of a terminal until the next one; an empty one removes it. Nothing in a pipe.
  void progress(const std::string& line);

 private:
  const Options options_;
  std::mutex mutex_;
  // Guarded by mutex_.
  std::string progress_;
};

// True when descriptor `fd` is a terminal that may be coloured (NO_COLOR unset, TERM not "dumb").
bool may_colour(int fd);

}  // namespace base

#endif  // HOST_SIM_BASE_LOG_H_
