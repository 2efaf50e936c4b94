#include "mime/transfer.h"

#include "mime/decoder.h"

namespace mime {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

}  // namespace

int hex_pair(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return -1;
  const int high = hex_digit(text[at]), low = hex_digit(text[at + 1]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

std::string decode_base64(std::string_view text) {
  return decode_transfer(text, "base64");
}

std::string decode_q(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '=' ? hex_pair(text, i + 1) : -1;
    if (byte >= 0) {
      out += static_cast<char>(static_cast<unsigned char>(byte));
      i += 2;
    } else {
      out += text[i] == '_' ? ' ' : text[i];
    }
  }
  return out;
}

std::string decode_percent(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int byte = text[i] == '%' ? hex_pair(text, i + 1) : -1;
    out += byte >= 0 ? static_cast<char>(static_cast<unsigned char>(byte)) : text[i];
    if (byte >= 0) i += 2;
  }
  return out;
}

std::string decode_transfer(std::string_view text, std::string_view encoding) {
  const std::unique_ptr<Decoder> decoder = make_decoder(encoding);
  std::string out;
  out.reserve(text.size());
  decoder->feed(text, out);
  decoder->finish(out);
  return out;
}

}  // namespace mime
