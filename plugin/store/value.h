// What goes into a statement.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace store {

struct Blob {
  std::string_view bytes;
};

using Value = std::variant<std::int64_t, std::string_view, Blob>;  ///< a view: lives as long as what it was made of
using Values = std::initializer_list<Value>;

}  // namespace store
