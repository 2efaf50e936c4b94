// The reader of RFC 8259, by recursive descent.
#include <charconv>
#include <set>

#include "base/json.h"
#include "base/utf8.h"

namespace base {

class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {
    if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3, line_start_ = 3;
  }

  Json document() {
    skip_blanks();
    if (at_end()) fail("the text is empty");
    Json value = read_value(0);
    skip_blanks();
    if (!at_end()) fail("something follows after the end of the value");
    return value;
  }

 private:
  static constexpr int kMaxDepth = 64;

  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  [[noreturn]] void fail(const std::string& reason) const { throw JsonError(reason, line_, at_ - line_start_ + 1); }

  void skip_blanks() {
    for (; !at_end(); ++at_) {
      const char c = text_[at_];
      if (c == '\n') {
        ++line_;
        line_start_ = at_ + 1;
      } else if (c != ' ' && c != '\t' && c != '\r') {
        return;
      }
    }
  }

  void expect_word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) fail("this is not a value; a text needs double quotes around it");
    at_ += word.size();
  }

  Json read_value(int depth) {
    if (depth > kMaxDepth) fail("nested too deeply");
    const std::size_t line = line_;
    Json value;
    switch (peek()) {
      case '{':
        value = read_object(depth);
        break;
      case '[':
        value = read_array(depth);
        break;
      case '"':
        value = Json(read_string());
        break;
      case 't':
        expect_word("true");
        value = Json(true);
        break;
      case 'f':
        expect_word("false");
        value = Json(false);
        break;
      case 'n':
        expect_word("null");
        break;
      default:
        value = read_number();
    }
    value.line_ = line;
    return value;
  }

  Json read_object(int depth) {
    Json object = Json::object();
    std::set<std::string> seen;
    ++at_;
    skip_blanks();
    if (peek() == '}') {
      ++at_;
      return object;
    }
    while (true) {
      skip_blanks();
      if (peek() != '"') fail(at_end() ? "the text ends inside an object" : "a key in double quotes is expected here");
      const std::size_t key_at = at_;
      std::string key = read_string();
      if (!seen.insert(key).second) {
        at_ = key_at;
        fail("the key \"" + key + "\" is given twice");
      }
      skip_blanks();
      if (peek() != ':') fail("a colon is expected after the key \"" + key + "\"");
      ++at_;
      skip_blanks();
      std::get<Json::Members>(object.value_).emplace_back(std::move(key), read_value(depth + 1));
      if (!another('}')) return object;
    }
  }

  Json read_array(int depth) {
    Json array = Json::array();
    ++at_;
    skip_blanks();
    if (peek() == ']') {
      ++at_;
      return array;
    }
    while (true) {
      skip_blanks();
      array.push(read_value(depth + 1));
      if (!another(']')) return array;
    }
  }

  // After an element: true at a comma, false at the end.
  bool another(char end) {
    skip_blanks();
    if (peek() == end) {
      ++at_;
      return false;
    }
    if (peek() != ',') {
      fail(at_end() ? "the text ends too early" : std::string("a comma or ") + end + " is expected here");
    }
    ++at_;
    skip_blanks();
    if (peek() == end) fail("nothing follows after this comma");
    return true;
  }

  Json read_number() {
    const std::size_t start = at_;
    const auto digits = [&] {
      const std::size_t from = at_;
      while (peek() >= '0' && peek() <= '9') ++at_;
      return at_ - from;
    };
    if (peek() == '-') ++at_;
    const std::size_t first = at_;
    if (digits() == 0) {
      at_ = start;
      fail(at_end() ? "the text ends too early" : "this is not a value; a text needs double quotes around it");
    }
    if (text_[first] == '0' && at_ - first > 1) fail("a number must not begin with 0");
    bool whole = true;
    if (peek() == '.') {
      whole = false;
      ++at_;
      if (digits() == 0) fail("a digit is expected after the point");
    }
    if (peek() == 'e' || peek() == 'E') {
      whole = false;
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      if (digits() == 0) fail("a digit is expected in the exponent");
    }
    const char* from = text_.data() + start;
    const char* to = text_.data() + at_;
    if (whole) {
      std::int64_t value = 0;
      if (std::from_chars(from, to, value).ec != std::errc()) fail("the number is too large");
      return Json(value);
    }
    double value = 0;
    if (std::from_chars(from, to, value).ec != std::errc()) fail("the number is too large");
    return Json(value);
  }

  unsigned read_hex4() {
    if (text_.size() - at_ < 4) fail("four hexadecimal digits are expected after \\u");
    unsigned value = 0;
    const auto result = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, value, 16);
    if (result.ec != std::errc() || result.ptr != text_.data() + at_ + 4)
      fail("four hexadecimal digits are expected after \\u");
    at_ += 4;
    return value;
  }

  void read_escape(std::string& out) {
    const char c = peek();
    ++at_;
    switch (c) {
      case '"':
      case '\\':
      case '/':
        out.push_back(c);
        return;
      case 'b':
        out.push_back('\b');
        return;
      case 'f':
        out.push_back('\f');
        return;
      case 'n':
        out.push_back('\n');
        return;
      case 'r':
        out.push_back('\r');
        return;
      case 't':
        out.push_back('\t');
        return;
      case 'u': {
        char32_t value = read_hex4();
        if (value >= 0xd800 && value <= 0xdbff && text_.substr(at_, 2) == "\\u") {
          at_ += 2;
          const char32_t low = read_hex4();
          if (low < 0xdc00 || low > 0xdfff) fail("half of a surrogate pair");
          value = 0x10000 + ((value - 0xd800) << 10) + (low - 0xdc00);
        }
        if (value >= 0xd800 && value <= 0xdfff) fail("half of a surrogate pair");
        append_utf8(out, value);
        return;
      }
      default:
        --at_;
        fail("an unknown escape; a backslash in a text is written \\\\");
    }
  }

  std::string read_string() {
    std::string out;
    ++at_;
    while (true) {
      if (at_end()) fail("a text without its closing double quote");
      const char c = text_[at_];
      if (c == '"') {
        ++at_;
        return out;
      }
      if (c == '\\') {
        ++at_;
        read_escape(out);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        fail(c == '\n' ? "a text without its closing double quote" : "a control character inside a text");
      } else {
        const std::size_t size = decode_utf8(text_.substr(at_)).size;
        if (size == 0) fail("the text is not UTF-8 here; save the file as UTF-8");
        out.append(text_, at_, size);
        at_ += size;
      }
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t line_start_ = 0;
};

Json Json::parse(std::string_view text) {
  return JsonReader(text).document();
}

}  // namespace base
