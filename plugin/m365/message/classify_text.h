// Looking for words in bodies: every mail pays for it, so it has to be quick.
#pragma once

#include <cstddef>
#include <string_view>

namespace m365 {

/// As std::string_view::find, by memmem: several times as fast where the first letter is a common one.
std::size_t find_fast(std::string_view text, std::string_view wanted, std::size_t from = 0);

/// Without regard to the case of ASCII letters. For short texts.
bool contains_text(std::string_view text, std::string_view wanted);

}  // namespace m365
