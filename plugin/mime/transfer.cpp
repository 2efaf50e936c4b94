#include "mime/transfer.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "mime/header.h"

namespace mime {
namespace {

constexpr std::array<std::int8_t, 256> make_base64_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr auto base64_values = make_base64_values();

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

int hex_pair(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return -1;
  const int high = hex_digit(text[at]), low = hex_digit(text[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

// The next line of `rest` without its line break; `rest` moves behind it.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  std::string_view line = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

}  // namespace

// Written by hand: OpenSSL's EVP_DecodeBlock takes no line breaks, and mails have worse than those.
std::string decode_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3 + 3);
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    if (c == '=') {  // padding ends a group; concatenated encodings go on after it
      bits = 0;
      count = 0;
      continue;
    }
    const int value = base64_values[static_cast<unsigned char>(c)];
    if (value < 0) continue;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (++count == 1) continue;
    const int spare = 6 - 2 * (count - 1);  // bits of this value that belong to the next byte
    out += static_cast<char>(static_cast<unsigned char>(bits >> spare));
    if (count == 4) {
      bits = 0;
      count = 0;
    } else {
      bits &= (1u << spare) - 1;
    }
  }
  return out;
}

std::string decode_quoted_printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    std::string_view line_break = end == std::string_view::npos ? std::string_view() : text.substr(end, 1);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (!line_break.empty() && !line.empty() && line.back() == '\r') {
      line.remove_suffix(1);
      line_break = "\r\n";
    }
    while (!line.empty() && (line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);  // added in transport
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] != '=') {
        out += line[i];
      } else if (const int byte = hex_pair(line, i + 1); byte >= 0) {
        out += static_cast<char>(static_cast<unsigned char>(byte));
        i += 2;
      } else if (i + 1 == line.size()) {
        line_break = {};  // soft line break
      } else {
        out += '=';
      }
    }
    out += line_break;
  }
  return out;
}

std::string decode_q(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '=' ? hex_pair(text, i + 1) : -1;
    if (byte >= 0) {
      out += static_cast<char>(static_cast<unsigned char>(byte));
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
  return out;
}

std::string decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? hex_pair(text, i + 1) : -1;
    out += byte >= 0 ? static_cast<char>(static_cast<unsigned char>(byte)) : text[i];
    if (byte >= 0) i += 2;
  }
  return out;
}

std::string decode_uuencode(std::string_view text) {
  std::string out;
  bool inside = false;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (!inside) {
      inside = line.starts_with("begin ");
      continue;
    }
    if (line == "end" || line.empty()) break;
    const auto value = [&line](std::size_t at) {
      return at < line.size() ? static_cast<std::uint32_t>(line[at] - ' ') & 63u : 0u;
    };
    const std::size_t count = value(0);
    std::string bytes;
    for (std::size_t at = 1; bytes.size() < count && at < line.size(); at += 4) {
      const std::uint32_t group = value(at) << 18 | value(at + 1) << 12 | value(at + 2) << 6 | value(at + 3);
      bytes += static_cast<char>(static_cast<unsigned char>(group >> 16));
      bytes += static_cast<char>(static_cast<unsigned char>(group >> 8));
      bytes += static_cast<char>(static_cast<unsigned char>(group));
    }
    out.append(bytes, 0, count);
  }
  return out;
}

std::string decode_transfer(std::string_view text, std::string_view encoding) {
  const std::string name = lower(trim(encoding));
  if (name == "base64") return decode_base64(text);
  if (name == "quoted-printable") return decode_quoted_printable(text);
  if (name == "x-uuencode" || name == "uuencode" || name == "x-uue" || name == "uue") return decode_uuencode(text);
  return std::string(text);
}

}  // namespace mime
