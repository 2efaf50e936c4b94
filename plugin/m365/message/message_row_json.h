// simdjson (ondemand) as the row decoders use it: a value that is not as documented costs only itself. Only for the
// .cpp files of message_row: simdjson shows in no other header.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "mail/fault.h"

namespace m365::json {

namespace od = simdjson::ondemand;

enum class Found {
  absent,  ///< null
  good,
  repaired,  ///< a text with lone surrogates: U+FFFD stands in their place
  wrong,     ///< another type than documented, or a number out of range
};

/// Runs `read` on the document. Throws mail::FaultError (service_fault, `remedy`) when the text is not JSON at all, and
/// when `read` throws simdjson::simdjson_error. The parser is kept for the next, unless the document was huge.
void read_document(std::string_view text, mail::Remedy remedy, const std::function<void(od::document&)>& read);

/// The same of a text that is not copied. It is given room behind its end, which simdjson reads; its content stays as
/// it is.
void read_document_in(std::string& text, mail::Remedy remedy, const std::function<void(od::document&)>& read);

/// These throw simdjson::simdjson_error only when the document is broken there, so that nothing after it can be read.
Found read_text(od::value value, std::string& out);
Found read_text(od::value value, std::optional<std::string>& out);  ///< reset when absent or wrong
Found read_flag(od::value value, std::optional<bool>& out);         ///< true, false, "true", "false"
Found read_integer(od::value value, std::int64_t& out);             ///< also as a string or with a fraction .0
bool is_null(od::value value);

/// Calls `each(key, value)` for every member, `wrong()` when the value is no object; null has no members.
template <typename Each, typename Wrong>
void each_member(od::value value, Each each, Wrong wrong) {
  od::object object;
  const simdjson::error_code error = value.get_object().get(object);
  if (error == simdjson::INCORRECT_TYPE) {
    if (!is_null(value)) wrong();
    return;
  }
  if (error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
  for (auto member : object) {
    od::field field;
    if (const auto broken = std::move(member).get(field)) throw simdjson::simdjson_error(broken);
    std::string_view key;
    // A key that cannot be unescaped is none of ours.
    if (field.unescaped_key().get(key) == simdjson::SUCCESS) each(key, field.value());
  }
}

/// Calls `each(value)` for every element, `wrong()` when the value is no array; null has no elements.
template <typename Each, typename Wrong>
void each_element(od::value value, Each each, Wrong wrong) {
  od::array array;
  const simdjson::error_code error = value.get_array().get(array);
  if (error == simdjson::INCORRECT_TYPE) {
    if (!is_null(value)) wrong();
    return;
  }
  if (error != simdjson::SUCCESS) throw simdjson::simdjson_error(error);
  for (auto element : array) {
    od::value item;
    if (const auto broken = std::move(element).get(item)) throw simdjson::simdjson_error(broken);
    each(item);
  }
}

}  // namespace m365::json
