#include "m365/mime/mime_header.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <memory>

#include "m365/mime/text.h"

namespace embedded {
namespace {

// Names under which mail programs send a charset that iconv knows by another, or that in truth hold a superset.
std::string iconv_name(std::string_view charset) {
  struct Alias {
    std::string_view mail, iconv;
  };
  static constexpr std::array<Alias, 14> aliases = {{{"iso-8859-1", "windows-1252"},
                                                     {"latin1", "windows-1252"},
                                                     {"iso-8859-8-i", "iso-8859-8"},
                                                     {"ks_c_5601-1987", "cp949"},
                                                     {"ks_c_5601", "cp949"},
                                                     {"euc-kr", "cp949"},
                                                     {"gb2312", "gb18030"},
                                                     {"gbk", "gb18030"},
                                                     {"x-gbk", "gb18030"},
                                                     {"shift_jis", "cp932"},
                                                     {"x-sjis", "cp932"},
                                                     {"unicode-1-1-utf-7", "utf-7"},
                                                     {"unicode-1-1-utf-8", "utf-8"},
                                                     {"big5", "cp950"}}};
  const std::string name = lower(trim(charset));
  for (const auto& alias : aliases) {
    if (alias.mail == name) return std::string(alias.iconv);
  }
  return name;
}

std::string decode_q(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') {
      out += ' ';
    } else if (text[i] == '=' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

// Base64 of a header word: broken padding and stray characters are common, what can be read is.
std::string decode_b(std::string_view text) {
  std::string clean;
  for (const char c : text) {
    const bool symbol =
        (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
    if (symbol) clean += c;
  }
  if (clean.size() % 4 == 1) clean.pop_back();
  clean.append((4 - clean.size() % 4) % 4, '=');
  return base64_decode(clean).value_or(std::string());
}

struct EncodedWord {
  std::string charset, bytes;
  std::size_t end = 0;
};

// The encoded word that begins at `at`, if one does.
std::optional<EncodedWord> encoded_word(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) != "=?") return std::nullopt;
  const auto charset_end = text.find('?', at + 2);
  if (charset_end == std::string_view::npos || charset_end + 2 >= text.size() || text[charset_end + 2] != '?') {
    return std::nullopt;
  }
  const auto end = text.find("?=", charset_end + 3);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view charset = text.substr(at + 2, charset_end - at - 2);
  if (charset.empty() || charset.find_first_of(" \t\r\n") != std::string_view::npos) return std::nullopt;
  charset = charset.substr(0, charset.find('*'));  // RFC 2231 section 5: a language may follow
  const auto body = text.substr(charset_end + 3, end - charset_end - 3);
  EncodedWord word;
  word.charset = lower(charset);
  word.end = end + 2;
  switch (text[charset_end + 1]) {
    case 'q':
    case 'Q':
      word.bytes = decode_q(body);
      return word;
    case 'b':
    case 'B':
      word.bytes = decode_b(body);
      return word;
    default:
      return std::nullopt;
  }
}

// One pass over an address list; see parse_addresses.
class AddressReader {
 public:
  explicit AddressReader(std::string_view text) : text_(text) {}

  std::vector<Address> read() {
    while (at_ < text_.size()) {
      step(text_[at_]);
    }
    finish();
    return std::move(found_);
  }

 private:
  void step(char c) {
    switch (c) {
      case '"':
        quoted();
        return;
      case '(':
        comment();
        return;
      case '<':
        angle();
        return;
      case ',':
      case ';':
        finish();
        ++at_;
        return;
      case ':':
        // "group name:" opens a group, whose members follow; a colon without a name before it is dropped.
        phrase_.clear();
        ++at_;
        return;
      default:
        phrase_ += c;
        ++at_;
    }
  }

  void quoted() {
    std::string text;
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      text += text_[at_];
    }
    if (at_ < text_.size()) ++at_;
    // A quoted local part ("a b"@host) keeps its quotes; a quoted name loses them.
    if (at_ < text_.size() && text_[at_] == '@') {
      phrase_ += '"' + text + '"';
    } else {
      phrase_ += text;
      was_quoted_ = true;
    }
  }

  void comment() {
    int depth = 0;
    std::string text;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '\\' && at_ + 1 < text_.size()) {
        text += text_[++at_];
      } else if (c == '(') {
        if (depth++ > 0) text += c;
      } else if (c == ')') {
        if (--depth == 0) {
          ++at_;
          break;
        }
        text += c;
      } else {
        text += c;
      }
    }
    if (comment_.empty()) comment_ = text;
  }

  void angle() {
    const auto end = text_.find('>', at_);
    std::string_view inside = text_.substr(at_ + 1, end == std::string_view::npos ? end : end - at_ - 1);
    if (!inside.empty() && inside[0] == '@') {  // an old source route
      const auto colon = inside.find(':');
      if (colon != std::string_view::npos) inside.remove_prefix(colon + 1);
    }
    address_ = std::string(trim(inside));
    has_angle_ = true;
    at_ = end == std::string_view::npos ? text_.size() : end + 1;
  }

  void finish() {
    const std::string phrase(trim(phrase_));
    if (has_angle_) {
      if (!address_.empty() || !phrase.empty()) found_.push_back({decode_words(phrase), to_utf8(address_)});
    } else if (!phrase.empty()) {
      const bool looks_like_address = phrase.find('@') != std::string::npos;
      // A bare name without an address stays a name (graph-mail.md section 3: an address may be absent).
      found_.push_back(looks_like_address ? Address{decode_words(trim(comment_)), to_utf8(phrase)}
                                          : Address{decode_words(phrase), {}});
    }
    phrase_.clear();
    comment_.clear();
    address_.clear();
    has_angle_ = false;
    was_quoted_ = false;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string phrase_, comment_, address_;
  bool has_angle_ = false, was_quoted_ = false;
  std::vector<Address> found_;
};

// Splits "a; b=c; d="e;f"" at the semicolons outside quotes.
std::vector<std::string> split_parameters(std::string_view value) {
  std::vector<std::string> parts;
  std::string part;
  bool quoted = false;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    if (quoted && c == '\\' && i + 1 < value.size()) {
      part += c;
      part += value[++i];
    } else if (c == ';' && !quoted) {
      parts.push_back(std::move(part));
      part.clear();
    } else {
      if (c == '"') quoted = !quoted;
      part += c;
    }
  }
  parts.push_back(std::move(part));
  return parts;
}

std::string unquote(std::string_view text) {
  text = trim(text);
  if (text.empty() || text[0] != '"') return std::string(text);
  std::string out;
  for (std::size_t i = 1; i < text.size() && text[i] != '"'; ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    out += text[i];
  }
  return out;
}

struct Piece {
  std::string text;
  bool extended = false;
};

std::string assemble(const std::map<int, Piece>& pieces) {
  std::string bytes;
  std::string charset;
  bool extended = false;
  for (const auto& [index, piece] : pieces) {
    std::string_view text = piece.text;
    if (piece.extended) {
      extended = true;
      if (index == 0) {  // charset'language'value
        const auto first = text.find('\'');
        const auto second = first == std::string_view::npos ? first : text.find('\'', first + 1);
        if (second != std::string_view::npos) {
          charset = std::string(text.substr(0, first));
          text.remove_prefix(second + 1);
        }
      }
      bytes += percent_decode(text);
    } else {
      bytes += text;
    }
  }
  if (extended) return charset.empty() ? to_utf8(bytes) : charset_to_utf8(bytes, charset);
  return decode_words(bytes);
}

}  // namespace

const std::string* HeaderBlock::find(std::string_view name) const {
  for (const auto& field : fields) {
    if (equal_ignoring_case(field.first, name)) return &field.second;
  }
  return nullptr;
}

HeaderBlock read_header_block(std::string_view text) {
  HeaderBlock block;
  std::size_t at = 0;
  bool first = true;
  while (at < text.size()) {
    const auto end = text.find('\n', at);
    const auto next = end == std::string_view::npos ? text.size() : end + 1;
    std::string_view line = text.substr(at, (end == std::string_view::npos ? text.size() : end) - at);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty()) {
      at = next;
      break;
    }
    if ((line[0] == ' ' || line[0] == '\t') && !block.fields.empty()) {
      // Unfolding drops the line end only (RFC 5322 2.2.3); a tab reads as a blank, as the service shows it.
      auto& value = block.fields.back().second;
      if (!value.empty()) value += ' ';
      value += trim(line);
    } else {
      const auto colon = line.find(':');
      const bool mbox = first && (line.substr(0, 5) == "From " || line.substr(0, 6) == ">From ");
      if (!mbox) {
        const auto name = colon == std::string_view::npos ? std::string_view() : trim(line.substr(0, colon));
        const bool field = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
          return static_cast<unsigned char>(c) > 32 && static_cast<unsigned char>(c) < 127;
        });
        if (!field) {
          // Garbage between fields is skipped while fields follow; otherwise the body has begun.
          const auto rest = text.substr(next);
          if (first && std::min(rest.find("\n\n"), rest.find("\n\r\n")) == std::string_view::npos) break;
          at = next;
          first = false;
          continue;
        }
        block.fields.emplace_back(name, trim(line.substr(colon + 1)));
      }
    }
    first = false;
    at = next;
  }
  block.body = at;
  return block;
}

std::string charset_to_utf8(std::string_view bytes, std::string_view charset) {
  const std::string name = iconv_name(charset);
  if (name.empty() || name == "us-ascii" || name == "ascii" || name == "utf-8" || name == "utf8") {
    if (name.substr(0, 3) != "utf" || is_utf8(bytes)) return to_utf8(bytes);
  }
  struct Closer {
    void operator()(void* handle) const { iconv_close(handle); }
  };
  const iconv_t opened = iconv_open("UTF-8", name.c_str());
  if (opened == reinterpret_cast<iconv_t>(-1)) return to_utf8(bytes);
  const std::unique_ptr<void, Closer> handle(opened);
  std::string out;
  std::array<char, 4096> buffer{};
  char* in = const_cast<char*>(bytes.data());
  std::size_t left = bytes.size();
  for (bool flush = false;;) {
    char* to = buffer.data();
    std::size_t room = buffer.size();
    const std::size_t result =
        flush ? iconv(handle.get(), nullptr, nullptr, &to, &room) : iconv(handle.get(), &in, &left, &to, &room);
    const int error = errno;
    out.append(buffer.data(), buffer.size() - room);
    if (result != static_cast<std::size_t>(-1)) {
      if (flush) break;
      flush = true;
    } else if (error != E2BIG) {  // EILSEQ, EINVAL: a byte that does not fit, or a cut character at the end
      out += "\xEF\xBF\xBD";
      if (flush || left <= 1) {
        if (flush) break;
        flush = true;
        left = 0;
        continue;
      }
      ++in;
      --left;
    }
  }
  return is_utf8(out) ? out : to_utf8(bytes);
}

std::string decode_words(std::string_view value) {
  std::string out;
  std::string bytes;  // of neighbouring words of one charset
  std::string charset;
  const auto flush = [&] {
    if (!bytes.empty()) out += charset_to_utf8(bytes, charset);
    bytes.clear();
    charset.clear();
  };
  std::size_t plain = 0;  // where the text that is no word began
  std::size_t at = 0;
  while (at < value.size()) {
    const auto word = encoded_word(value, at);
    if (!word) {
      ++at;
      continue;
    }
    const auto between = value.substr(plain, at - plain);
    const bool neighbours = !charset.empty() && trim(between).empty();
    if (!neighbours) {
      flush();
      out += to_utf8(between);
    } else if (charset != word->charset) {
      flush();
    }
    charset = word->charset;
    bytes += word->bytes;
    at = plain = word->end;
  }
  const bool after_word = !charset.empty();
  flush();
  const auto rest = value.substr(plain);
  if (!(after_word && trim(rest).empty())) out += to_utf8(rest);
  // No control characters in what becomes a JSON text of one line.
  std::string clean;
  for (const char c : out) {
    if (static_cast<unsigned char>(c) >= 0x20) {
      clean += c;
    } else if (c == '\t' || c == '\n') {
      clean += ' ';
    }
  }
  return clean;
}

std::vector<Address> parse_addresses(std::string_view value) {
  return AddressReader(value).read();
}

Parameterised parse_parameters(std::string_view value) {
  Parameterised result;
  const auto parts = split_parameters(value);
  result.value = lower(trim(parts.front()));
  result.value = to_utf8(result.value.substr(0, result.value.find_first_of(" \t(")));
  std::map<std::string, std::map<int, Piece>> pieces;
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const auto equals = parts[i].find('=');
    if (equals == std::string::npos) continue;
    std::string name = lower(trim(std::string_view(parts[i]).substr(0, equals)));
    Piece piece{unquote(std::string_view(parts[i]).substr(equals + 1)), false};
    if (!name.empty() && name.back() == '*') {
      piece.extended = true;
      name.pop_back();
    }
    int index = 0;
    if (const auto star = name.rfind('*'); star != std::string::npos) {
      const auto digits = std::string_view(name).substr(star + 1);
      if (std::from_chars(digits.data(), digits.data() + digits.size(), index).ec != std::errc()) continue;
      name.erase(star);
    }
    // A name* beside a plain name wins (RFC 6266 4.3 says it for HTTP, mail programs do the same).
    auto& slot = pieces[name];
    const auto present = slot.find(index);
    if (present == slot.end() || (piece.extended && !present->second.extended)) slot[index] = std::move(piece);
  }
  for (const auto& [name, parts_of] : pieces) result.parameters[name] = assemble(parts_of);
  return result;
}

std::vector<std::string> message_ids(std::string_view value) {
  std::vector<std::string> ids;
  for (;;) {
    const auto start = value.find('<');
    const auto end = start == std::string_view::npos ? start : value.find('>', start);
    if (end == std::string_view::npos) return ids;
    ids.emplace_back(value.substr(start, end - start + 1));
    value.remove_prefix(end + 1);
  }
}

}  // namespace embedded
