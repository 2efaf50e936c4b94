// Links that Defender's Safe Links rewrote, and what they were (exchange-admin.md, section 9).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace m365 {

/// The original of a rewritten URL, also of one rewritten several times. Empty when `url` is not such a link, or when
/// its original cannot be read or is neither http, https nor mailto.
std::string safe_link_original(std::string_view url);

struct SafeLinks {
  bool rewritten = false;                                  ///< at least one rewritten link was seen, readable or not
  std::vector<std::pair<std::string, std::string>> links;  ///< shown, original; each pair once, at most 1,000
};

/// Finds them in a body; in html, character references in a URL are decoded first. The body stays as it is.
SafeLinks find_safe_links(std::string_view body, bool html);

}  // namespace m365
