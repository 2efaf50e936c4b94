// $search: words, and words of one property ("subject:invoice"). graph-mail.md section 5.
#ifndef HOST_SIM_M365_SEARCH_H_
#define HOST_SIM_M365_SEARCH_H_

#include <string>
#include <string_view>
#include <vector>

#include "m365/world/message.h"

namespace embedded {

class Search {
 public:
  // The value of $search, with the quotes around it or without. Terms stand side by side (all have to be found) or
  // around "OR"; a term may be quoted inside (\"two words\").
  static Search parse(std::string_view text);

  // Subject, body and sender without a property; case does not matter.
  bool finds(const Message& message) const;

 private:
  struct Term {
    std::string property, words;  // property in lower case, empty: anywhere
  };
  std::vector<std::vector<Term>> either_;  // one of them with all its terms
};

}  // namespace embedded

#endif  // HOST_SIM_M365_SEARCH_H_
