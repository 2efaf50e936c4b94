#include "m365/mime/html.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "m365/mime/text.h"

namespace embedded {
namespace {

void append_utf8(std::string& out, unsigned c) {
  if (c == 0 || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000)) {
    out += "\xEF\xBF\xBD";
  } else if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | (c >> 6));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | (c >> 12));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  } else {
    out += static_cast<char>(0xF0 | (c >> 18));
    out += static_cast<char>(0x80 | ((c >> 12) & 0x3F));
    out += static_cast<char>(0x80 | ((c >> 6) & 0x3F));
    out += static_cast<char>(0x80 | (c & 0x3F));
  }
}

// Decodes the entity at `at` ("&...;") into `out`; returns how long it is, 0 when it is none.
std::size_t entity(std::string_view text, std::size_t at, std::string& out) {
  const auto end = text.find(';', at);
  if (end == std::string_view::npos || end - at > 10) return 0;
  const auto name = text.substr(at + 1, end - at - 1);
  if (name.size() > 1 && name[0] == '#') {
    const bool hex = name[1] == 'x' || name[1] == 'X';
    const auto digits = name.substr(hex ? 2 : 1);
    unsigned value = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, hex ? 16 : 10);
    if (digits.empty() || error != std::errc() || stop != digits.data() + digits.size()) return 0;
    append_utf8(out, value);
    return end - at + 1;
  }
  static constexpr std::array<std::pair<std::string_view, unsigned>, 14> known = {{{"amp", '&'},
                                                                                   {"lt", '<'},
                                                                                   {"gt", '>'},
                                                                                   {"quot", '"'},
                                                                                   {"apos", '\''},
                                                                                   {"nbsp", 0xA0},
                                                                                   {"auml", 0xE4},
                                                                                   {"ouml", 0xF6},
                                                                                   {"uuml", 0xFC},
                                                                                   {"Auml", 0xC4},
                                                                                   {"Ouml", 0xD6},
                                                                                   {"Uuml", 0xDC},
                                                                                   {"aring", 0xE5},
                                                                                   {"euro", 0x20AC}}};
  for (const auto& [word, code] : known) {
    if (word == name) {
      append_utf8(out, code);
      return end - at + 1;
    }
  }
  return 0;
}

std::string tag_name(std::string_view tag) {
  std::size_t at = !tag.empty() && tag[0] == '/' ? 1 : 0;
  std::string name;
  for (; at < tag.size(); ++at) {
    const char c = static_cast<char>(tag[at] | 32);
    if (!(c >= 'a' && c <= 'z') && !(tag[at] >= '0' && tag[at] <= '9')) break;
    name += c;
  }
  return name;
}

bool breaks_line(std::string_view name) {
  for (const std::string_view block :
       {"p", "div", "br", "tr", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "hr", "blockquote", "pre"}) {
    if (name == block) return true;
  }
  return false;
}

// Where the element `name` that was opened before `at` ends.
std::size_t skip_element(std::string_view html, std::size_t at, const std::string& name) {
  const std::string close = "</" + name;
  for (std::size_t i = at; i + close.size() <= html.size(); ++i) {
    if (html[i] == '<' && equal_ignoring_case(html.substr(i, close.size()), close)) {
      const auto end = html.find('>', i);
      return end == std::string_view::npos ? html.size() : end + 1;
    }
  }
  return html.size();
}

}  // namespace

std::string html_to_text(std::string_view html, std::size_t enough) {
  std::string out;
  for (std::size_t at = 0; at < html.size() && out.size() < enough;) {
    const char c = html[at];
    if (c == '<') {
      if (html.substr(at, 4) == "<!--") {
        const auto end = html.find("-->", at);
        at = end == std::string_view::npos ? html.size() : end + 3;
        continue;
      }
      const auto end = html.find('>', at);
      if (end == std::string_view::npos) break;
      const auto tag = html.substr(at + 1, end - at - 1);
      const std::string name = tag_name(tag);
      at = end + 1;
      if ((name == "style" || name == "script" || name == "head" || name == "title") && tag[0] != '/') {
        at = skip_element(html, at, name);
      } else if (breaks_line(name) && !(out.size() >= 4 && out.compare(out.size() - 4, 4, "\r\n\r\n") == 0)) {
        out += "\r\n";
      }
      continue;
    }
    if (c == '&') {
      if (const auto length = entity(html, at, out); length > 0) {
        at += length;
        continue;
      }
    }
    if (c == '\r' || c == '\n' || c == '\t' || c == ' ') {
      if (!out.empty() && out.back() != ' ' && out.back() != '\n') out += ' ';
    } else {
      out += c;
    }
    ++at;
  }
  return std::string(trim(out));
}

std::string text_to_html(std::string_view text) {
  std::string out =
      "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body>"
      "<div class=\"PlainText\">";
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\r':
        break;
      case '\n':
        out += "<br>\r\n";
        break;
      default:
        out += c;
    }
  }
  return out + "</div></body></html>";
}

std::string safe_html(std::string_view html) {
  std::string out;
  for (std::size_t at = 0; at < html.size();) {
    const auto open = html.find('<', at);
    out.append(html.substr(at, open == std::string_view::npos ? open : open - at));
    if (open == std::string_view::npos) break;
    const auto end = html.find('>', open);
    if (end == std::string_view::npos) {
      out.append(html.substr(open));
      break;
    }
    const auto tag = html.substr(open + 1, end - open - 1);
    at = end + 1;
    if (tag_name(tag) == "script") {
      if (tag[0] != '/') at = skip_element(html, at, "script");
      continue;
    }
    // An attribute whose name begins with "on": dropped with its value.
    std::string kept(tag);
    for (std::size_t i = 1; i + 3 < kept.size(); ++i) {
      const bool starts = (kept[i - 1] == ' ' || kept[i - 1] == '\t' || kept[i - 1] == '\n' || kept[i - 1] == '"') &&
                          (kept[i] | 32) == 'o' && (kept[i + 1] | 32) == 'n';
      if (!starts || tag[0] == '!') continue;
      std::size_t name_end = i;
      while (name_end < kept.size() && (kept[name_end] | 32) >= 'a' && (kept[name_end] | 32) <= 'z') ++name_end;
      if (name_end >= kept.size() || kept[name_end] != '=') continue;
      std::size_t value_end = name_end + 1;
      if (value_end < kept.size() && (kept[value_end] == '"' || kept[value_end] == '\'')) {
        value_end = std::min(kept.find(kept[value_end], value_end + 1), kept.size() - 1) + 1;
      } else {
        value_end = std::min(kept.find_first_of(" \t", value_end), kept.size());
      }
      kept.erase(i, value_end - i);
      --i;
    }
    out += '<' + kept + '>';
  }
  return out;
}

std::string preview(std::string_view text) {
  return std::string(utf8_prefix(trim(text), 255));
}

}  // namespace embedded
