#include "http/http_date.h"

#include <array>
#include <charconv>
#include <vector>

namespace http {
namespace {

/// Words between blanks, commas and hyphens, so that all three forms become a list of names and numbers.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (words.size() < 8) {
    const std::size_t begin = text.find_first_not_of(" ,-\t");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const std::size_t size = std::min(text.find_first_of(" ,-\t"), text.size());
    words.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return words;
}

std::optional<unsigned> number(std::string_view text, std::size_t most_digits) {
  unsigned value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (text.size() > most_digits || error != std::errc() || stop != end) return {};
  return value;
}

std::optional<std::chrono::month> month_named(std::string_view name) {
  static constexpr std::array<std::string_view, 12> names = {"jan", "feb", "mar", "apr", "may", "jun",
                                                             "jul", "aug", "sep", "oct", "nov", "dec"};
  if (name.size() != 3) return {};
  for (unsigned i = 0; i < names.size(); ++i) {
    // Bit 5 is the only difference between the cases of an ASCII letter.
    if ((name[0] | 0x20) == names[i][0] && (name[1] | 0x20) == names[i][1] && (name[2] | 0x20) == names[i][2]) {
      return std::chrono::month(i + 1);
    }
  }
  return {};
}

/// "08:49:37"
std::optional<std::chrono::seconds> time_of_day(std::string_view text) {
  if (text.size() != 8 || text[2] != ':' || text[5] != ':') return {};
  const auto hour = number(text.substr(0, 2), 2), minute = number(text.substr(3, 2), 2),
             second = number(text.substr(6), 2);
  if (!hour || !minute || !second || *hour > 23 || *minute > 59 || *second > 60) return {};
  return std::chrono::hours(*hour) + std::chrono::minutes(*minute) + std::chrono::seconds(*second);
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text) {
  const auto words = words_of(text);
  std::string_view day_text, month_text, year_text, time_text;
  if (words.size() == 6 && words[5] == "GMT") {  // Sun, 06 Nov 1994 08:49:37 GMT; Sunday, 06-Nov-94 08:49:37 GMT
    day_text = words[1], month_text = words[2], year_text = words[3], time_text = words[4];
  } else if (words.size() == 5) {  // Sun Nov  6 08:49:37 1994
    day_text = words[2], month_text = words[1], year_text = words[4], time_text = words[3];
  } else {
    return {};
  }
  const auto day = number(day_text, 2);
  const auto month = month_named(month_text);
  auto year = number(year_text, 4);
  const auto time = time_of_day(time_text);
  if (!day || !month || !year || !time) return {};
  if (year_text.size() == 2) *year += *year < 70 ? 2000 : 1900;
  const std::chrono::year_month_day date(std::chrono::year(static_cast<int>(*year)), *month, std::chrono::day(*day));
  if (!date.ok()) return {};
  return std::chrono::sys_days(date) + *time;
}

}  // namespace http
