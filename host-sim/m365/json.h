// JSON as a value: strict reader (RFC 8259, UTF-8 checked), compact writer, members in the order they were put.
#ifndef HOST_SIM_M365_JSON_H_
#define HOST_SIM_M365_JSON_H_

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace embedded {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(std::int64_t{value}) {}
  Json(std::int64_t value) : value_(value) {}
  Json(std::uint64_t value) : value_(static_cast<std::int64_t>(value)) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }

  // Throw std::bad_variant_access when the value is something else.
  bool boolean() const { return std::get<bool>(value_); }
  std::int64_t integer() const { return std::get<std::int64_t>(value_); }
  double number() const { return is_integer() ? static_cast<double>(integer()) : std::get<double>(value_); }
  const std::string& string() const { return std::get<std::string>(value_); }
  const Array& array() const { return std::get<Array>(value_); }
  Array& array() { return std::get<Array>(value_); }
  const Object& object() const { return std::get<Object>(value_); }
  Object& object() { return std::get<Object>(value_); }

  // The member of an object, or nullptr (also when this is no object). Names are compared exactly.
  const Json* find(std::string_view name) const;
  Json* find(std::string_view name);
  // Sets or replaces a member; makes an object of null.
  Json& set(std::string_view name, Json value);
  void push(Json value);

  // Member of that type, else the fallback.
  std::string text(std::string_view name, std::string_view fallback = {}) const;
  std::int64_t integer(std::string_view name, std::int64_t fallback) const;
  bool boolean(std::string_view name, bool fallback) const;

  void write(std::string& out) const;
  std::string dump() const;
  std::string pretty(int indent = 0) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

struct JsonError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Throws JsonError ("line 3: ..."). Nesting is limited to 100; a repeated member keeps the last value.
Json parse_json(std::string_view text);

// Appends the text as a JSON string with its quotes. The text must be UTF-8.
void append_json_string(std::string& out, std::string_view text);

}  // namespace embedded

#endif  // HOST_SIM_M365_JSON_H_
