#include "mime/decoder.h"

#include <array>
#include <cstddef>
#include <cstdint>

#include "mime/header.h"
#include "mime/transfer.h"

namespace mime {
namespace {

class Identity final : public Decoder {
 public:
  void feed(std::string_view text, std::string& out) override { out += text; }
  void finish(std::string&) override {}
};

constexpr std::array<std::int8_t, 256> make_base64_values() {
  std::array<std::int8_t, 256> values{};
  for (auto& value : values) value = -1;
  constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return values;
}
constexpr auto base64_values = make_base64_values();

// Written by hand: OpenSSL's EVP_DecodeBlock takes no line breaks, and mails have worse than those.
class Base64 final : public Decoder {
 public:
  void feed(std::string_view text, std::string& out) override {
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (count_ == 0) at += groups(text.substr(at), out);
      if (at < text.size()) one(text[at], out);
    }
  }
  void finish(std::string&) override {}

 private:
  static std::int32_t value(char c) { return base64_values[static_cast<unsigned char>(c)]; }

  // The groups of four without anything between that `text` begins with; how many characters they are.
  static std::size_t groups(std::string_view text, std::string& out) {
    std::size_t at = 0;
    for (; at + 4 <= text.size(); at += 4) {
      const std::int32_t a = value(text[at]), b = value(text[at + 1]), c = value(text[at + 2]), d = value(text[at + 3]);
      if ((a | b | c | d) < 0) break;
      const auto bits = static_cast<std::uint32_t>(a << 18 | b << 12 | c << 6 | d);
      const std::array<char, 3> bytes{static_cast<char>(bits >> 16 & 0xFFu), static_cast<char>(bits >> 8 & 0xFFu),
                                      static_cast<char>(bits & 0xFFu)};
      out.append(bytes.data(), bytes.size());
    }
    return at;
  }

  void one(char c, std::string& out) {
    if (c == '=') {  // padding ends a group; concatenated encodings go on after it
      bits_ = 0;
      count_ = 0;
      return;
    }
    const std::int32_t six = value(c);
    if (six < 0) return;
    bits_ = bits_ << 6 | static_cast<std::uint32_t>(six);
    if (++count_ == 1) return;
    const int spare = 6 - 2 * (count_ - 1);  // bits of this value that belong to the next byte
    out += static_cast<char>(static_cast<unsigned char>(bits_ >> spare));
    if (count_ == 4) {
      bits_ = 0;
      count_ = 0;
    } else {
      bits_ &= (1u << spare) - 1;
    }
  }

  std::uint32_t bits_ = 0;
  int count_ = 0;
};

bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

class QuotedPrintable final : public Decoder {
 public:
  void feed(std::string_view text, std::string& out) override {
    if (held_.empty()) {
      held_ = text.substr(decode(text, false, out));
      return;
    }
    held_ += text;
    held_.erase(0, decode(held_, false, out));
  }
  void finish(std::string& out) override {
    decode(held_, true, out);
    held_.clear();
  }

 private:
  // Blanks in a row that may turn out to be the end of a line; more of them are content.
  static constexpr std::size_t most_blanks = 1'000;

  // Returns how much of `text` is decided; all of it when it is the `last`.
  static std::size_t decode(std::string_view text, bool last, std::string& out) {
    std::size_t at = 0;
    while (at < text.size()) {
      const char c = text[at];
      if (c != '=' && !is_blank(c)) {
        out += c;
        ++at;
        continue;
      }
      const int byte = c == '=' ? hex_pair(text, at + 1) : -1;
      if (byte >= 0) {
        out += static_cast<char>(static_cast<unsigned char>(byte));
        at += 3;
        continue;
      }
      // A "=" or nothing, and blanks: before the end of a line the blanks were added in transport, and "=" takes the
      // line break away.
      const std::size_t blanks_at = c == '=' ? at + 1 : at;
      std::size_t end = blanks_at;
      while (end < text.size() && is_blank(text[end]) && end - blanks_at < most_blanks) ++end;
      const std::string_view rest = text.substr(end);
      const bool too_many = end - blanks_at == most_blanks;
      const bool at_break = !too_many && (rest.starts_with("\n") || rest.starts_with("\r\n"));
      const bool undecided = rest.empty() || rest == "\r" || (c == '=' && end == at + 1 && rest.size() == 1);
      if (!last && !too_many && !at_break && undecided) return at;
      if (at_break || (last && !too_many && rest.empty())) {
        at = end;
        if (c == '=' && at_break) at += rest.front() == '\r' ? 2 : 1;
      } else {
        out += text.substr(at, end - at);
        at = end;
      }
    }
    return at;
  }

  std::string held_;
};

class Uuencode final : public Decoder {
 public:
  void feed(std::string_view text, std::string& out) override {
    while (!text.empty() && !over_) {
      const std::size_t end = text.find('\n');
      const std::string_view piece = text.substr(0, end);
      line_ += piece.substr(0, longest_line - line_.size());
      if (end == std::string_view::npos) return;
      text = text.substr(end + 1);
      take_line(out);
    }
  }
  void finish(std::string& out) override {
    if (!line_.empty() && !over_) take_line(out);
  }

 private:
  // A line holds 63 bytes at most: nothing that is further behind counts.
  static constexpr std::size_t longest_line = 128;

  void take_line(std::string& out) {
    std::string_view line = line_;
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (!inside_) {
      inside_ = line.starts_with("begin ");
    } else if (line == "end" || line.empty()) {
      over_ = true;
    } else {
      append_bytes(line, out);
    }
    line_.clear();
  }

  static void append_bytes(std::string_view line, std::string& out) {
    const auto value = [line](std::size_t at) {
      return at < line.size() ? static_cast<std::uint32_t>(line[at] - ' ') & 63u : 0u;
    };
    const std::size_t count = value(0);
    std::string bytes;
    for (std::size_t at = 1; bytes.size() < count && at < line.size(); at += 4) {
      const std::uint32_t group = value(at) << 18 | value(at + 1) << 12 | value(at + 2) << 6 | value(at + 3);
      bytes += static_cast<char>(static_cast<unsigned char>(group >> 16));
      bytes += static_cast<char>(static_cast<unsigned char>(group >> 8));
      bytes += static_cast<char>(static_cast<unsigned char>(group));
    }
    out.append(bytes, 0, count);
  }

  std::string line_;
  bool inside_ = false, over_ = false;
};

}  // namespace

std::unique_ptr<Decoder> make_decoder(std::string_view encoding) {
  const std::string name = lower(trim(encoding));
  if (name == "base64") return std::make_unique<Base64>();
  if (name == "quoted-printable") return std::make_unique<QuotedPrintable>();
  if (name == "x-uuencode" || name == "uuencode" || name == "x-uue" || name == "uue") {
    return std::make_unique<Uuencode>();
  }
  return std::make_unique<Identity>();
}

}  // namespace mime
