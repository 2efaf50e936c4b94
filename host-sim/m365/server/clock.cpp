#include "m365/server/clock.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <utility>
#include <vector>

#include "m365/mime/text.h"

namespace embedded {
namespace {

constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::tm broken_down(Time time) {
  const auto seconds = static_cast<std::time_t>(unix_seconds(time));
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  return parts;
}

std::string format(Time time, const char* pattern) {
  const std::tm parts = broken_down(time);
  std::array<char, 64> buffer{};
  const auto length = std::strftime(buffer.data(), buffer.size(), pattern, &parts);
  return {buffer.data(), length};
}

std::string mail_date(Time time, const char* zone) {
  const std::tm t = broken_down(time);
  std::array<char, 64> buffer{};
  const int length = std::snprintf(
      buffer.data(), buffer.size(), "%s, %02d %s %04d %02d:%02d:%02d %s", kDays[static_cast<std::size_t>(t.tm_wday)],
      t.tm_mday, kMonths[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, zone);
  return {buffer.data(), static_cast<std::size_t>(length)};
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

std::optional<Time> make_time(int year, int month, int day, int hour, int minute, int second, int zone_minutes,
                              int millis = 0) {
  if (month < 1 || month > 12 || day < 1 || day > 31 || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  if (year < 1600 || year > 9999) return std::nullopt;
  std::tm t{};
  t.tm_year = year - 1900;
  t.tm_mon = month - 1;
  t.tm_mday = day;
  t.tm_hour = hour;
  t.tm_min = minute;
  t.tm_sec = second;
  const std::time_t seconds = timegm(&t);
  if (t.tm_mday != day) return std::nullopt;  // 31 February
  return Time(Milliseconds((static_cast<std::int64_t>(seconds) - std::int64_t{zone_minutes} * 60) * 1000 + millis));
}

std::optional<int> zone_of(std::string_view text) {
  if (text.size() == 5 && (text[0] == '+' || text[0] == '-')) {
    const auto hours = number(text.substr(1, 2));
    const auto minutes = number(text.substr(3, 2));
    if (!hours || !minutes) return std::nullopt;
    return (text[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
  }
  struct Named {
    const char* name;
    int hours;
  };
  constexpr std::array<Named, 8> named = {
      {{"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}}};
  for (const auto& zone : named) {
    if (equal_ignoring_case(text, zone.name)) return zone.hours * 60;
  }
  return 0;  // RFC 5322 4.3: unknown zones count as UTC
}

}  // namespace

Time Clock::now() const {
  return std::chrono::time_point_cast<Milliseconds>(std::chrono::system_clock::now()) + Milliseconds(offset_.load());
}

Time Clock::second() const {
  return std::chrono::floor<std::chrono::seconds>(now());
}

std::string rfc3339(Time time) {
  return format(time, "%Y-%m-%dT%H:%M:%SZ");
}

std::string rfc3339_millis(Time time) {
  const auto millis = time.time_since_epoch().count() % 1000;
  std::array<char, 8> buffer{};
  std::snprintf(buffer.data(), buffer.size(), ".%03dZ", static_cast<int>(millis < 0 ? millis + 1000 : millis));
  return format(time, "%Y-%m-%dT%H:%M:%S") + buffer.data();
}

std::string rfc5322_date(Time time) {
  return mail_date(time, "+0000");
}
std::string http_date(Time time) {
  return mail_date(time, "GMT");
}
std::string entra_time(Time time) {
  return format(time, "%Y-%m-%d %H:%M:%SZ");
}
std::string bare_time(Time time) {
  return format(time, "%Y-%m-%dT%H:%M:%S");
}

std::optional<Time> parse_rfc3339(std::string_view text) {
  const auto part = [&](std::size_t at, std::size_t size) -> std::optional<int> {
    return at + size <= text.size() ? number(text.substr(at, size)) : std::nullopt;
  };
  const auto year = part(0, 4);
  const auto month = part(5, 2);
  const auto day = part(8, 2);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  if (text.size() == 10) return make_time(*year, *month, *day, 0, 0, 0, 0);
  const auto hour = part(11, 2);
  const auto minute = part(14, 2);
  if (!hour || !minute || (text[10] != 'T' && text[10] != 't') || text[13] != ':') return std::nullopt;
  std::size_t at = 16;
  int second = 0;
  int millis = 0;
  if (at < text.size() && text[at] == ':') {
    const auto value = part(17, 2);
    if (!value) return std::nullopt;
    second = *value;
    at = 19;
    if (at < text.size() && text[at] == '.') {
      int scale = 100;
      const auto first = ++at;
      for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, scale /= 10)
        millis += (text[at] - '0') * scale;
      if (at == first) return std::nullopt;
    }
  }
  const auto zone = text.substr(at);
  if (zone == "Z" || zone == "z") return make_time(*year, *month, *day, *hour, *minute, second, 0, millis);
  if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
  const auto hours = number(zone.substr(1, 2));
  const auto minutes = number(zone.substr(4, 2));
  if (!hours || !minutes) return std::nullopt;
  const int offset = (zone[0] == '-' ? -1 : 1) * (*hours * 60 + *minutes);
  return make_time(*year, *month, *day, *hour, *minute, second, offset, millis);
}

std::optional<Time> parse_rfc5322_date(std::string_view text) {
  // Words: [day-name,] day month year hh:mm[:ss] [zone] [(comment)]
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (c == '(') break;
    if (c == ' ' || c == '\t' || c == ',' || c == '\r' || c == '\n') {
      if (!word.empty()) words.push_back(std::exchange(word, {}));
    } else {
      word += c;
    }
  }
  if (!word.empty()) words.push_back(word);
  std::size_t i = 0;
  if (i < words.size() && !number(words[i])) ++i;
  if (i + 3 >= words.size()) return std::nullopt;
  const auto day = number(words[i]);
  int month = 0;
  for (std::size_t m = 0; m < kMonths.size(); ++m) {
    if (starts_with_ignoring_case(words[i + 1], kMonths[m])) month = static_cast<int>(m) + 1;
  }
  auto year = number(words[i + 2]);
  const auto clock = split(words[i + 3], ':');
  if (!day || month == 0 || !year || clock.size() < 2) return std::nullopt;
  if (*year < 50) *year += 2000;  // RFC 5322 4.3
  if (*year < 1000) *year += 1900;
  const auto hour = number(clock[0]);
  const auto minute = number(clock[1]);
  const auto second = clock.size() > 2 ? number(clock[2]) : std::optional<int>(0);
  const auto zone = i + 4 < words.size() ? zone_of(words[i + 4]) : std::optional<int>(0);
  if (!hour || !minute || !second) return std::nullopt;
  return make_time(*year, month, *day, *hour, *minute, *second, zone.value_or(0));
}

}  // namespace embedded
