#include "base/clock.h"

#include <chrono>
#include <cstdio>
#include <ctime>

namespace base {

std::int64_t now_unix_ms() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

std::string to_rfc3339(std::int64_t unix_ms) {
  std::int64_t seconds = unix_ms / 1000;
  std::int64_t milliseconds = unix_ms % 1000;
  if (milliseconds < 0) {
    milliseconds += 1000;
    --seconds;
  }
  const std::time_t time = static_cast<std::time_t>(seconds);
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[64];
  const std::size_t size = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::string out(text, size);
  if (milliseconds != 0) {
    std::snprintf(text, sizeof text, ".%03d", static_cast<int>(milliseconds));
    out += text;
  }
  return out + "Z";
}

std::optional<std::string> known_time(std::int64_t unix_ms) {
  if (unix_ms == 0) return std::nullopt;
  return to_rfc3339(unix_ms);
}

}  // namespace base
