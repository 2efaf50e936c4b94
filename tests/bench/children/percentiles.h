#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace bench {

struct Percentiles {
  double median = 0, p99 = 0, most = 0;
};

inline Percentiles percentiles(std::vector<double> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  // The smallest value that so many of a hundred are not above.
  const auto at = [&](std::size_t of_hundred) { return values[(values.size() * of_hundred + 99) / 100 - 1]; };
  return {at(50), at(99), values.back()};
}

}  // namespace bench
