// "Did you mean": the nearest of the words one could have meant.
#ifndef HOST_SIM_BASE_NEAREST_H_
#define HOST_SIM_BASE_NEAREST_H_

#include <string>
#include <string_view>
#include <vector>

namespace base {

// The edit distance of two words (insert, delete, replace, swap neighbours), letters compared without case.
std::size_t edit_distance(std::string_view a, std::string_view b);

// The nearest candidate, or empty when none is near (more than half of the word would change).
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// " (did you mean "x"?)" or, when none is near, " (known: a, b, c)"; empty without candidates.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace base

#endif  // HOST_SIM_BASE_NEAREST_H_
