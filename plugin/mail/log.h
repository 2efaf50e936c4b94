#pragma once

#include <cstdint>
#include <string_view>

namespace mail {

/// Values are those of MAILPLUGIN_LOG_*.
enum class Level : std::uint32_t { debug = 1, info, warning, error, misuse };

/// One finished line, for an administrator. Never a secret, a token, an upload URL or mail text. Any thread.
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(Level level, std::string_view source, std::string_view line) = 0;
};

}  // namespace mail
