#include "http/message.h"

#include <algorithm>

#include "http/http_date.h"
#include "http/url.h"
#include "mail/secret.h"

namespace http {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds longest_wait = std::chrono::hours(1);

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// "2" or "2.128" (seen from Exchange: graph-mail.md, section 15), rounded up; no sign, no exponent.
std::optional<milliseconds> parse_seconds(std::string_view text) {
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(std::min(point + 1, text.size()));
  if (whole.empty() || !std::all_of(whole.begin(), whole.end(), is_digit) ||
      !std::all_of(fraction.begin(), fraction.end(), is_digit)) {
    return {};
  }
  long long time = 0;
  for (const char digit : whole) {
    time = time * 10 + (digit - '0');
    if (time > longest_wait.count()) return longest_wait;
  }
  time *= 1000;
  long long unit = 100;
  for (const char digit : fraction.substr(0, 3)) {
    time += (digit - '0') * unit;
    unit /= 10;
  }
  if (fraction.size() > 3 && fraction.find_first_not_of('0', 3) != std::string_view::npos) ++time;
  return std::min(milliseconds(time), longest_wait);
}

}  // namespace

void Headers::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const Field& field) { return same_name(field.name, name); });
  add(std::move(name), std::move(value));
}

void Headers::wipe(std::string_view name) {
  for (Field& field : fields_) {
    if (same_name(field.name, name)) mail::wipe(field.value);
  }
  std::erase_if(fields_, [&](const Field& field) { return same_name(field.name, name); });
}

const std::string* Headers::find(std::string_view name) const {
  const auto found =
      std::find_if(fields_.begin(), fields_.end(), [&](const Field& field) { return same_name(field.name, name); });
  return found == fields_.end() ? nullptr : &found->value;
}

std::string Headers::get(std::string_view name) const {
  const std::string* const value = find(name);
  return value ? *value : std::string();
}

std::string Response::request_id() const {
  return headers.get("request-id");
}

std::optional<milliseconds> Response::retry_after(std::chrono::system_clock::time_point now) const {
  return http::retry_after(headers, now);
}

std::optional<milliseconds> retry_after(const Headers& headers, std::chrono::system_clock::time_point now) {
  const std::string* const value = headers.find("Retry-After");
  if (!value) return {};
  const std::string_view text = trim(*value);
  if (!text.empty() && is_digit(text.front())) return parse_seconds(text);
  const auto until = parse_http_date(text);
  if (!until) return {};
  // Against the server's own clock where it says it: this machine's may be wrong by more than the wait.
  const auto date = parse_http_date(trim(headers.get("Date")));
  // In milliseconds: a date of the year 2300 does not fit into the clock's nanoseconds.
  using Time = std::chrono::sys_time<milliseconds>;
  const Time from = date ? Time(*date) : std::chrono::floor<milliseconds>(now);
  return std::clamp(Time(*until) - from, milliseconds(0), longest_wait);
}

std::string origin_of(std::string_view url) {
  const auto parts = parse_url(url);
  // "https://graph.microsoft.com@elsewhere/": no service writes URLs with a user in them.
  if (!parts || !parts->userinfo.empty()) return {};
  return (parts->secure ? "https://" : "http://") + parts->host_port();
}

std::string percent_encode(std::string_view text) {
  std::string result;
  percent_encode(text, result);
  return result;
}

void percent_encode(std::string_view text, std::string& result) {
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto stays = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c) || c == '-' || c == '.' || c == '_' ||
           c == '~';
  };
  while (!text.empty()) {
    const auto end = static_cast<std::size_t>(std::ranges::find_if_not(text, stays) - text.begin());
    result += text.substr(0, end);
    if (end == text.size()) return;
    const auto byte = static_cast<unsigned char>(text[end]);
    result += '%';
    result += digits[byte >> 4];
    result += digits[byte & 15];
    text.remove_prefix(end + 1);
  }
}

}  // namespace http
