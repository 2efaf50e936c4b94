// Ids as Graph's are: opaque, 152 characters, with a '=' at their end. Ours carry what they stand for, so that the load
// server needs no table to find it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

struct Id {
  enum class Kind : char { mail = 'M', folder = 'F', draft = 'D', attachment = 'A' } kind = Kind::mail;
  std::uint32_t mailbox = 0, number = 0;
};

constexpr std::size_t id_size = 152;

void append_id(std::string& out, const Id& id);
/// Nothing when it is none of ours.
std::optional<Id> parse_id(std::string_view text);

void append_hex8(std::string& out, std::uint32_t number);
void append_decimal(std::string& out, std::uint64_t number, int width);

std::string decode_percent(std::string_view text);
/// The first run of digits in `text`.
std::optional<std::uint64_t> first_number(std::string_view text);

/// "m00017@bench.example", and back.
std::string mailbox_address(std::uint32_t number);
std::optional<std::uint32_t> mailbox_number(std::string_view address);

}  // namespace bench
