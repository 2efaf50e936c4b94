#include "http/http1.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace http {
namespace {

bool is_token(std::string_view text) {
  static constexpr std::string_view others = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
  });
}

bool is_value(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// Calls `visit` for each member of a comma-separated list, over all fields of this name.
template <typename Visit>
void each_member(const Headers& headers, std::string_view name, Visit visit) {
  for (const Headers::Field& field : headers.all()) {
    if (!same(field.name, name)) continue;
    std::string_view rest = field.value;
    for (;;) {
      const std::size_t comma = std::min(rest.find(','), rest.size());
      if (const std::string_view member = trim(rest.substr(0, comma)); !member.empty()) visit(member);
      if (comma == rest.size()) break;
      rest.remove_prefix(comma + 1);
    }
  }
}

bool lists(const Headers& headers, std::string_view name, std::string_view wanted) {
  bool found = false;
  each_member(headers, name, [&](std::string_view member) { found = found || same(member, wanted); });
  return found;
}

template <typename Number>
bool parse_number(std::string_view text, Number& value, int base = 10) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, base);
  return error == std::errc() && stop == end && !text.empty();
}

}  // namespace

std::string write_head(const Request& request, const Url& url, std::size_t room_for_body) {
  if (!is_token(request.method)) throw std::invalid_argument("not an HTTP method");
  std::string text;
  // Room for all of it, and for a small body: a token is among the values, and a text that grows leaves copies behind.
  std::size_t size = 512 + url.target.size() + room_for_body;
  for (const Headers::Field& field : request.headers.all()) size += field.name.size() + field.value.size() + 4;
  text.reserve(size);
  text.append(request.method).append(" ").append(url.target).append(" HTTP/1.1\r\nHost: ").append(url.authority());
  text += "\r\n";
  for (const Headers::Field& field : request.headers.all()) {
    // The name only: a value may be a secret.
    if (!is_token(field.name)) throw std::invalid_argument("not a header name");
    if (!is_value(field.value)) throw std::invalid_argument("line break in the value of header " + field.name);
    text.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  const bool bodiless = request.method == "GET" || request.method == "HEAD" || request.method == "DELETE";
  if (!bodiless || !request.body.empty()) {
    text.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  text += "\r\n";
  return text;  // itself, not a copy
}

bool HeadReader::take(std::string_view line) {
  if (minor_ < 0) {  // HTTP/1.1 200 OK
    if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[7] < '0' || line[7] > '9' || line[8] != ' ' ||
        !parse_number(line.substr(9, 3), head_.status) || head_.status < 100 || (line.size() > 12 && line[12] != ' ')) {
      throw BadAnswer("did not answer with HTTP/1.1");
    }
    minor_ = line[7] - '0';
    return false;
  }
  if (!line.empty() && (line.front() == ' ' || line.front() == '\t')) {  // folded: obsolete, but still to be read
    if (!field_) throw BadAnswer("sent a header that cannot be read");
    field_->value.append(" ").append(trim(line));
    return false;
  }
  if (field_) head_.headers.add(std::move(field_->name), std::move(field_->value));
  field_.reset();
  if (line.empty()) {
    head_.persistent =
        minor_ >= 1 ? !lists(head_.headers, "Connection", "close") : lists(head_.headers, "Connection", "keep-alive");
    return true;
  }
  const std::size_t colon = line.find(':');
  // Bytes above 0x7f are let through as they are: not ours to judge, and not worth an answer.
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon)) || !is_value(line)) {
    throw BadAnswer("sent a header that cannot be read");
  }
  field_ = Headers::Field{std::string(line.substr(0, colon)), std::string(trim(line.substr(colon + 1)))};
  return false;
}

Head HeadReader::head() && {
  return std::move(head_);
}

Framing framing_of(std::string_view method, const Head& head) {
  if (method == "HEAD" || head.status < 200 || head.status == 204 || head.status == 304) return {};
  if (head.headers.find("Transfer-Encoding")) {
    std::size_t codings = 0;
    each_member(head.headers, "Transfer-Encoding", [&](std::string_view) { ++codings; });
    if (codings != 1 || !lists(head.headers, "Transfer-Encoding", "chunked")) {
      throw BadAnswer("sent a body in a transfer coding that was not asked for");
    }
    // Both: either the server or something on the way is confused about where answers end.
    if (head.headers.find("Content-Length")) throw BadAnswer("sent a body with two lengths");
    return {Framing::Kind::chunked, 0};
  }
  std::optional<std::uint64_t> length;
  each_member(head.headers, "Content-Length", [&](std::string_view text) {
    std::uint64_t value = 0;
    if (!parse_number(text, value)) throw BadAnswer("sent a length that is not a number");
    if (length && *length != value) throw BadAnswer("sent a body with two lengths");
    length = value;
  });
  if (length) return {*length == 0 ? Framing::Kind::none : Framing::Kind::length, *length};
  if (head.headers.find("Content-Length")) throw BadAnswer("sent a length that is not a number");
  return {Framing::Kind::until_close, 0};
}

std::uint64_t parse_chunk_size(std::string_view line) {
  std::uint64_t size = 0;
  if (!parse_number(trim(line.substr(0, line.find(';'))), size, 16)) throw BadAnswer("sent a broken chunked body");
  return size;
}

std::optional<unsigned> keep_alive_timeout(const Headers& headers) {
  std::optional<unsigned> timeout;
  each_member(headers, "Keep-Alive", [&](std::string_view member) {
    unsigned value = 0;
    if (member.starts_with("timeout=") && parse_number(member.substr(8), value)) timeout = value;
  });
  return timeout;
}

}  // namespace http
