// JSON for configuration, manifests, batches and events.
//
// Its own reader rather than Poco's, because people write these files: a fault is told with line and column, a key
// given twice is a fault instead of "the last one wins", and a number too large for 64 bits is a fault instead of a
// silent 0.
#ifndef HOST_SIM_BASE_JSON_H_
#define HOST_SIM_BASE_JSON_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace base {

// What is wrong with a JSON text, and where. Lines and columns (bytes) count from 1.
class JsonError : public std::runtime_error {
 public:
  JsonError(const std::string& reason, std::size_t line, std::size_t column);
  std::size_t line() const { return line_; }
  std::size_t column() const { return column_; }

 private:
  std::size_t line_, column_;
};

// A JSON value. Members keep their order. A plain value type; const access from any thread.
class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Members = std::vector<Member>;

  Json() = default;
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(static_cast<std::int64_t>(value)) {}
  Json(std::int64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(const char* value) : value_(std::string(value)) {}
  // nullopt is null.
  template <typename T>
  Json(const std::optional<T>& value) : Json(value ? Json(*value) : Json()) {}

  static Json array();
  static Json array(Array items);
  static Json object();
  static Json object(std::initializer_list<Member> members);
  // Of members that are handed over: an initializer list can only be copied from.
  static Json object(Members members);

  // Throws JsonError: not JSON, invalid UTF-8, a key given twice, nesting beyond 64, integers beyond 64 bits. A byte
  // order mark at the start is skipped: editors leave it.
  static Json parse(std::string_view text);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_double() const { return std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Members>(value_); }
  // "a text", "a whole number", "a list": what it is, for a sentence.
  std::string_view kind() const;

  // These throw std::bad_variant_access for another kind.
  bool as_bool() const { return std::get<bool>(value_); }
  std::int64_t as_integer() const { return std::get<std::int64_t>(value_); }
  const std::string& as_string() const { return std::get<std::string>(value_); }
  const Array& items() const { return std::get<Array>(value_); }
  Array& items() { return std::get<Array>(value_); }
  const Members& members() const { return std::get<Members>(value_); }
  Members& members() { return std::get<Members>(value_); }

  // The member of an object, or nullptr (also for what is no object). Valid until the object changes.
  const Json* find(std::string_view key) const;
  // The text of a member, or empty when absent or no text.
  std::string text(std::string_view key) const;
  // Appends the member or replaces its value; *this must be an object.
  Json& set(std::string_view key, Json value);
  // *this must be an array.
  Json& push(Json value);

  // Where it stood in the parsed text, 0 when made by a program.
  std::size_t line() const { return line_; }

  // One line, UTF-8, never an invalid byte: what is not UTF-8 becomes U+FFFD.
  std::string dump() const;
  // Two blanks a level, a line break at the end.
  std::string dump_pretty() const;

 private:
  friend class JsonReader;
  void write(std::string& out, int indent, bool pretty) const;

  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Members> value_;
  std::size_t line_ = 0;
};

}  // namespace base

#endif  // HOST_SIM_BASE_JSON_H_
