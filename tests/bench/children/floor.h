// The floor: what nobody can go below who makes these requests over TLS.
#pragma once

#include <string>
#include <vector>

namespace bench {

/// The requests of `file` (as write_requests() made it), one after the other over one connection to 127.0.0.1:port:
/// OpenSSL, one buffer, and no look at an answer but for its length. Returns an exit code.
int run_floor(const std::vector<std::string>& arguments);

void write_requests(const std::string& file, const std::vector<std::string>& requests);

}  // namespace bench
