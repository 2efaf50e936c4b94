// What the counting host is asked to do.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace bench {

struct CountingOptions {
  std::string plugin, state, origin, ca, after_fetch = "mark_read", poll = "10", workers = "8";
  unsigned mailboxes = 1;
  std::uint64_t expect = 0;
  double seconds = 0;  ///< 0: until what is expected came
  bool reads = false;  ///< the attachments too
  unsigned replies = 0, reply_mailboxes = 1;
  double replies_a_second = 20;
  bool replies_when_idle = false;  ///< they begin once every mailbox was read to its end
  bool replies_are_all = false;    ///< the run ends with the last of them
};

CountingOptions counting_options(const std::vector<std::string>& arguments);

}  // namespace bench
