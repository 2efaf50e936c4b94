#include "base/json_text.h"

#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "base/utf8.h"

namespace base {

namespace {

// The bytes that stand for themselves in a JSON string; what is above 0x7f is looked at as UTF-8.
constexpr std::array<bool, 256> plain_bytes() {
  std::array<bool, 256> plain{};
  for (std::size_t c = 0x20; c < 0x7f; ++c) plain[c] = c != '"' && c != '\\';
  return plain;
}

void write_escaped(std::string& out, unsigned char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      break;
    case '\\':
      out += "\\\\";
      break;
    case '\n':
      out += "\\n";
      break;
    case '\r':
      out += "\\r";
      break;
    case '\t':
      out += "\\t";
      break;
    default:
      constexpr char digits[] = "0123456789abcdef";
      out += "\\u00";
      out.push_back(digits[(c >> 4) & 0xf]);
      out.push_back(digits[c & 0xf]);
  }
}

// How many bytes stand for themselves before one that does not: eight are looked at together, with the usual tests for
// a byte that is less than another one or equal to it (Anderson, "Bit Twiddling Hacks"), whose lowest hit is exact.
std::size_t plain_run(std::string_view text) {
  static constexpr std::array<bool, 256> plain = plain_bytes();
  constexpr std::uint64_t ones = 0x0101010101010101, high = ones * 0x80;
  std::size_t run = 0;
  if constexpr (std::endian::native == std::endian::little) {
    for (; run + sizeof(std::uint64_t) <= text.size(); run += sizeof(std::uint64_t)) {
      std::uint64_t bytes;
      std::memcpy(&bytes, text.data() + run, sizeof bytes);
      const std::uint64_t quote = (bytes ^ (ones * '"')) - ones, backslash = (bytes ^ (ones * '\\')) - ones;
      const std::uint64_t control = bytes - ones * 0x20, delete_or_more = (bytes + ones) | bytes;
      const std::uint64_t hit = (quote | backslash | control | delete_or_more) & high;
      if (hit != 0) return run + static_cast<std::size_t>(std::countr_zero(hit)) / 8;
    }
  }
  while (run < text.size() && plain[static_cast<unsigned char>(text[run])]) ++run;
  return run;
}

}  // namespace

// Mail bodies are long and nearly all of their bytes stand for themselves: they go out in runs.
void append_json_string(std::string& out, std::string_view text) {
  out.push_back('"');
  std::size_t run = 0;  // where the bytes begin that are not yet written
  for (std::size_t i = 0; (i += plain_run(text.substr(i))) < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t size = c < 0x80 ? 0 : decode_utf8(text.substr(i)).size;
    if (size > 0) {
      i += size;
      continue;
    }
    out.append(text, run, i - run);
    if (c < 0x80) {
      write_escaped(out, c);
    } else {
      out += "\xef\xbf\xbd";  // U+FFFD for what is not UTF-8
    }
    run = ++i;
  }
  out.append(text, run);
  out.push_back('"');
}

JsonText& JsonText::key(std::string_view name) {
  separate();
  out_.push_back('"');
  out_ += name;
  out_ += "\":";
  comma_ = false;
  return *this;
}

JsonText& JsonText::text(std::string_view value) {
  separate();
  append_json_string(out_, value);
  return *this;
}

JsonText& JsonText::number(std::int64_t value) {
  separate();
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out_.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
  return *this;
}

JsonText& JsonText::flag(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonText& JsonText::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonText& JsonText::open(char bracket) {
  separate();
  out_.push_back(bracket);
  comma_ = false;
  return *this;
}

JsonText& JsonText::close(char bracket) {
  out_.push_back(bracket);
  comma_ = true;
  return *this;
}

void JsonText::separate() {
  if (comma_) out_.push_back(',');
  comma_ = true;
}

}  // namespace base
