// What the parts of the service share: reading a query, and answers that are not mails.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "service/ids.h"

namespace bench {

/// The value of an option of the query, decoded; nothing when it is not there.
inline std::optional<std::string> option(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(pair.size() + 1, query.size()));
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=')
      return decode_percent(pair.substr(name.size() + 1));
  }
  return std::nullopt;
}

inline std::uint32_t number_option(std::string_view query, std::string_view name, std::uint32_t otherwise) {
  const auto text = option(query, name);
  return text ? static_cast<std::uint32_t>(first_number(*text).value_or(otherwise)) : otherwise;
}

/// The next segment of a path, taken off it.
inline std::string_view take_segment(std::string_view& path) {
  if (path.starts_with('/')) path.remove_prefix(1);
  const std::string_view segment = path.substr(0, path.find('/'));
  path.remove_prefix(segment.size());
  return segment;
}

inline int error(std::string& out, int status, std::string_view code) {
  out.append(R"({"error":{"code":")").append(code).append(R"(","message":"The load server does not know this.",)");
  out += R"("innerError":{"date":"2026-01-31T08:00:00","request-id":"5f0b7a4e-9c9d-4a55-a3a4-0d6c1f2b8e11"}}})";
  return status;
}

inline void append_text(std::string& out, std::string_view text) {
  out += '"';
  out += text;  // nothing here needs an escape
  out += '"';
}

}  // namespace bench
