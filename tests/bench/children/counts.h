// What everybody in the counting host counts into, and small things of the ABI that its parts share.
#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "mailplugin/mailplugin.h"

namespace bench {

struct Counts {
  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex:
  std::uint64_t mails = 0, again = 0, bytes = 0, idle = 0, faults = 0, sent = 0, failed = 0;
  std::vector<double> arrival_ms, reply_ms;
};

inline mailplugin_text view(std::string_view text) {
  return {text.data(), text.size()};
}

/// "00017", as the load server numbers its mailboxes.
inline std::string five_digits(unsigned value) {
  std::string digits = std::to_string(value);
  return std::string(5 - std::min<std::size_t>(5, digits.size()), '0') + digits;
}

/// Settings whose texts live as long as this.
class Settings {
 public:
  void add(const char* key, std::string value) {
    texts_.push_back(std::move(value));
    items_.push_back({key, view(texts_.back())});
  }
  mailplugin_settings get() const {
    return {sizeof(mailplugin_settings), static_cast<std::uint32_t>(items_.size()), items_.data()};
  }

 private:
  std::deque<std::string> texts_;
  std::vector<mailplugin_setting> items_;
};

}  // namespace bench
