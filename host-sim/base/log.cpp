#include "base/log.h"

#include <unistd.h>

#include <cstdlib>

#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utf8.h"

namespace base {
namespace {

constexpr std::size_t kLongestLine = 4096;
constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};

void write_quietly(int fd, const std::string& text) {
  try {
    write_all(fd, text, "the log");
  } catch (const FileError&) {
    // Nobody is left to tell.
  }
}

}  // namespace

std::optional<Level> level_named(std::string_view name) {
  for (int i = 0; i < 4; ++i) {
    if (kNames[i] == name) return static_cast<Level>(i + 1);
  }
  return std::nullopt;
}

std::string_view name_of(Level level) {
  return kNames[static_cast<int>(level) - 1];
}

bool may_colour(int fd) {
  const char* no_colour = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  return ::isatty(fd) == 1 && (no_colour == nullptr || *no_colour == '\0') && term != nullptr &&
         std::string_view(term) != "dumb";
}

void Log::write(Level level, std::string_view source, std::string_view line) {
  if (!enabled(level)) return;
  std::string text;
  const std::string time = to_rfc3339(now_unix_ms());
  const std::string clean = for_one_line(line, kLongestLine);
  if (options_.json) {
    text = Json::object({{"time", time}, {"level", name_of(level)}, {"source", source}, {"line", clean}}).dump();
  } else {
    const bool coloured = level >= Level::kWarning && may_colour(options_.fd);
    text = time + " ";
    if (coloured) text += level == Level::kError ? "\x1b[31m" : "\x1b[33m";
    text.append(name_of(level));
    if (coloured) text += "\x1b[0m";
    text += " " + for_one_line(source, 64) + ": " + clean;
  }
  text += "\n";
  const std::lock_guard lock(mutex_);
  if (!progress_.empty()) text = "\r\x1b[K" + text + progress_;
  write_quietly(options_.fd, text);
}

void Log::progress(const std::string& line) {
  if (::isatty(options_.fd) != 1) return;
  const std::lock_guard lock(mutex_);
  if (line == progress_) return;
  progress_ = for_one_line(line, 100);
  write_quietly(options_.fd, "\r\x1b[K" + progress_);
}

}  // namespace base
