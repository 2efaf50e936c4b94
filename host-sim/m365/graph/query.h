// The query string of a Graph request, its options checked.
#ifndef HOST_SIM_M365_QUERY_H_
#define HOST_SIM_M365_QUERY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/graph/filter.h"

namespace embedded {

// $expand of a message: its attachments, its item, its extended properties.
struct Expand {
  bool attachments = false;
  bool item = false;                                          // microsoft.graph.itemattachment/item
  std::vector<std::string> property_ids, multi_property_ids;  // in their normal form
};

struct Query {
  std::optional<std::vector<std::string>> select;
  std::optional<std::string> filter, orderby, expand, search, skiptoken, deltatoken;
  std::optional<std::size_t> top, skip;
  bool count = false;
  std::optional<std::string> change_type;
  bool include_hidden_folders = false;
};

// Throws GraphError 400: an option that does not exist or is not offered here (`allowed`, a comma separated list of the
// names with their $), twice the same, a value of the wrong form; an OData option without its $.
Query parse_query(std::string_view raw, std::string_view allowed);

// Throws GraphError 400.
Expand parse_expand(std::string_view text);

struct OrderTerm {
  std::string property;
  bool descending = false;
};
std::vector<OrderTerm> parse_orderby(std::string_view text);

// graph-mail.md section 5: each $orderby property must stand in $filter, in the same order, before any other. Throws
// InefficientFilter otherwise.
void check_order_and_filter(const std::vector<OrderTerm>& order, const Filter& filter);

}  // namespace embedded

#endif  // HOST_SIM_M365_QUERY_H_
