#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace http {

/// The three forms of RFC 9110, section 5.6.7, case and day name not looked at; nullopt when it is none of them.
std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace http
