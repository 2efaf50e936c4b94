#include "base/json.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
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

// How many bytes stand for themselves before one that does not: eight are looked at together, with the usual tests for a
// byte that is less than another one or equal to it (Anderson, "Bit Twiddling Hacks"), whose lowest hit is exact.
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

// Mail bodies are long and nearly all of their bytes stand for themselves: they go out in runs.
void write_string(std::string& out, std::string_view text) {
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

}  // namespace

JsonError::JsonError(const std::string& reason, std::size_t line, std::size_t column)
    : std::runtime_error(reason), line_(line), column_(column) {}

Json Json::array() {
  return array(Array());
}

Json Json::array(Array items) {
  Json json;
  json.value_ = std::move(items);
  return json;
}

Json Json::object() {
  Json json;
  json.value_ = Members();
  return json;
}

Json Json::object(std::initializer_list<Member> members) {
  Json json;
  json.value_ = Members(members);
  return json;
}

Json Json::object(Members members) {
  Json json;
  json.value_ = std::move(members);
  return json;
}

std::string_view Json::kind() const {
  constexpr std::string_view kinds[] = {"null",   "true or false", "a whole number", "a number with a fraction",
                                        "a text", "a list",        "an object"};
  return kinds[value_.index()];
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : members()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

std::string Json::text(std::string_view key) const {
  const Json* value = find(key);
  return value && value->is_string() ? value->as_string() : std::string();
}

Json& Json::set(std::string_view key, Json value) {
  auto& all = std::get<Members>(value_);
  const auto it = std::find_if(all.begin(), all.end(), [&](const Member& m) { return m.first == key; });
  if (it == all.end()) {
    all.emplace_back(std::string(key), std::move(value));
  } else {
    it->second = std::move(value);
  }
  return *this;
}

Json& Json::push(Json value) {
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::dump() const {
  std::string out;
  write(out, 0, false);
  return out;
}

std::string Json::dump_pretty() const {
  std::string out;
  write(out, 0, true);
  out.push_back('\n');
  return out;
}

void Json::write(std::string& out, int indent, bool pretty) const {
  const auto line_break = [&](int level) {
    if (!pretty) return;
    out.push_back('\n');
    out.append(static_cast<std::size_t>(level) * 2, ' ');
  };
  if (is_null()) {
    out += "null";
  } else if (is_bool()) {
    out += as_bool() ? "true" : "false";
  } else if (is_integer()) {
    out += std::to_string(as_integer());
  } else if (is_double()) {
    const double number = std::get<double>(value_);
    char text[32];
    const auto end = std::to_chars(text, text + sizeof text, number).ptr;
    out.append(std::isfinite(number) ? std::string_view(text, static_cast<std::size_t>(end - text)) : "null");
  } else if (is_string()) {
    write_string(out, as_string());
  } else if (is_array()) {
    out.push_back('[');
    bool first = true;
    for (const Json& item : items()) {
      if (!first) out.push_back(',');
      first = false;
      line_break(indent + 1);
      item.write(out, indent + 1, pretty);
    }
    if (!first) line_break(indent);
    out.push_back(']');
  } else {
    out.push_back('{');
    bool first = true;
    for (const Member& member : members()) {
      if (!first) out.push_back(',');
      first = false;
      line_break(indent + 1);
      write_string(out, member.first);
      out += pretty ? ": " : ":";
      member.second.write(out, indent + 1, pretty);
    }
    if (!first) line_break(indent);
    out.push_back('}');
  }
}

}  // namespace base
