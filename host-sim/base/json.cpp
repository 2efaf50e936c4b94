#include "base/json.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/json_text.h"

namespace base {

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
    append_json_string(out, as_string());
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
      append_json_string(out, member.first);
      out += pretty ? ": " : ":";
      member.second.write(out, indent + 1, pretty);
    }
    if (!first) line_break(indent);
    out.push_back('}');
  }
}

}  // namespace base
