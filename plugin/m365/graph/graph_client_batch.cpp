#include "m365/graph/graph_client_batch.h"

#include <simdjson.h>

#include <algorithm>
#include <utility>

#include "m365/settings/server_settings_values.h"
#include "mime/charset.h"

namespace m365 {
namespace {

namespace od = simdjson::ondemand;

void append_json(std::string& out, std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  const auto is_special = [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; };
  out += '"';
  while (!text.empty()) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if(text, is_special) - text.begin());
    out += text.substr(0, end);
    if (end == text.size()) break;
    const char c = text[end];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else {
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4];
      out += digits[static_cast<unsigned char>(c) & 15];
    }
    text.remove_prefix(end + 1);
  }
  out += '"';
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  append_json(out, name);
  out += ':';
  append_json(out, value);
}

// Inner headers as strings; Retry-After is seen as a number too.
http::Headers read_headers(od::object object) {
  http::Headers headers;
  for (auto member : object) {
    const std::string_view name = member.unescaped_key();
    od::value value = member.value();
    if (value.type() == od::json_type::string) {
      headers.add(std::string(name), std::string(std::string_view(value.get_string())));
    } else {
      headers.add(std::string(name), std::string(trimmed(simdjson::to_json_string(value))));
    }
  }
  return headers;
}

std::string text_or_number(od::value value) {
  if (value.type() == od::json_type::string) return std::string(std::string_view(value.get_string()));
  return std::string(trimmed(simdjson::to_json_string(value)));
}

// One answer and its id. Members come in any order.
std::pair<std::string, BatchAnswer> read_answer(od::object object) {
  std::string id;
  BatchAnswer answer;
  for (auto member : object) {
    const std::string_view key = member.unescaped_key();
    od::value value = member.value();
    if (key == "id") {
      id = text_or_number(value);
    } else if (key == "status") {
      answer.status = static_cast<int>(parse_number(text_or_number(value)).value_or(0));
    } else if (key == "headers" && value.type() == od::json_type::object) {
      answer.headers = read_headers(value.get_object());
    } else if (key == "body" && value.type() != od::json_type::null) {
      // Kept as it stands: the decoders of messages read it once, with their own care for broken fields.
      answer.body = std::string_view(simdjson::to_json_string(value));
    }
  }
  return {std::move(id), std::move(answer)};
}

}  // namespace

std::string compose_batch(const std::vector<BatchPart>& parts) {
  std::string out = "{\"requests\":[";
  std::size_t id = 0;
  for (const BatchPart& part : parts) {
    out += id == 0 ? "{" : ",{";
    append_member(out, "id", std::to_string(++id));
    out += ',';
    append_member(out, "method", part.method);
    out += ',';
    append_member(out, "url", part.url);
    // The outer preferences do not apply inside.
    out += ",\"headers\":{";
    append_member(out, "Prefer", part.prefer);
    if (!part.body.empty()) {
      out += ',';
      append_member(out, "Content-Type", part.content_type);
    }
    out += '}';
    if (!part.body.empty()) {
      out += ",\"body\":";
      out += part.body;
    }
    out += '}';
  }
  return out += "]}";
}

std::optional<std::vector<BatchAnswer>> parse_batch(std::string& text, std::size_t count) {
  std::vector<BatchAnswer> answers(count);
  // One mail whose bytes are not UTF-8 must not cost twenty mailboxes their answers.
  if (!mime::is_utf8(text)) text = mime::repair_utf8(text);
  try {
    text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
    od::parser parser;
    od::document document = parser.iterate(text);
    for (auto element : document["responses"].get_array()) {
      auto [id, answer] = read_answer(element.get_object());
      const auto number = parse_number(id);
      if (number && *number >= 1 && *number <= count) answers[*number - 1] = std::move(answer);
    }
  } catch (const simdjson::simdjson_error&) {
    return std::nullopt;
  }
  return answers;
}

}  // namespace m365
