// The service's clock: the system's plus what the control door added, so that a test of an hour takes a moment.
#ifndef HOST_SIM_M365_CLOCK_H_
#define HOST_SIM_M365_CLOCK_H_

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace embedded {

using Milliseconds = std::chrono::milliseconds;
using Time = std::chrono::time_point<std::chrono::system_clock, Milliseconds>;

class Clock {
 public:
  Time now() const;
  // The whole second before now: Graph stores no fractions.
  Time second() const;
  void advance(Milliseconds by) { offset_ += by.count(); }

 private:
  std::atomic<std::int64_t> offset_{0};
};

std::string rfc3339(Time time);         // 2018-09-09T03:15:05Z
std::string rfc3339_millis(Time time);  // 2018-09-09T03:15:05.123Z
std::string rfc5322_date(Time time);    // Sun, 09 Sep 2018 03:15:05 +0000
std::string http_date(Time time);       // Sun, 09 Sep 2018 03:15:05 GMT
std::string entra_time(Time time);      // 2018-09-09 03:15:05Z
std::string bare_time(Time time);       // 2018-09-09T03:15:05, as in innerError

// Date and time with zone (Z or an offset), or a date alone; nullopt when malformed.
std::optional<Time> parse_rfc3339(std::string_view text);
// The date of a mail header, obsolete zones and missing week days included; nullopt when hopeless.
std::optional<Time> parse_rfc5322_date(std::string_view text);

inline std::int64_t unix_seconds(Time time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

}  // namespace embedded

#endif  // HOST_SIM_M365_CLOCK_H_
