// One entity of a mail (RFC 2045, section 2.4): the mail itself, a part, a part of a part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "mime/header.h"

namespace mime {

struct Entity {
  ParameterisedValue content_type;  ///< "text/plain" when the header is missing or nonsense (RFC 2045, section 5.2)
  ParameterisedValue disposition;   ///< value empty when the header is missing
  std::string transfer_encoding;    ///< as the header has it
  std::string content_id;           ///< without angle brackets
  bool multipart = false;           ///< its parts follow it in the mail; it has no content of its own
  bool complete = false;            ///< the content was read to its end
  std::uint64_t size = 0;           ///< bytes of content so far, transfer encoding undone
  std::string start;                ///< the first of them, as many as were to be kept

  bool is(std::string_view media_type) const { return content_type.value == media_type; }
  bool whole() const { return complete && start.size() == size; }
  /// From Content-Disposition, else the name of the Content-Type; decoded, empty when there is none.
  std::string file_name() const;
  std::string text() const;  ///< `start` as UTF-8, for text/*
};

/// From the header fields of an entity; `default_type` where they tell no type.
Entity read_entity(std::string_view header_fields, const char* default_type);

}  // namespace mime
