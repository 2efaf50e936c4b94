#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <deque>

#include "mail/clock.h"

namespace http {

/// Counts what was used in the last `length`, in twenty slots: at most 21 numbers a window, however much is used. A
/// slot is forgotten only when all of it is older than the window, so the count is never too small. Not synchronized.
class SlidingWindow {
 public:
  SlidingWindow(std::uint64_t limit, std::chrono::milliseconds length)
      : limit_(limit), slot_(std::max<std::chrono::milliseconds>(length / slots, std::chrono::milliseconds(1))) {}

  /// How long until `amount` more may be used; 0 = now. More than the whole limit may be used when nothing else was.
  std::chrono::milliseconds wait_for(std::uint64_t amount, mail::SteadyTime now) {
    forget(now);
    std::uint64_t used = used_;
    mail::SteadyTime due = now;
    for (const Slot& slot : used_in_) {
      if (used + amount <= limit_) break;
      used -= slot.amount;
      due = end_of(slot);
    }
    return std::chrono::ceil<std::chrono::milliseconds>(due - now);
  }

  void use(std::uint64_t amount, mail::SteadyTime now) {
    forget(now);
    const std::int64_t index = now.time_since_epoch() / slot_;
    if (used_in_.empty() || used_in_.back().index != index) used_in_.push_back({index, 0});
    used_in_.back().amount += amount;
    used_ += amount;
  }

 private:
  static constexpr int slots = 20;
  struct Slot {
    std::int64_t index;  // since the clock's epoch
    std::uint64_t amount;
  };

  /// When everything used in this slot is older than the window.
  mail::SteadyTime end_of(const Slot& slot) const { return mail::SteadyTime{} + slot_ * (slot.index + 1 + slots); }

  void forget(mail::SteadyTime now) {
    while (!used_in_.empty() && end_of(used_in_.front()) <= now) {
      used_ -= used_in_.front().amount;
      used_in_.pop_front();
    }
  }

  const std::uint64_t limit_;
  const std::chrono::milliseconds slot_;
  std::deque<Slot> used_in_;  // oldest first
  std::uint64_t used_ = 0;
};

}  // namespace http
