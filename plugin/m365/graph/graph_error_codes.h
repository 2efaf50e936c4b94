// The table of graph-mail.md, section 16, as data.
#pragma once

#include <string_view>

#include "m365/graph/graph_errors.h"

namespace m365 {

/// The service's message text is left out on purpose: it can repeat parts of the request, so of a mail.
struct GraphCode {
  std::string_view code;
  Action action;
  mail::Cause cause;
  mail::Remedy remedy;
  std::string_view
      advice;  ///< follows "Could not read the folder of support@contoso.com: "; empty: made from the status
};

/// Without regard to case; nullptr when the code is not in the table.
const GraphCode* find_graph_code(std::string_view code);

/// What an unknown or missing code means by its status alone.
GraphCode code_for_status(int status);

}  // namespace m365
