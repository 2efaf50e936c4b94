#include "service/ids.h"

#include <array>
#include <charconv>

namespace bench {
namespace {

// As Exchange's ([MS-OXCDATA], section 2.2.4.2), in base64url: what differs are the last 17 bytes, which end in a
// counter of six bytes and two of nothing.
constexpr std::string_view alike =
    "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A8mVaB3oUQEu9fUe8JpTzfQABQ0PdKwAAAHYAAADyZVoHehRAS719R7wmlPN9AAIBH6_kAAAA"
    "q3oUQEu_fUe8JpTzfQAB";
constexpr std::size_t end_size = 24, end_bytes = 17;
static_assert(alike.size() + end_size == id_size);
using End = std::array<unsigned char, end_bytes>;

constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void put_number(End& end, std::size_t at, std::uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) end[at++] = static_cast<unsigned char>(number >> shift);
}

std::uint32_t number_at(const End& end, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i) number = number << 8 | end[at + i];
  return number;
}

std::optional<std::uint32_t> hex(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

void append_hex8(std::string& out, std::uint32_t number) {
  for (int shift = 28; shift >= 0; shift -= 4) out += "0123456789abcdef"[(number >> shift) & 15];
}

void append_decimal(std::string& out, std::uint64_t number, int width) {
  const std::size_t from = out.size();
  out.append(static_cast<std::size_t>(width), '0');
  for (std::size_t at = from + static_cast<std::size_t>(width); at > from; number /= 10)
    out[--at] = static_cast<char>('0' + number % 10);
}

void append_id(std::string& out, const Id& id) {
  End end{0x10, 0xf3, 0x34, 0x90};
  end[4] = static_cast<unsigned char>(id.kind);
  put_number(end, 5, id.mailbox);
  put_number(end, 11, id.number);
  out += alike;
  std::uint32_t bits = 0;
  int count = 0;
  for (const unsigned char byte : end) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 6; count -= 6) out += alphabet[bits >> (count - 6) & 63];
  }
  out += alphabet[bits << (6 - count) & 63];
  out += '=';
}

std::optional<Id> parse_id(std::string_view text) {
  const std::string plain = decode_percent(text);
  if (plain.size() != id_size || !plain.starts_with(alike) || plain.back() != '=') return std::nullopt;
  End end{};
  std::size_t at = 0;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : std::string_view(plain).substr(alike.size(), end_size - 1)) {
    const std::size_t value = alphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    count += 6;
    if (count < 8 || at == end.size()) continue;
    count -= 8;
    end[at++] = static_cast<unsigned char>(bits >> count);
  }
  return Id{static_cast<Id::Kind>(end[4]), number_at(end, 5), number_at(end, 11)};
}

std::string decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      if (const auto byte = hex(text.substr(i + 1, 2))) {
        out += static_cast<char>(*byte);
        i += 2;
        continue;
      }
    }
    out += text[i];
  }
  return out;
}

std::optional<std::uint64_t> first_number(std::string_view text) {
  const std::size_t from = text.find_first_of("0123456789");
  if (from == std::string_view::npos) return std::nullopt;
  std::uint64_t number = 0;
  std::from_chars(text.data() + from, text.data() + text.size(), number);
  return number;
}

std::string mailbox_address(std::uint32_t number) {
  std::string out = "m";
  append_decimal(out, number, 5);
  return out += "@bench.example";
}

std::optional<std::uint32_t> mailbox_number(std::string_view address) {
  if (address.empty() || (address.front() != 'm' && address.front() != 'M')) return std::nullopt;
  const auto number = first_number(address);
  return number ? std::optional(static_cast<std::uint32_t>(*number)) : std::nullopt;
}

}  // namespace bench
