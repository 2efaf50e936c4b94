#include "runtime/safe_name.h"

#include <algorithm>
#include <cctype>
#include <initializer_list>

#include "base/utf8.h"

namespace runtime {
namespace {

constexpr std::size_t kLongest = 200;
constexpr std::size_t kLongestEnding = 20;

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_unsafe(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff;
  const bool direction =
      c == 0x061c || (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2069);
  return control || direction;
}

// Windows' device names, with whatever ending, and with blanks before it. Its digits may be superscript.
bool is_device(std::string_view name) {
  std::string stem = lower(name.substr(0, name.find('.')));
  while (stem.ends_with(' ')) stem.pop_back();
  for (const std::string_view device : {"con", "prn", "aux", "nul", "conin$", "conout$"}) {
    if (stem == device) return true;
  }
  if (!stem.starts_with("com") && !stem.starts_with("lpt")) return false;
  const std::string_view number = std::string_view(stem).substr(3);
  return (number.size() == 1 && number[0] >= '0' && number[0] <= '9') || number == "\xc2\xb9" || number == "\xc2\xb2" ||
         number == "\xc2\xb3";
}

// At most `size` bytes, not in the middle of a character.
std::string cut(const std::string& text, std::size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return text.substr(0, size);
}

// Where the ending begins, or the size when there is none worth keeping.
std::size_t ending_of(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  return dot == std::string::npos || dot == 0 || name.size() - dot > kLongestEnding ? name.size() : dot;
}

}  // namespace

std::string safe_name(std::string_view name, std::string_view fallback) {
  const std::size_t slash = name.find_last_of("/\\");
  if (slash != std::string_view::npos) name.remove_prefix(slash + 1);
  std::string clean;
  for (std::size_t i = 0; i < name.size();) {
    base::CodePoint c = base::decode_utf8(name.substr(i));
    i += c.size == 0 ? 1 : c.size;
    if (c.size == 0) c.value = '_';
    if (is_unsafe(c.value)) continue;
    if (c.value < 0x80 && std::string_view("<>:\"|?*").find(static_cast<char>(c.value)) != std::string_view::npos) {
      c.value = '_';
    }
    base::append_utf8(clean, c.value);
  }
  while (!clean.empty() && (clean.front() == '.' || clean.front() == ' ')) clean.erase(0, 1);
  while (!clean.empty() && (clean.back() == '.' || clean.back() == ' ')) clean.pop_back();
  if (clean.empty()) return std::string(fallback);
  // A leading hyphen would read as an option on a command line.
  if (clean.front() == '-') clean.front() = '_';
  if (is_device(clean)) clean.insert(0, "_");
  if (clean.size() <= kLongest) return clean;
  const std::string ending = clean.substr(ending_of(clean));
  return cut(clean.substr(0, clean.size() - ending.size()), kLongest - ending.size()) + ending;
}

std::string UniqueNames::take(const std::string& name) {
  const std::size_t dot = ending_of(name);
  std::string candidate = name;
  for (int i = 2; !taken_.insert(lower(candidate)).second; ++i) {
    candidate = name.substr(0, dot) + " (" + std::to_string(i) + ")" + name.substr(dot);
  }
  return candidate;
}

}  // namespace runtime
