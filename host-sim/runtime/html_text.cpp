#include "runtime/html_text.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <utility>

#include "base/utf8.h"

namespace runtime {
namespace {

using Name = std::pair<std::string_view, char32_t>;

// The entities mail programs write; any other stays as it is, which a person can read.
constexpr std::array<Name, 40> kEntities{{
    {"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},      {"apos", '\''},    {"nbsp", 0xa0},
    {"copy", 0xa9},    {"reg", 0xae},     {"trade", 0x2122}, {"hellip", 0x2026}, {"ndash", 0x2013}, {"mdash", 0x2014},
    {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201c}, {"rdquo", 0x201d},  {"bdquo", 0x201e}, {"laquo", 0xab},
    {"raquo", 0xbb},   {"bull", 0x2022},  {"middot", 0xb7},  {"euro", 0x20ac},   {"pound", 0xa3},   {"yen", 0xa5},
    {"sect", 0xa7},    {"deg", 0xb0},     {"auml", 0xe4},    {"ouml", 0xf6},     {"uuml", 0xfc},    {"Auml", 0xc4},
    {"Ouml", 0xd6},    {"Uuml", 0xdc},    {"szlig", 0xdf},   {"aring", 0xe5},    {"Aring", 0xc5},   {"eacute", 0xe9},
    {"egrave", 0xe8},  {"agrave", 0xe0},  {"ccedil", 0xe7},  {"times", 0xd7},
}};

constexpr char lower_letter(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

// `name` is in lower case.
bool is_named(std::string_view text, std::string_view name) {
  return std::equal(text.begin(), text.end(), name.begin(), name.end(),
                    [](char a, char b) { return lower_letter(a) == b; });
}

constexpr bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

using Bytes = std::array<bool, 256>;

constexpr Bytes bytes_that_end(bool preformatted) {
  Bytes ends{};
  for (const char c : {' ', '\t', '\n', '\r', '\f'})
    ends[static_cast<unsigned char>(c)] = !preformatted || c == '\n' || c == '\r';
  ends['<'] = ends['&'] = true;
  return ends;
}

// What ends a run of characters that go out as they stand.
constexpr Bytes kWordEnds = bytes_that_end(false), kLineEnds = bytes_that_end(true);

// Decodes the entity at text[0] == '&' onto `out`; returns its length, 1 when it is none (the & itself goes out).
std::size_t decode_entity(std::string_view text, std::string& out) {
  constexpr std::size_t kLongest = 12;
  const std::size_t end = text.substr(0, kLongest).find(';');
  if (end != std::string_view::npos && end > 1) {
    std::string_view name = text.substr(1, end - 1);
    if (name[0] == '#') {
      name.remove_prefix(1);
      int base = 10;
      if (!name.empty() && (name[0] == 'x' || name[0] == 'X')) {
        name.remove_prefix(1);
        base = 16;
      }
      std::uint32_t value = 0;
      const auto result = std::from_chars(name.data(), name.data() + name.size(), value, base);
      const bool whole = !name.empty() && result.ec == std::errc() && result.ptr == name.data() + name.size();
      if (whole && value != 0 && value <= 0x10ffff && (value < 0xd800 || value > 0xdfff)) {
        base::append_utf8(out, value);
        return end + 1;
      }
    } else {
      const auto it = std::find_if(kEntities.begin(), kEntities.end(), [&](const Name& e) { return e.first == name; });
      if (it != kEntities.end()) {
        base::append_utf8(out, it->second);
        return end + 1;
      }
    }
  }
  out.push_back('&');
  return 1;
}

std::string decode_entities(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '&') {
      i += decode_entity(text.substr(i), out);
    } else {
      const std::size_t next = std::min(text.find('&', i), text.size());
      out += text.substr(i, next - i);
      i = next;
    }
  }
  return out;
}

struct Tag {
  std::array<char, 20> name{};  // lower case, without the slash; a longer one is none we know
  std::size_t name_size = 0;
  bool closing = false;
  std::string_view attributes;

  std::string_view named() const { return {name.data(), name_size}; }
};

// The value of an attribute, entities decoded; empty when absent.
std::string attribute(const Tag& tag, std::string_view wanted) {
  std::string_view rest = tag.attributes;
  while (!rest.empty()) {
    while (!rest.empty() && (is_blank(rest[0]) || rest[0] == '/')) rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size() && !is_blank(rest[end]) && rest[end] != '=') ++end;
    const bool found = is_named(rest.substr(0, end), wanted);
    rest.remove_prefix(end);
    while (!rest.empty() && is_blank(rest[0])) rest.remove_prefix(1);
    std::string_view value;
    if (!rest.empty() && rest[0] == '=') {
      rest.remove_prefix(1);
      while (!rest.empty() && is_blank(rest[0])) rest.remove_prefix(1);
      if (!rest.empty() && (rest[0] == '"' || rest[0] == '\'')) {
        const std::size_t close = std::min(rest.find(rest[0], 1), rest.size());
        value = rest.substr(1, close - 1);
        rest.remove_prefix(std::min(close + 1, rest.size()));
      } else {
        std::size_t stop = 0;
        while (stop < rest.size() && !is_blank(rest[stop])) ++stop;
        value = rest.substr(0, stop);
        rest.remove_prefix(stop);
      }
    } else if (end == 0 && !rest.empty()) {
      rest.remove_prefix(1);
    }
    if (found) return decode_entities(value);
  }
  return {};
}

// What a tag does to the text.
enum class Effect { none, hides, breaks, item, quotes, cell, preformats, shows_image, rules, links, paragraph, line };

constexpr std::array<std::pair<std::string_view, Effect>, 33> kEffects{{
    {"script", Effect::hides},      {"style", Effect::hides},     {"title", Effect::hides},
    {"template", Effect::hides},    {"br", Effect::breaks},       {"li", Effect::item},
    {"blockquote", Effect::quotes}, {"td", Effect::cell},         {"th", Effect::cell},
    {"pre", Effect::preformats},    {"img", Effect::shows_image}, {"hr", Effect::rules},
    {"a", Effect::links},           {"p", Effect::paragraph},     {"h1", Effect::paragraph},
    {"h2", Effect::paragraph},      {"h3", Effect::paragraph},    {"h4", Effect::paragraph},
    {"h5", Effect::paragraph},      {"h6", Effect::paragraph},    {"table", Effect::paragraph},
    {"ul", Effect::paragraph},      {"ol", Effect::paragraph},    {"dl", Effect::paragraph},
    {"div", Effect::line},          {"tr", Effect::line},         {"section", Effect::line},
    {"article", Effect::line},      {"header", Effect::line},     {"footer", Effect::line},
    {"dt", Effect::line},           {"dd", Effect::line},         {"body", Effect::line},
}};

// The places of a table's rows by the first letter of their names, so that a tag is compared with few of them.
struct Letters {
  std::array<std::uint8_t, 26> count{};
  std::array<std::array<std::uint8_t, 12>, 26> rows{};
};

constexpr Letters letters_of(const decltype(kEffects)& effects) {
  Letters letters;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    const auto letter = static_cast<std::size_t>(effects[i].first[0] - 'a');
    letters.rows[letter][letters.count[letter]++] = static_cast<std::uint8_t>(i);
  }
  return letters;
}

Effect effect_of(std::string_view name) {
  static constexpr Letters letters = letters_of(kEffects);
  if (name.empty() || name[0] < 'a' || name[0] > 'z') return Effect::none;
  const auto letter = static_cast<std::size_t>(name[0] - 'a');
  for (std::size_t i = 0; i < letters.count[letter]; ++i) {
    const auto& [known, effect] = kEffects[letters.rows[letter][i]];
    if (known == name) return effect;
  }
  return Effect::none;
}

class Converter {
 public:
  explicit Converter(std::string_view html) : html_(html) {}

  std::string convert() {
    out_.reserve(html_.size() / 2);
    while (at_ < html_.size()) {
      if (html_[at_] == '<') {
        markup();
      } else {
        text();
      }
    }
    while (!out_.empty() && is_blank(out_.back())) out_.pop_back();
    return std::move(out_);
  }

 private:
  // A comment, a declaration, a tag, or a "<" that is none of them.
  void markup() {
    const std::string_view rest = html_.substr(at_);
    const char next = rest.size() > 1 ? rest[1] : '\0';
    if (next == '!' || next == '?') {
      const bool comment = rest.starts_with("<!--");
      skip_past(comment ? "-->" : ">", comment ? 4 : 2);
      return;
    }
    if (next != '/' && std::isalpha(static_cast<unsigned char>(next)) == 0) {
      put_word("<");
      ++at_;
      return;
    }
    tag();
  }

  void skip_past(std::string_view end, std::size_t from) {
    const std::size_t found = html_.find(end, at_ + from);
    at_ = found == std::string_view::npos ? html_.size() : found + end.size();
  }

  void tag() {
    Tag tag;
    std::size_t i = at_ + 1;
    if (i < html_.size() && html_[i] == '/') {
      tag.closing = true;
      ++i;
    }
    const std::size_t name = i;
    while (i < html_.size() && !is_blank(html_[i]) && html_[i] != '>' && html_[i] != '/') ++i;
    tag.name_size = std::min(i - name, tag.name.size());
    std::transform(html_.data() + name, html_.data() + name + tag.name_size, tag.name.begin(), lower_letter);
    const std::size_t from = i;
    i = end_of_tag(i);
    tag.attributes = html_.substr(from, i - from);
    at_ = std::min(i + 1, html_.size());
    const Effect effect = effect_of(tag.named());
    if (effect == Effect::hides) {
      if (!tag.closing) skip_element(tag.named());
    } else {
      apply(tag, effect);
    }
  }

  // Where its ">" stands, looked for from `i` on; the end of the page when there is none. One inside a quoted value
  // does not end the tag. Nothing is looked at twice: a page may be one long tag.
  std::size_t end_of_tag(std::size_t i) const {
    std::size_t close = html_.find('>', i);
    while (close != std::string_view::npos) {
      const std::size_t equals = html_.substr(0, close).find('=', i);
      if (equals == std::string_view::npos) return close;
      i = equals + 1;
      const char quote = html_[i];
      if (quote != '"' && quote != '\'') continue;
      const std::size_t end = html_.find(quote, i + 1);
      if (end == std::string_view::npos) break;
      i = end + 1;
      if (close < i) close = html_.find('>', i);
    }
    return html_.size();
  }

  // To behind the closing tag, whatever stands between.
  void skip_element(std::string_view name) {
    while (at_ < html_.size()) {
      const std::size_t open = html_.find("</", at_);
      if (open == std::string_view::npos) break;
      at_ = open + 2;
      if (is_named(html_.substr(at_, name.size()), name)) {
        skip_past(">", 0);
        return;
      }
    }
    at_ = html_.size();
  }

  void apply(const Tag& tag, Effect effect) {
    switch (effect) {
      case Effect::none:
      case Effect::hides:
        break;
      case Effect::breaks:
        line_break();
        break;
      case Effect::item:
        start_line();
        if (tag.closing) break;
        put("- ");
        space_pending_ = false;
        break;
      case Effect::quotes:
        start_line();
        quote_ = tag.closing ? std::max(0, quote_ - 1) : std::min(quote_ + 1, 20);
        break;
      case Effect::cell:
        if (!tag.closing && column_ > 0) space_pending_ = true;
        break;
      case Effect::preformats:
        start_line();
        preformatted_ = !tag.closing;
        break;
      case Effect::shows_image:
        if (!tag.closing) word(attribute(tag, "alt"));
        break;
      case Effect::rules:
        start_line();
        put("---");
        start_line();
        break;
      case Effect::links:
        link(tag);
        break;
      case Effect::paragraph:
        start_paragraph();
        break;
      case Effect::line:
        start_line();
        break;
    }
  }

  void link(const Tag& tag) {
    if (!tag.closing) {
      link_ = attribute(tag, "href");
      link_from_ = out_.size();
      return;
    }
    // The address behind the words, unless it is what the words say already.
    if ((link_.starts_with("http://") || link_.starts_with("https://")) &&
        out_.find(link_, std::min(link_from_, out_.size())) == std::string::npos) {
      word(" <" + link_ + ">");
    }
    link_.clear();
  }

  void text() {
    while (at_ < html_.size() && html_[at_] != '<') {
      const char c = html_[at_];
      if (c == '&') {
        std::string decoded;
        at_ += decode_entity(html_.substr(at_), decoded);
        put_word(decoded == "\xc2\xa0" ? " " : decoded);
      } else if (is_blank(c) && !preformatted_) {
        space_pending_ = true;
        ++at_;
      } else if (preformatted_ && (c == '\n' || c == '\r')) {
        if (c == '\n') line_break();
        ++at_;
      } else {
        const std::size_t end = end_of_run();
        put_word(html_.substr(at_, end - at_));
        at_ = end;
      }
    }
  }

  // Behind the characters from here on that go out as they stand: most of a mail. Words with one space between them do.
  std::size_t end_of_run() const {
    const Bytes& ends = preformatted_ ? kLineEnds : kWordEnds;
    std::size_t end = at_ + 1;
    const auto goes_on = [&](std::size_t at) {
      return at < html_.size() && !ends[static_cast<unsigned char>(html_[at])];
    };
    while (goes_on(end) || (!preformatted_ && end < html_.size() && html_[end] == ' ' && goes_on(end + 1))) ++end;
    return end;
  }

  void word(const std::string& words) {
    for (std::size_t i = 0; i < words.size();) {
      std::size_t end = i;
      while (end < words.size() && !is_blank(words[end])) ++end;
      if (end > i) put_word(std::string_view(words).substr(i, end - i));
      if (end < words.size()) space_pending_ = true;
      i = end + 1;
    }
  }

  void put_word(std::string_view piece) {
    if (piece == "\r") return;
    if (space_pending_ && column_ > 0 && out_.back() != ' ') put(" ");
    space_pending_ = false;
    put(piece);
  }

  void put(std::string_view piece) {
    if (column_ == 0) {
      for (int i = 0; i < quote_; ++i) out_ += "> ";
    }
    out_ += piece;
    ++column_;
  }

  void line_break() {
    while (!out_.empty() && out_.back() == ' ') out_.pop_back();
    out_ += "\n";
    column_ = 0;
    space_pending_ = false;
  }

  void start_line() {
    if (column_ > 0) line_break();
    space_pending_ = false;
  }

  void start_paragraph() {
    start_line();
    if (!out_.empty() && !out_.ends_with("\n\n")) out_ += "\n";
  }

  const std::string_view html_;
  std::size_t at_ = 0;
  std::string out_;
  std::size_t column_ = 0;  // pieces put on this line; 0: it has not begun
  bool space_pending_ = false;
  bool preformatted_ = false;
  int quote_ = 0;
  std::string link_;
  std::size_t link_from_ = 0;
};

}  // namespace

std::string text_from_html(std::string_view html) {
  return Converter(html).convert();
}

}  // namespace runtime
