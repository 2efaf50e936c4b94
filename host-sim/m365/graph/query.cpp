#include "m365/graph/query.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "m365/graph/graph_error.h"
#include "m365/graph/properties.h"
#include "m365/mime/text.h"
#include "m365/server/http.h"

namespace embedded {
namespace {

std::size_t parse_count(const std::string& name, const std::string& value, std::size_t low, std::size_t high) {
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (value.empty() || error != std::errc() || end != value.data() + value.size() || number < low || number > high) {
    throw bad_request("Invalid value '" + value + "' for " + name + " query option found. The " + name +
                      " query option requires an integer from " + std::to_string(low) + " to " + std::to_string(high) +
                      ".");
  }
  return number;
}

std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> items;
  for (const auto& part : split(text, ',')) items.emplace_back(trim(part));
  return items;
}

bool is_option_name(std::string_view name) {
  for (const std::string_view known : {"select", "filter", "orderby", "expand", "top", "skip", "count", "search",
                                       "skiptoken", "deltatoken", "format"}) {
    if (equal_ignoring_case(name, known)) return true;
  }
  return false;
}

// Splits at commas that stand outside parentheses and quotes.
std::vector<std::string> split_outer(std::string_view text) {
  std::vector<std::string> parts(1);
  int depth = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '\'') quoted = !quoted;
    if (!quoted && c == '(') ++depth;
    if (!quoted && c == ')') --depth;
    if (!quoted && depth == 0 && c == ',') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  if (depth != 0 || quoted) throw bad_request("The $expand query option has unbalanced parentheses or quotes.");
  return parts;
}

}  // namespace

Query parse_query(std::string_view raw, std::string_view allowed) {
  Query query;
  std::set<std::string> seen;
  const auto allowed_names = list_of(allowed);
  for (const auto& [given, value] : parse_form(raw, true)) {
    const std::string name = lower(given);
    if (name.empty()) continue;
    if (name[0] != '$') {
      if (is_option_name(name)) {
        throw bad_request("The query parameter '" + given + "' is not supported; write it as '$" + given + "'.");
      }
      if (std::find(allowed_names.begin(), allowed_names.end(), name) == allowed_names.end())
        continue;  // custom: ignored
      if (name == "changetype") {
        query.change_type = lower(value);
        if (*query.change_type != "created" && *query.change_type != "updated" && *query.change_type != "deleted") {
          throw bad_request("Invalid value '" + value + "' for changeType.");
        }
      } else if (name == "includehiddenfolders") {
        if (!equal_ignoring_case(value, "true") && !equal_ignoring_case(value, "false")) {
          throw bad_request("Invalid value '" + value + "' for includeHiddenFolders.");
        }
        query.include_hidden_folders = equal_ignoring_case(value, "true");
      }
      continue;
    }
    if (!is_option_name(std::string_view(name).substr(1))) {
      throw bad_request("The query parameter '" + given + "' is not supported.");
    }
    if (std::find(allowed_names.begin(), allowed_names.end(), name) == allowed_names.end()) {
      throw bad_request("The query specified in the URI is not valid. Query option '" + given +
                        "' is not allowed here.");
    }
    if (!seen.insert(name).second) {
      throw bad_request("Query option '" + given +
                        "' was specified more than once, but it must be specified at most once.");
    }
    if (name == "$select") {
      query.select = list_of(value);
    } else if (name == "$filter") {
      query.filter = value;
    } else if (name == "$orderby") {
      query.orderby = value;
    } else if (name == "$expand") {
      query.expand = value;
    } else if (name == "$search") {
      query.search = value;
    } else if (name == "$skiptoken") {
      query.skiptoken = value;
    } else if (name == "$deltatoken") {
      query.deltatoken = value;
    } else if (name == "$top") {
      query.top = parse_count("$top", value, 1, 1000);
    } else if (name == "$skip") {
      query.skip = parse_count("$skip", value, 0, 2'000'000'000);
    } else if (name == "$count") {
      if (!equal_ignoring_case(value, "true") && !equal_ignoring_case(value, "false")) {
        throw bad_request("Invalid value '" + value + "' for $count query option found. It must be 'true' or 'false'.");
      }
      query.count = equal_ignoring_case(value, "true");
    }
  }
  return query;
}

Expand parse_expand(std::string_view text) {
  Expand expand;
  for (const auto& part : split_outer(text)) {
    const auto item = trim(part);
    const auto open = item.find('(');
    const std::string name = lower(item.substr(0, open));
    if (name == "attachments") {
      expand.attachments = true;  // options in parentheses: $filter is ignored (known-issues), $select not offered
    } else if (name == "microsoft.graph.itemattachment/item") {
      expand.item = true;
    } else if (name == "singlevalueextendedproperties" || name == "multivalueextendedproperties") {
      const bool single = name[0] == 's';
      const bool options = open != std::string_view::npos && item.back() == ')';
      const auto inside = options ? trim(item.substr(open + 1, item.size() - open - 2)) : std::string_view();
      if (!starts_with_ignoring_case(inside, "$filter=")) {
        throw bad_request("Expanding " + std::string(item.substr(0, open)) + " needs a $filter on the id.");
      }
      std::string_view rest = inside.substr(8);
      for (;;) {
        rest = trim(rest);
        if (!starts_with_ignoring_case(rest, "id eq '")) throw bad_request("Only 'id eq' is possible in this $filter.");
        rest.remove_prefix(7);
        const auto end = rest.find('\'');
        const auto text = rest.substr(0, end);
        const auto id = single ? normal_property_id(text) : normal_multi_property_id(text);
        if (end == std::string_view::npos || !id)
          throw GraphError(400, "ErrorInvalidProperty", "The property id is invalid.");
        (single ? expand.property_ids : expand.multi_property_ids).push_back(*id);
        rest = trim(rest.substr(end + 1));
        if (rest.empty()) break;
        if (!starts_with_ignoring_case(rest, "or "))
          throw bad_request("Only 'or' is possible between the ids of this $filter.");
        rest.remove_prefix(3);
      }
    } else {
      throw bad_request("Could not find a property named '" + std::string(item) +
                        "' on type 'microsoft.graph.message'.");
    }
  }
  return expand;
}

std::vector<OrderTerm> parse_orderby(std::string_view text) {
  static const std::set<std::string_view> sortable = {
      "receivedDateTime", "sentDateTime", "createdDateTime",           "lastModifiedDateTime",  "subject",
      "isRead",           "importance",   "from/emailAddress/address", "from/emailAddress/name"};
  std::vector<OrderTerm> order;
  for (const auto& part : list_of(text)) {
    const auto words = split(part, ' ');
    const bool direction = words.size() == 2 && (words[1] == "desc" || words[1] == "asc");
    if (words.size() > 2 || (words.size() == 2 && !direction) || sortable.count(words[0]) == 0) {
      throw bad_request("The $orderby expression '" + part + "' is not valid.");
    }
    order.push_back({words[0], direction && words[1] == "desc"});
  }
  return order;
}

void check_order_and_filter(const std::vector<OrderTerm>& order, const Filter& filter) {
  const auto& mentioned = filter.properties();
  for (std::size_t i = 0; i < order.size(); ++i) {
    if (i >= mentioned.size() || mentioned[i] != order[i].property) {
      throw GraphError(400, "InefficientFilter", "The restriction or sort order is too complex for this operation.");
    }
  }
}

}  // namespace embedded
