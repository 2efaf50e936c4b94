// Content-Transfer-Encoding (RFC 2045, section 6) undone while the text flows by. Tolerant: what is no code is passed
// over. Holds some bytes of the text, never more than a kilobyte.
#pragma once

#include <memory>
#include <string>
#include <string_view>

namespace mime {

/// One text; its pieces may be cut anywhere.
class Decoder {
 public:
  virtual ~Decoder() = default;
  /// Appends what `text` stands for, as far as it is known before the next piece.
  virtual void feed(std::string_view text, std::string& out) = 0;
  /// The text is over: appends what was held back.
  virtual void finish(std::string& out) = 0;
};

/// `encoding` as the header has it, any case: base64, quoted-printable, x-uuencode (the first file between "begin" and
/// "end"). Unknown ones (and 7bit, 8bit, binary): the bytes as they stand.
std::unique_ptr<Decoder> make_decoder(std::string_view encoding);

}  // namespace mime
