// What tests of settings share.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mail/settings.h"

namespace support {

/// Keeps what a reader of settings told.
class Told final : public mail::Problems {
 public:
  void add(std::string_view key, std::string_view sentence) override {
    lines_.emplace_back(std::string(key), std::string(sentence));
  }
  const std::vector<std::pair<std::string, std::string>>& lines() const { return lines_; }
  std::string all() const {
    std::string text;
    for (const auto& line : lines_) text += line.first + ": " + line.second + "\n";
    return text;
  }

 private:
  std::vector<std::pair<std::string, std::string>> lines_;
};

}  // namespace support
