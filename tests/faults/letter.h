// Mails and replies of the scenario, as both halves of the runner see them.
#pragma once

#include <string>
#include <vector>

namespace faults {

struct File {
  std::string name, bytes;
  bool operator==(const File&) const = default;
};

/// A mail in a mailbox, or one that was handed over.
struct Letter {
  std::string mailbox, subject, message_id;
  std::vector<File> files;
  bool redelivered = false;
};

struct Reply {
  std::string key, from, to, subject, in_reply_to;
  std::vector<File> files;
};

/// How a program signs in at the service.
struct Access {
  std::string origin, tenant, client_id, secret, ca_file;
};

}  // namespace faults
