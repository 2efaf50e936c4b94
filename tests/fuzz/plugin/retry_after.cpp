// Retry-After and Date of an answer, in every form that was ever seen or thought of: the first line and the second.
#include <algorithm>
#include <chrono>
#include <string>

#include "http/http_date.h"
#include "http/message.h"
#include "require.h"

namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest = std::chrono::hours(1);

void require_wait(const std::optional<milliseconds>& wait) {
  if (wait) require(*wait >= milliseconds(0) && *wait <= longest, "a wait is from nothing to an hour");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string value(text.substr(0, end)), date(text.substr(std::min(end + 1, text.size())));
  const auto now = std::chrono::system_clock::time_point(std::chrono::hours(24 * 365 * 56));

  const auto alone = http::retry_after({{"Retry-After", value}}, now);
  const auto with_date = http::retry_after({{"retry-after", value}, {"DATE", date}}, now);
  require_wait(alone);
  require_wait(with_date);
  require(!http::retry_after({{"Date", value}}, now), "without the field there is no wait");
  require(http::retry_after({{"Retry-After", " " + value + "\t"}}, now) == alone, "blanks around do not count");
  const std::size_t first = value.find_first_not_of(" \t");
  const bool number = first != value.npos && value[first] >= '0' && value[first] <= '9';  // no date (RFC 9110, 5.6.7)
  const bool digits =
      !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits) {
    require(alone && with_date == alone, "seconds are seconds, whatever the date");
    if (value.size() <= 6) {
      require(*alone == std::min<milliseconds>(std::chrono::seconds(std::stol(value)), longest), "as many as it says");
    }
  }
  if (const auto time = http::parse_http_date(value)) {
    // The oracle: the same instant in the form that RFC 9110 wants written.
    const auto until = std::chrono::sys_time<milliseconds>(*time);
    const auto wait = std::clamp<milliseconds>(until - std::chrono::floor<milliseconds>(now), milliseconds(0), longest);
    require(number || alone == wait, "a date is measured against the clock");
  }
  if (!http::parse_http_date(date)) require(with_date == alone, "what is no date changes nothing");
  return 0;
}
