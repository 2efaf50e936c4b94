// A log that tests can read.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "mail/log.h"

namespace support {

/// Any thread.
class CapturingLog final : public mail::Log {
 public:
  struct Line {
    mail::Level level;
    std::string source;
    std::string text;
  };

  void write(mail::Level level, std::string_view source, std::string_view line) override {
    const std::lock_guard lock(mutex_);
    lines_.push_back({level, std::string(source), std::string(line)});
  }

  std::vector<Line> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  /// Some line has this text in it.
  bool has(std::string_view text) const { return count(text) > 0; }
  /// How many have.
  std::size_t count(std::string_view text) const {
    const std::lock_guard lock(mutex_);
    std::size_t found = 0;
    for (const Line& line : lines_) found += line.text.find(text) != std::string::npos ? 1 : 0;
    return found;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Line> lines_;  // guarded by mutex_
};

}  // namespace support
