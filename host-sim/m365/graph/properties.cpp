#include "m365/graph/properties.h"

#include <array>
#include <charconv>

#include "m365/mime/mime_read.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

std::optional<std::string> hex_tag(std::string_view text) {
  if (!starts_with_ignoring_case(text, "0x")) return std::nullopt;
  unsigned value = 0;
  const auto digits = text.substr(2);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || value > 0xFFFF)
    return std::nullopt;
  std::array<char, 8> buffer{};
  const auto stop = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, 16).ptr;
  return "0x" + std::string(buffer.data(), stop);
}

std::optional<std::string> type_name(std::string_view word) {
  static constexpr std::array<std::string_view, 14> types = {
      "String", "Integer", "Long",  "Boolean", "SystemTime", "Binary",          "Guid",
      "CLSID",  "Double",  "Float", "Short",   "Currency",   "ApplicationTime", "Error"};
  for (const auto type : types) {
    if (equal_ignoring_case(type, word)) return std::string(type);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> normal_multi_property_id(std::string_view id) {
  id = trim(id);
  constexpr std::string_view array = "Array";
  const auto type = id.substr(0, id.find(' '));
  if (type.size() <= array.size() || !equal_ignoring_case(type.substr(type.size() - array.size()), array))
    return std::nullopt;
  const auto plain = type.substr(0, type.size() - array.size());
  auto normal = normal_property_id(std::string(plain) + std::string(id.substr(type.size())));
  if (normal) normal->insert(plain.size(), array);
  return normal;
}

std::optional<std::string> normal_property_id(std::string_view id) {
  id = trim(id);
  const auto blank = id.find(' ');
  if (blank == std::string_view::npos) return std::nullopt;
  const auto type = type_name(id.substr(0, blank));
  const auto rest = trim(id.substr(blank));
  if (!type || rest.empty()) return std::nullopt;
  if (rest[0] != '{') {
    const auto tag = hex_tag(rest);
    return tag ? std::optional(*type + " " + *tag) : std::nullopt;
  }
  const auto close = rest.find('}');
  if (close == std::string_view::npos || !is_guid(rest.substr(1, close - 1))) return std::nullopt;
  const auto tail = trim(rest.substr(close + 1));
  const auto space = tail.find(' ');
  if (space == std::string_view::npos) return std::nullopt;
  const auto kind = tail.substr(0, space);
  const auto name = trim(tail.substr(space));
  const std::string start = *type + " {" + lower(rest.substr(1, close - 1)) + "} ";
  if (equal_ignoring_case(kind, "Name") && !name.empty()) return start + "Name " + std::string(name);
  if (equal_ignoring_case(kind, "Id")) {
    const auto tag = hex_tag(name);
    return tag ? std::optional(start + "Id " + *tag) : std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::string> property_value(const Message& message, const std::string& id) {
  if (const auto* given = message.property(id)) return given->value;
  const auto space = id.find(' ');
  const std::string_view tag = std::string_view(id).substr(space + 1);
  const auto some = [](const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); };
  if (tag == "0x1a") return message.message_class;
  if (tag == "0x37") return message.subject;
  if (tag == "0x1035") return some(message.internet_message_id);
  if (tag == "0x1042") return some(message.in_reply_to);
  if (tag == "0x1039") return some(message.references);
  if (tag == "0xe08") return std::to_string(message.size());
  if (tag == "0xe07") {
    // [MS-OXCMSG] mfRead 1, mfUnmodified 2, mfSubmitted 4, mfUnsent 8, mfHasAttach 0x10
    const int flags = (message.is_read ? 1 : 0) | (message.submitted ? 4 : 0) | (message.is_draft ? 8 : 0) |
                      (message.attachments.empty() ? 0 : 0x10);
    return std::to_string(flags);
  }
  if (tag == "0xe06") return rfc3339(message.received);
  if (tag == "0x7d") {
    std::string text;
    for (const auto& [name, value] : transport_headers(message)) text += name + ": " + value + "\r\n";
    return some(text);
  }
  return std::nullopt;
}

}  // namespace embedded
