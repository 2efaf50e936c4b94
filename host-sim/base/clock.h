// Times as the events write them: RFC 3339 in UTC.
#ifndef HOST_SIM_BASE_CLOCK_H_
#define HOST_SIM_BASE_CLOCK_H_

#include <cstdint>
#include <optional>
#include <string>

namespace base {

// Milliseconds since 1970-01-01 UTC.
std::int64_t now_unix_ms();

// "2026-11-22T05:07:57Z", with ".123" only where there is a fraction.
std::string to_rfc3339(std::int64_t unix_ms);

// nullopt for 0, which means "not known".
std::optional<std::string> known_time(std::int64_t unix_ms);

}  // namespace base

#endif  // HOST_SIM_BASE_CLOCK_H_
