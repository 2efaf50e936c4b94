// A reply that leaves, as the ABI wants it, and the time it took.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "children/counts.h"

namespace bench {

/// Points into itself: it stays where it is.
struct Reply {
  Counts* counts = nullptr;
  std::string key, from, to, subject, answered, text = "We have looked into it.\r\nIt arrives tomorrow.\r\n";
  std::size_t at = 0;
  std::chrono::steady_clock::time_point submitted;
  mailplugin_address recipient{};
  mailplugin_stream stream{};
  mailplugin_part part{};
  const mailplugin_part* parts[1] = {};
  mailplugin_message message{};
  mailplugin_submission submission{};
};

/// The `index`-th of those that answer mails of the first `mailboxes` mailboxes in turn.
void fill_reply(Reply& reply, Counts& counts, unsigned index, unsigned mailboxes);

}  // namespace bench
