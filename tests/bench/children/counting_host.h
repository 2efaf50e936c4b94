// A host that only counts: it loads the plugin through the public header and says ACCEPTED to everything at once. A
// process of its own, so that CPU and memory are the plugin's.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// --plugin SO --state DIR --origin URL --ca FILE --mailboxes N [--after-fetch X] [--expect MAILS | --for SECONDS] ...
/// Prints one JSON object of what it saw. Ends with what was expected, after the time, or at SIGTERM. Exit code 0 when
/// all that was expected came.
int run_counting_host(const std::vector<std::string>& arguments);

}  // namespace bench
