// Randomness that is the same in every run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <mutex>
#include <optional>

#include "mail/random.h"

namespace support {

/// Any thread. Distinct numbers from a seed (so that uuid() gives distinct ids), or one number for ever after always().
class FixedRandom final : public mail::Random {
 public:
  explicit FixedRandom(std::uint64_t seed = 1) : state_(seed) {}

  /// below(bound) answers min(value, bound - 1) from now on: 0 for the least jitter, UINT64_MAX for the most.
  void always(std::uint64_t value) {
    const std::lock_guard lock(mutex_);
    always_ = value;
  }

  std::uint64_t below(std::uint64_t bound) override {
    const std::lock_guard lock(mutex_);
    if (always_) return std::min(*always_, bound - 1);
    state_ += 0x9e3779b97f4a7c15u;  // splitmix64
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % bound;
  }

 private:
  std::mutex mutex_;
  std::uint64_t state_;                  // guarded by mutex_
  std::optional<std::uint64_t> always_;  // guarded by mutex_
};

}  // namespace support
