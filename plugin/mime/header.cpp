#include "mime/header.h"

#include <algorithm>

#include "mime/charset.h"
#include "mime/transfer.h"

namespace mime {
namespace {

char lower_char(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}
bool blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct Word {
  std::string_view charset, text;
  bool base64 = false;
  std::size_t end = 0;  // behind "?="
};

// The encoded word that begins at `at`. `last_end` is where the last "?=" of the value stands: behind it no word ends,
// and nobody looks for it again and again.
bool read_word(std::string_view value, std::size_t at, std::size_t last_end, Word& word) {
  if (value.substr(at, 2) != "=?") return false;
  const std::size_t charset_end = value.find('?', at + 2);
  // Names are short; a bound keeps a row of "=?" from costing its square.
  if (charset_end == std::string_view::npos || charset_end - at > 60 || charset_end + 2 >= value.size()) return false;
  const char encoding = lower_char(value[charset_end + 1]);
  if ((encoding != 'b' && encoding != 'q') || value[charset_end + 2] != '?') return false;
  const std::size_t text_at = charset_end + 3;
  // Longer words than the 75 of the RFC are real; a word does not reach into the next one.
  if (last_end == std::string_view::npos || text_at > last_end) return false;
  const std::size_t end = value.find("?=", text_at);
  word.charset = value.substr(at + 2, charset_end - at - 2);
  word.charset = word.charset.substr(0, word.charset.find('*'));  // RFC 2231, section 5: language
  word.text = value.substr(text_at, end - text_at);
  word.base64 = encoding == 'b';
  word.end = end + 2;
  return !word.charset.empty();
}

// One parameter as it stood: "filename*1*" -> name filename, section 1, extended.
struct Piece {
  std::string name, value;
  int section = -1;  // -1: not numbered
  bool extended = false;
};

void split_name(Piece& piece) {
  std::string& name = piece.name;
  if (name.ends_with('*')) {
    piece.extended = true;
    name.pop_back();
  }
  const std::size_t star = name.rfind('*');
  if (star == std::string::npos || star + 1 == name.size() || name.size() - star > 4) return;
  int section = 0;
  for (std::size_t i = star + 1; i < name.size(); ++i) {
    if (name[i] < '0' || name[i] > '9') return;
    section = section * 10 + (name[i] - '0');
  }
  piece.section = section;
  name.resize(star);
}

std::size_t skip_comment(std::string_view text, std::size_t at) {
  int depth = 0;
  for (; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '(') {
      ++depth;
    } else if (text[at] == ')' && --depth == 0) {
      return at + 1;
    }
  }
  return text.size();
}

// From behind "=": a quoted string, or everything up to ";".
std::string read_value(std::string_view text, std::size_t& at, bool is_file_name) {
  while (at < text.size() && blank(text[at])) ++at;
  std::string value;
  if (at < text.size() && text[at] == '"') {
    for (++at; at < text.size() && text[at] != '"'; ++at) {
      // Only what must be escaped: "C:\temp" is meant as it stands.
      if (text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '"' || text[at + 1] == '\\')) ++at;
      value += text[at];
    }
    at = std::min(text.find(';', at), text.size());
    return value;
  }
  const std::size_t end = std::min(text.find(';', at), text.size());
  std::string_view raw = trim(text.substr(at, end - at));
  if (!is_file_name) raw = raw.substr(0, raw.find_first_of(" \t("));  // a comment; file names have blanks
  at = end;
  return std::string(raw);
}

std::vector<Piece> read_pieces(std::string_view text, std::size_t at) {
  std::vector<Piece> pieces;
  constexpr std::size_t most = 200;
  while (at < text.size() && pieces.size() < most) {
    if (text[at] == ';' || blank(text[at])) {
      ++at;
      continue;
    }
    if (text[at] == '(') {
      at = skip_comment(text, at);
      continue;
    }
    const std::size_t equals = text.find_first_of("=;", at);
    if (equals == std::string_view::npos) break;
    if (text[equals] == ';') {
      at = equals + 1;
      continue;
    }
    Piece piece;
    piece.name = to_utf8(mime::lower(trim(text.substr(at, equals - at))), {});
    at = equals + 1;
    piece.value = read_value(text, at, piece.name.starts_with("filename") || piece.name.starts_with("name"));
    split_name(piece);
    if (!piece.name.empty()) pieces.push_back(std::move(piece));
  }
  return pieces;
}

// RFC 2231: sections in their order, charset'language'text in the first; else RFC 2047 where it is not allowed and
// common.
std::string join(std::vector<const Piece*> pieces) {
  if (pieces.size() == 1 && !pieces[0]->extended && pieces[0]->section < 0) return decode_words(pieces[0]->value);
  std::stable_sort(pieces.begin(), pieces.end(),
                   [](const Piece* a, const Piece* b) { return a->section < b->section; });
  std::string charset, bytes;
  int last = -2;
  for (const Piece* piece : pieces) {
    if (piece->section >= 0 && piece->section == last) continue;  // twice the same
    std::string_view value = piece->value;
    if (piece->extended && last == -2) {
      const std::size_t first = value.find('\''),
                        second = value.find('\'', first == std::string_view::npos ? first : first + 1);
      if (second != std::string_view::npos) {
        charset = value.substr(0, first);
        value = value.substr(second + 1);
      }
    }
    bytes += piece->extended ? decode_percent(value) : std::string(value);
    last = piece->section;
  }
  return to_utf8(bytes, charset);
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower_char(x) == lower_char(y); });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = lower_char(c);
  return out;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::string_view field_name(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return {};
  std::string_view name = line.substr(0, colon);
  while (!name.empty() && (name.back() == ' ' || name.back() == '\t')) name.remove_suffix(1);
  const bool good = std::all_of(name.begin(), name.end(), [](char c) { return c > 32 && c < 127; });
  return good ? name : std::string_view();
}

const std::string* Headers::find(std::string_view name) const {
  for (const auto& [known, value] : fields_) {
    if (same_name(known, name)) return &value;
  }
  return nullptr;
}

std::string Headers::text(std::string_view name) const {
  const std::string* value = find(name);
  return value ? decode_words(trim(*value)) : std::string();
}

std::size_t parse_headers(std::string_view text, Headers& headers, std::size_t most) {
  std::size_t at = 0;
  std::string name, value;
  std::size_t kept = 0;
  const auto finish = [&] {
    if (!name.empty() && kept < most) {
      // A CR by itself ends no line here, but it may for whoever gets the value.
      std::replace(value.begin(), value.end(), '\r', ' ');
      headers.add(std::move(name), std::move(value));
      ++kept;
    }
    name.clear();
    value.clear();
  };
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const std::size_t next = std::min(end + 1, text.size());
    if (line.empty()) {
      finish();
      return next;
    }
    if (line.front() == ' ' || line.front() == '\t') {
      if (!name.empty()) value += line;
    } else if (const std::string_view found = field_name(line); !found.empty()) {
      finish();
      name = found;
      value = line.substr(line.find(':') + 1);
      if (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.erase(0, 1);
    } else if (at == 0 && (line.starts_with("From ") || line.starts_with(">From "))) {
      // mbox
    } else {
      finish();
      return at;  // no header: the body begins without an empty line
    }
    at = next;
  }
  finish();
  return text.size();
}

std::string decode_words(std::string_view value) {
  if (value.find("=?") == std::string_view::npos) return to_utf8(value, {});
  std::string out;
  std::string pending, pending_charset;  // bytes of adjacent words of one charset: a character may be split over two
  const auto flush = [&] {
    if (!pending.empty()) out += to_utf8(pending, pending_charset);
    pending.clear();
  };
  std::size_t at = 0, plain = 0;
  bool after_word = false;
  const std::size_t last_end = value.rfind("?=");
  while (at < value.size()) {
    Word word;
    if (value[at] != '=' || !read_word(value, at, last_end, word)) {
      at = std::min(value.find("=?", at + 1), value.size());
      continue;
    }
    const std::string_view between = value.substr(plain, at - plain);
    if (!after_word || !trim(between).empty()) {
      flush();
      out += to_utf8(between, {});
    }
    const std::string charset = lower(word.charset);
    if (charset != pending_charset) flush();
    pending_charset = charset;
    pending += word.base64 ? decode_base64(word.text) : decode_q(word.text);
    after_word = true;
    at = plain = word.end;
  }
  flush();
  out += to_utf8(value.substr(plain), {});
  return out;
}

std::string ParameterisedValue::parameter(std::string_view name) const {
  for (const auto& [known, value] : parameters) {
    if (known == name) return value;
  }
  return {};
}

ParameterisedValue parse_parameterised(std::string_view text) {
  ParameterisedValue result;
  const std::size_t end = std::min(text.find(';'), text.size());
  std::string_view value = text.substr(0, end);
  value = value.substr(0, value.find('('));
  for (const char c : value) {
    if (!blank(c) && c != '"') result.value += lower_char(c);
  }
  result.value = to_utf8(result.value, {});
  const std::vector<Piece> pieces = read_pieces(text, end);
  for (const Piece& piece : pieces) {
    if (!result.parameter(piece.name).empty()) continue;
    std::vector<const Piece*> plain, numbered, extended;
    for (const Piece& other : pieces) {
      if (other.name != piece.name) continue;
      (other.section >= 0 ? numbered : other.extended ? extended : plain).push_back(&other);
    }
    // The extended forms are the newer ones: who writes both means them (RFC 6266, section 4.3).
    std::string joined;
    if (!extended.empty()) {
      joined = join({extended[0]});
    } else if (!numbered.empty()) {
      joined = join(numbered);
    } else {
      joined = join({plain[0]});
    }
    if (!joined.empty()) result.parameters.emplace_back(piece.name, std::move(joined));
  }
  return result;
}

std::vector<std::string> parse_message_ids(std::string_view text) {
  std::vector<std::string> ids;
  std::size_t at = 0;
  while ((at = text.find('<', at)) != std::string_view::npos) {
    const std::size_t end = text.find_first_of("<> \t\r\n", at + 1);
    if (end == std::string_view::npos) break;
    if (text[end] == '>' && end > at + 1) ids.emplace_back(repair_utf8(text.substr(at, end + 1 - at)));
    at = text[end] == '<' ? end : end + 1;
  }
  return ids;
}

}  // namespace mime
