// UTF-8: what comes from mails and files is not always what it says.
#ifndef HOST_SIM_BASE_UTF8_H_
#define HOST_SIM_BASE_UTF8_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// One code point at text[0], which must not be empty. size 0: the first byte starts no valid sequence.
struct CodePoint {
  char32_t value = 0;
  std::size_t size = 0;
};
CodePoint decode_utf8(std::string_view text);

void append_utf8(std::string& out, char32_t value);

bool is_utf8(std::string_view text);

// The same text with every invalid byte replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

// For one line of a terminal or a log: control characters become blanks (a mail must not steer a terminal), direction
// overrides vanish, longer than `max_columns` characters is cut and ends with "…".
std::string for_one_line(std::string_view text, std::size_t max_columns);

// The words of `text` in lines of at most `width` columns, each after `indent` blanks.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

// Columns the text takes on a terminal: wide (East Asian) characters two, combining marks none.
std::size_t columns(std::string_view text);

}  // namespace base

#endif  // HOST_SIM_BASE_UTF8_H_
