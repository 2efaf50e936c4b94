// Randomness is a seam, so that back-off and ids are repeatable in tests.
#pragma once

#include <cstdint>
#include <string>

namespace mail {

/// All functions may be called from every thread.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t below(std::uint64_t bound) = 0;  ///< uniform in [0, bound); bound > 0
  std::string uuid();                                    ///< a version 4 UUID, lower case, from below()
};

/// From the system's generator; lives as long as the process.
Random& system_random();

}  // namespace mail
