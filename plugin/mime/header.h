// Header fields: unfolding, encoded words (RFC 2047), parameters (RFC 2045, RFC 2231). Tolerant: what is not as the
// RFCs have it is read as its writer most likely meant it. All texts that come out are well-formed UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mime {

/// Names compare without case (ASCII).
bool same_name(std::string_view a, std::string_view b);
std::string lower(std::string_view text);
std::string_view trim(std::string_view text);  ///< blanks, tabs, CR, LF at both ends

/// The name of the field that begins with this line (printable ASCII but ":"; RFC 5322, section 3.6.8); empty when none
/// does. Blanks before the colon are seen and tolerated.
std::string_view field_name(std::string_view line);

/// In wire order; values unfolded (line breaks gone, blanks kept), not decoded.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  const std::string* find(std::string_view name) const;  ///< the first, nullptr when absent
  std::string text(std::string_view name) const;  ///< the first, encoded words decoded, trimmed; empty when absent
  const std::vector<std::pair<std::string, std::string>>& all() const { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// Reads header fields from the start of `text` to the empty line or to the first line that is no header (an mbox "From
/// " line at the start is passed over). Returns where the body begins. At most `most` fields are kept.
std::size_t parse_headers(std::string_view text, Headers& headers, std::size_t most = 2'000);

/// Encoded words to UTF-8; blanks between two words go (RFC 2047, section 6.2), a character split over two words is put
/// together. Words that cannot be decoded stay as they are.
std::string decode_words(std::string_view value);

/// "text/plain; charset=utf-8": the value in lower case without comments, and its parameters, decoded.
struct ParameterisedValue {
  std::string value;
  std::vector<std::pair<std::string, std::string>> parameters;  ///< names in lower case, each once
  std::string parameter(std::string_view name) const;           ///< empty when absent
};
ParameterisedValue parse_parameterised(std::string_view text);

/// Message ids with their angle brackets ("<a@b>"), in order, from In-Reply-To or References (RFC 5322, section 3.6.4).
/// What has no brackets, is empty or has blanks inside is passed over.
std::vector<std::string> parse_message_ids(std::string_view text);

}  // namespace mime
