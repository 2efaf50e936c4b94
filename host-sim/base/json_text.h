// JSON that is written and not kept: one line, piece by piece, without a tree in between.
#ifndef HOST_SIM_BASE_JSON_TEXT_H_
#define HOST_SIM_BASE_JSON_TEXT_H_

#include <cstdint>
#include <string>
#include <string_view>

namespace base {

// A JSON string with its quotes: valid UTF-8 always, what is not becomes U+FFFD.
void append_json_string(std::string& out, std::string_view text);

// Commas are put by itself; that each key has one value, and each beginning its end, is the caller's to see to. Writes
// what Json::dump() would.
class JsonText {
 public:
  // Appends to `out`, which outlives it.
  explicit JsonText(std::string& out) : out_(out) {}

  JsonText& begin_object() { return open('{'); }
  JsonText& end_object() { return close('}'); }
  JsonText& begin_array() { return open('['); }
  JsonText& end_array() { return close(']'); }
  // `name` stands in the program's text and needs no escapes.
  JsonText& key(std::string_view name);
  JsonText& text(std::string_view value);
  JsonText& number(std::int64_t value);
  JsonText& flag(bool value);
  JsonText& null();

 private:
  JsonText& open(char bracket);
  JsonText& close(char bracket);
  void separate();

  std::string& out_;
  bool comma_ = false;  // a value stands before, on the same level
};

}  // namespace base

#endif  // HOST_SIM_BASE_JSON_TEXT_H_
