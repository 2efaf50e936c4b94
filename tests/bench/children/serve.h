// The load server by itself, to look at one client with a profiler.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// --dir DIR [--mailboxes N] [--mails N] [--headers BYTES] [--attachment BYTES] [--round-trip MS] [--after-fetch X]
/// Writes DIR/ca.pem and a DIR/contact-center.json for host-sim, prints its origin, and serves until SIGTERM or SIGINT.
int run_server(const std::vector<std::string>& arguments);

}  // namespace bench
