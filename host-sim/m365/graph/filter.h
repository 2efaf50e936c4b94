// $filter of messages: read once, asked for every message. graph-mail.md sections 5 and 13.
#ifndef HOST_SIM_M365_FILTER_H_
#define HOST_SIM_M365_FILTER_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/world/mailbox.h"

namespace embedded {

class Filter {
 public:
  // Throws GraphError 400 with the place and the reason.
  static Filter parse(std::string_view text);
  ~Filter();
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;

  bool matches(const Mailbox& mailbox, const Message& message) const;

  // Properties in the order of their first mention: what $orderby is compared with.
  const std::vector<std::string>& properties() const { return properties_; }

  // Where the whole is a conjunction that has this equality among its terms, an index can answer first.
  struct Equality {
    std::string property;  // "internetMessageId", or the normal id of an extended property
    std::string value;
  };
  const std::optional<Equality>& equality() const { return equality_; }

  // The one form delta takes: "receivedDateTime ge X" or "gt X". nullopt: any other filter.
  struct ReceivedFrom {
    Time time;
    bool inclusive = true;
  };
  std::optional<ReceivedFrom> received_from() const;

  struct Node;

 private:
  Filter();
  std::unique_ptr<Node> root_;
  std::vector<std::string> properties_;
  std::optional<Equality> equality_;
};

}  // namespace embedded

#endif  // HOST_SIM_M365_FILTER_H_
