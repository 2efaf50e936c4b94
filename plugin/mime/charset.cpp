#include "mime/charset.h"

#include <iconv.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace mime {
namespace {

constexpr std::string_view replacement = "\xEF\xBF\xBD";  // U+FFFD

// Length of the well-formed sequence at `at` (RFC 3629, section 4), 0 when there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  const std::size_t left = text.size() - at;
  const auto tail = [&](std::size_t count) {
    if (left <= count) return false;
    for (std::size_t i = 1; i <= count; ++i) {
      if ((byte(i) & 0xC0) != 0x80) return false;
    }
    return true;
  };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return tail(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (!tail(2)) return 0;
    if (first == 0xE0 && byte(1) < 0xA0) return 0;  // overlong
    if (first == 0xED && byte(1) > 0x9F) return 0;  // surrogate
    return 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (!tail(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0;
    if (first == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

std::string lower_name(std::string_view charset) {
  std::string name;
  for (const char c : charset) {
    if (c == '"' || c == '\'' || c == ' ' || c == '\t' || c == '\r' || c == '\n') continue;
    name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return name;
}

// What mails call a charset, and what iconv has to be asked for. Those declared as the small set are sent with the
// characters of the large one (the Encoding Standard of WHATWG maps them alike).
std::string iconv_name(std::string_view charset) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 17> names{{
      {"iso-8859-1", "WINDOWS-1252"},
      {"iso8859-1", "WINDOWS-1252"},
      {"latin1", "WINDOWS-1252"},
      {"latin-1", "WINDOWS-1252"},
      {"iso-8859-9", "WINDOWS-1254"},
      {"ks_c_5601-1987", "CP949"},
      {"ks_c_5601", "CP949"},
      {"euc-kr", "CP949"},
      {"gb2312", "GB18030"},
      {"gbk", "GB18030"},
      {"shift_jis", "CP932"},
      {"shift-jis", "CP932"},
      {"x-sjis", "CP932"},
      {"big5", "BIG5-HKSCS"},
      {"iso-8859-8-i", "ISO-8859-8"},
      {"unicode-1-1-utf-7", "UTF-7"},
      {"iso-2022-jp", "ISO-2022-JP-3"},
  }};
  const std::string name = lower_name(charset);
  for (const auto& [known, wanted] : names) {
    if (name == known) return std::string(wanted);
  }
  return name;
}

// Only names out of characters that charset names are made of reach iconv: it takes "//" options and file paths.
bool plausible(std::string_view name) {
  return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':' || c == '+';
  });
}

class Converter {
 public:
  explicit Converter(const std::string& from) : handle_(iconv_open("UTF-8", from.c_str())) {}
  ~Converter() {
    if (valid()) iconv_close(handle_);
  }
  Converter(const Converter&) = delete;
  Converter& operator=(const Converter&) = delete;
  bool valid() const { return handle_ != reinterpret_cast<iconv_t>(-1); }

  std::string convert(std::string_view bytes) {
    std::string out;
    out.reserve(bytes.size() + bytes.size() / 2);
    std::array<char, 4096> block;
    char* in = const_cast<char*>(bytes.data());  // iconv's signature; it does not write there
    std::size_t left = bytes.size();
    while (left > 0) {
      char* to = block.data();
      std::size_t room = block.size();
      const std::size_t result = iconv(handle_, &in, &left, &to, &room);
      const int error = errno;
      out.append(block.data(), block.size() - room);
      if (result != static_cast<std::size_t>(-1)) break;
      if (error == E2BIG) continue;
      out += replacement;  // EILSEQ: skip one byte; EINVAL: cut at the end
      if (error != EILSEQ || left == 0) break;
      ++in;
      --left;
    }
    // Shift states (ISO-2022, UTF-7) may hold back a last character.
    char* to = block.data();
    std::size_t room = block.size();
    iconv(handle_, nullptr, nullptr, &to, &room);
    out.append(block.data(), block.size() - room);
    return out;
  }

 private:
  iconv_t handle_;
};

}  // namespace

bool is_utf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = sequence_length(bytes, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

std::string repair_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for (std::size_t at = 0; at < bytes.size();) {
    const std::size_t length = sequence_length(bytes, at);
    if (length == 0) {
      out += replacement;
      ++at;
    } else {
      out.append(bytes, at, length);
      at += length;
    }
  }
  return out;
}

std::string to_utf8(std::string_view bytes, std::string_view charset) {
  const std::string name = iconv_name(charset);
  if (name == "utf-8" || name == "utf8") return repair_utf8(bytes);
  if (name == "us-ascii" || name == "ascii" || !plausible(name)) {
    // 8-bit text without a charset or with the wrong one is common; UTF-8 is recognised by itself.
    return is_utf8(bytes) ? std::string(bytes) : Converter("WINDOWS-1252").convert(bytes);
  }
  Converter converter(name);
  if (!converter.valid()) return to_utf8(bytes, {});
  return repair_utf8(converter.convert(bytes));
}

}  // namespace mime
