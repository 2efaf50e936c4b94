#include "service/ids.h"

#include <charconv>

namespace bench {
namespace {

constexpr std::string_view before =
    "AAkALgAAAAAAHYQDEapmEc2byACqAC-EWg0A8mVaB3oUQEu9fUe8JpTzfQABQ0PdKwAAAHYAAADyZVoHehRAS719R7wmlPN9AAIBH6_kAAAA"
    "q3oUQEu_";
constexpr std::size_t digits = 8;
constexpr std::string_view filler = "fUe8JpTzfQABEPM0kAAcT5mYx0DbPpZ-Nr2v8QKTzQABQ0PdKw";
constexpr std::string_view after = filler.substr(0, id_size - before.size() - 1 - 2 * digits - 1);

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
  out += before;
  out += static_cast<char>(id.kind);
  append_hex8(out, id.mailbox);
  append_hex8(out, id.number);
  out += after;
  out += '=';
}

std::optional<Id> parse_id(std::string_view text) {
  const std::string plain = decode_percent(text);
  if (plain.size() != id_size || !plain.starts_with(before)) return std::nullopt;
  const std::string_view view = plain;
  const auto mailbox = hex(view.substr(before.size() + 1, digits));
  const auto number = hex(view.substr(before.size() + 1 + digits, digits));
  if (!mailbox || !number) return std::nullopt;
  return Id{static_cast<Id::Kind>(view[before.size()]), *mailbox, *number};
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
