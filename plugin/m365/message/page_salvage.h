// What can still be told of a page that is not readable JSON.
#pragma once

#include <string>
#include <string_view>

namespace m365 {

struct Salvage {
  std::string id;                     ///< of the first message
  std::string next_link, delta_link;  ///< at most one is not empty
};

/// Looks for the members as they stand in the text. Inside a mail's own text every quote is escaped, so that it cannot
/// pass for one of them.
Salvage salvage(std::string_view page);

}  // namespace m365
