#include "m365/json.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "m365/mime/text.h"

namespace embedded {
namespace {

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Json document() {
    if (!is_utf8(text_)) fail("not UTF-8");
    Json value = read(0);
    skip_blanks();
    if (at_ < text_.size()) fail("text after the value");
    return value;
  }

 private:
  [[noreturn]] void fail(const char* what) const {
    const auto seen = text_.substr(0, std::min(at_, text_.size()));
    const auto line = 1 + std::count(seen.begin(), seen.end(), '\n');
    throw JsonError("line " + std::to_string(line) + ": " + what);
  }

  void skip_blanks() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r' || text_[at_] == '\n')) {
      ++at_;
    }
  }

  char peek() {
    skip_blanks();
    if (at_ >= text_.size()) fail("the text ends in the middle");
    return text_[at_];
  }

  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }

  bool take_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }

  Json read(int depth) {
    if (depth > 100) fail("nested too deep");
    switch (peek()) {
      case '{':
        return read_object(depth);
      case '[':
        return read_array(depth);
      case '"':
        return Json(read_string());
      case 't':
        if (take_word("true")) return Json(true);
        break;
      case 'f':
        if (take_word("false")) return Json(false);
        break;
      case 'n':
        if (take_word("null")) return Json();
        break;
      default:
        return read_number();
    }
    fail("unknown word");
  }

  Json read_object(int depth) {
    ++at_;
    Json object{Json::Object{}};
    if (take('}')) return object;
    for (;;) {
      if (peek() != '"') fail("a member name is missing");
      std::string name = read_string();
      if (!take(':')) fail("':' is missing");
      Json value = read(depth + 1);
      if (object.find(name) != nullptr) {
        object.set(name, std::move(value));
      } else {
        object.object().emplace_back(std::move(name), std::move(value));
      }
      if (take('}')) return object;
      if (!take(',')) fail("',' or '}' is missing");
    }
  }

  Json read_array(int depth) {
    ++at_;
    Json array{Json::Array{}};
    if (take(']')) return array;
    for (;;) {
      array.push(read(depth + 1));
      if (take(']')) return array;
      if (!take(',')) fail("',' or ']' is missing");
    }
  }

  unsigned read_hex4() {
    unsigned value = 0;
    if (at_ + 4 > text_.size()) fail("an escape is cut");
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, value, 16);
    if (error != std::errc() || end != text_.data() + at_ + 4) fail("bad \\u escape");
    at_ += 4;
    return value;
  }

  void read_escape(std::string& out) {
    if (at_ >= text_.size()) fail("an escape is cut");
    switch (const char c = text_[at_++]) {
      case '"':
      case '\\':
      case '/':
        out += c;
        return;
      case 'b':
        out += '\b';
        return;
      case 'f':
        out += '\f';
        return;
      case 'n':
        out += '\n';
        return;
      case 'r':
        out += '\r';
        return;
      case 't':
        out += '\t';
        return;
      case 'u':
        break;
      default:
        fail("unknown escape");
    }
    unsigned c = read_hex4();
    if (c >= 0xDC00 && c < 0xE000) fail("a lone surrogate");
    if (c >= 0xD800 && c < 0xDC00) {
      if (!take_word("\\u")) fail("a lone surrogate");
      const unsigned low = read_hex4();
      if (low < 0xDC00 || low >= 0xE000) fail("a lone surrogate");
      c = 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
    }
    if (c < 0x80) {
      out += static_cast<char>(c);
    } else if (c < 0x800) {
      out += static_cast<char>(0xC0 | (c >> 6));
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
      out += static_cast<char>(0xE0 | (c >> 12));
      out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    } else {
      out += static_cast<char>(0xF0 | (c >> 18));
      out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
      out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
      out += static_cast<char>(0x80 | (c & 0x3F));
    }
  }

  std::string read_string() {
    ++at_;
    std::string out;
    for (;;) {
      const auto start = at_;
      while (at_ < text_.size() && text_[at_] != '"' && text_[at_] != '\\' &&
             static_cast<unsigned char>(text_[at_]) >= 0x20) {
        ++at_;
      }
      out.append(text_.substr(start, at_ - start));
      if (at_ >= text_.size()) fail("a string without end");
      const char c = text_[at_++];
      if (c == '"') return out;
      if (c != '\\') fail("a control character in a string");
      read_escape(out);
    }
  }

  Json read_number() {
    const auto start = at_;
    const auto digits = [&] {
      const auto first = at_;
      while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
      return at_ - first;
    };
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    const bool zero = at_ < text_.size() && text_[at_] == '0';
    const auto whole = digits();
    if (whole == 0 || (zero && whole > 1)) fail("not a value");
    bool integral = true;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      integral = false;
      if (digits() == 0) fail("a number without digits after the point");
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      integral = false;
      if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
      if (digits() == 0) fail("an exponent without digits");
    }
    const auto word = text_.substr(start, at_ - start);
    if (integral) {
      std::int64_t value = 0;
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
      if (error == std::errc()) return Json(value);
    }
    double value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error != std::errc()) fail("a number out of range");
    return Json(value);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void append_number(std::string& out, double value) {
  std::array<char, 32> buffer{};
  if (!std::isfinite(value) || value == 0) value = 0;  // no "-0", which would be read back as an integer
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  out.append(buffer.data(), end);
}

}  // namespace

Json parse_json(std::string_view text) {
  return Reader(text).document();
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(start, i - start));
    start = i + 1;
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
      default: {
        constexpr std::string_view hex = "0123456789abcdef";
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
      }
    }
  }
  out.append(text.substr(start));
  out += '"';
}

const Json* Json::find(std::string_view name) const {
  if (!is_object()) return nullptr;
  for (const auto& member : object()) {
    if (member.first == name) return &member.second;
  }
  return nullptr;
}

Json* Json::find(std::string_view name) {
  return const_cast<Json*>(std::as_const(*this).find(name));
}

Json& Json::set(std::string_view name, Json value) {
  if (!is_object()) value_ = Object{};
  if (Json* present = find(name)) {
    *present = std::move(value);
  } else {
    object().emplace_back(std::string(name), std::move(value));
  }
  return *this;
}

void Json::push(Json value) {
  if (!is_array()) value_ = Array{};
  array().push_back(std::move(value));
}

std::string Json::text(std::string_view name, std::string_view fallback) const {
  const Json* member = find(name);
  return member != nullptr && member->is_string() ? member->string() : std::string(fallback);
}

std::int64_t Json::integer(std::string_view name, std::int64_t fallback) const {
  const Json* member = find(name);
  return member != nullptr && member->is_integer() ? member->integer() : fallback;
}

bool Json::boolean(std::string_view name, bool fallback) const {
  const Json* member = find(name);
  return member != nullptr && member->is_bool() ? member->boolean() : fallback;
}

void Json::write(std::string& out) const {
  if (is_null()) {
    out += "null";
  } else if (is_bool()) {
    out += boolean() ? "true" : "false";
  } else if (is_integer()) {
    out += std::to_string(integer());
  } else if (is_number()) {
    append_number(out, number());
  } else if (is_string()) {
    append_json_string(out, string());
  } else if (is_array()) {
    out += '[';
    for (const auto& item : array()) {
      if (&item != &array().front()) out += ',';
      item.write(out);
    }
    out += ']';
  } else {
    out += '{';
    for (const auto& member : object()) {
      if (&member != &object().front()) out += ',';
      append_json_string(out, member.first);
      out += ':';
      member.second.write(out);
    }
    out += '}';
  }
}

std::string Json::dump() const {
  std::string out;
  write(out);
  return out;
}

std::string Json::pretty(int indent) const {
  const std::string inner(static_cast<std::size_t>(indent) + 2, ' ');
  const std::string outer(static_cast<std::size_t>(indent), ' ');
  std::string out;
  if (is_array() && !array().empty()) {
    out += "[\n";
    for (const auto& item : array()) {
      out += inner + item.pretty(indent + 2) + (&item == &array().back() ? "\n" : ",\n");
    }
    return out + outer + "]";
  }
  if (is_object() && !object().empty()) {
    out += "{\n";
    for (const auto& member : object()) {
      out += inner;
      append_json_string(out, member.first);
      out += ": " + member.second.pretty(indent + 2) + (&member == &object().back() ? "\n" : ",\n");
    }
    return out + outer + "}";
  }
  write(out);
  return out;
}

}  // namespace embedded
