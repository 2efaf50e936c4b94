// The tree of a mail (RFC 2046), read over a text that the caller keeps. Bounded in depth and parts, linear in time.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "mime/header.h"

namespace mime {

struct Limits {
  std::size_t depth = 30;     ///< deeper ones are leaves
  std::size_t parts = 1'000;  ///< of the whole tree; further ones are left out
};

/// A mail or a part of it. `raw` points into the text given to parse().
struct Entity {
  Headers headers;
  ParameterisedValue content_type;  ///< "text/plain" when the header is missing or nonsense (RFC 2045, section 5.2)
  ParameterisedValue disposition;   ///< value empty when the header is missing
  std::string_view raw;             ///< the body as transferred; of a multipart with everything in it
  std::vector<Entity> children;     ///< of a multipart, and the one mail inside a message/rfc822

  bool is(std::string_view media_type) const { return content_type.value == media_type; }
  bool is_multipart() const { return content_type.value.starts_with("multipart/"); }
  /// From Content-Disposition, else the name of the Content-Type; decoded, empty when there is none.
  std::string file_name() const;
  std::string content_id() const;  ///< without angle brackets
  std::string bytes() const;       ///< transfer encoding undone
  std::string text() const;        ///< bytes() as UTF-8, for text/*
};

Entity parse(std::string_view text, Limits limits = {});

/// The entities of the tree in the order of the text, `root` first; `into_messages`: also those of mails inside.
std::vector<const Entity*> walk(const Entity& root, bool into_messages = true);

/// The first of this media type, nullptr when there is none.
const Entity* find_type(const Entity& root, std::string_view media_type);

}  // namespace mime
