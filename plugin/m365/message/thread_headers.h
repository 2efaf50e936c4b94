#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace m365 {

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// The first value of this name (any case), nullptr when absent.
const std::string* find_header(const HeaderList& headers, std::string_view name);

/// In-Reply-To (its first id, empty when none) and References (all fields of that name, in order, each id once, at most
/// 1,000); ids with their angle brackets, invalid ones passed over (RFC 5322, section 3.6.4).
std::string in_reply_to(const HeaderList& headers);
std::vector<std::string> references(const HeaderList& headers);

}  // namespace m365
