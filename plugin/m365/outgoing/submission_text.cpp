#include "m365/outgoing/submission_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace m365 {
namespace {

char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Bytes of the valid character at the front of `text`, 0 when there is none.
std::size_t character(std::string_view text) {
  static constexpr std::array<std::uint32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t size = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (size == 0 || size > text.size()) return 0;
  std::uint32_t code = lead & (0xffu >> (size + 1));
  for (std::size_t k = 1; k < size; ++k) {
    const auto next = static_cast<unsigned char>(text[k]);
    if ((next & 0xc0) != 0x80) return 0;
    code = (code << 6) | (next & 0x3fu);
  }
  return code < least[size] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : size;
}

}  // namespace

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), ascii_lower);
  return text;
}

bool equal_without_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return ascii_lower(x) == ascii_lower(y); });
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t size = character(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string clean_text(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character(text);
    const char c = text[0];
    if (size == 0) {
      out += "\xef\xbf\xbd";
    } else if (size == 1 && is_control(c) && c != '\t' && c != '\r' && c != '\n') {
      out += ' ';
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return out;
}

std::string clean_line(std::string_view text) {
  std::string out = clean_text(text);
  // RFC 5322, section 2.2.3: unfolding removes the line end, the white space after it stays.
  out.erase(std::remove(out.begin(), out.end(), '\r'), out.end());
  for (std::size_t at = 0; (at = out.find('\n', at)) != std::string::npos;) {
    const bool folded = at + 1 < out.size() && (out[at + 1] == ' ' || out[at + 1] == '\t');
    if (folded) {
      out.erase(at, 1);
    } else {
      out[at] = ' ';
    }
  }
  return out;
}

std::string for_log(std::string_view text) {
  std::string out(text);
  std::replace_if(out.begin(), out.end(), is_control, '?');
  return out;
}

}  // namespace m365
