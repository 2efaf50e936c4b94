#include "m365/message/classify_text.h"

#include <algorithm>
#include <cstring>

#include "mime/header.h"

namespace m365 {

std::size_t find_fast(std::string_view text, std::string_view wanted, std::size_t from) {
  if (from >= text.size()) return std::string_view::npos;
  const void* const found = memmem(text.data() + from, text.size() - from, wanted.data(), wanted.size());
  return found ? static_cast<std::size_t>(static_cast<const char*>(found) - text.data()) : std::string_view::npos;
}

bool contains_text(std::string_view text, std::string_view wanted) {
  for (std::size_t at = 0; at + wanted.size() <= text.size(); ++at) {
    if (mime::same_name(text.substr(at, wanted.size()), wanted)) return true;
  }
  return false;
}

}  // namespace m365
