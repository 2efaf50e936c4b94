// A message to send, from options or from a line of a batch.
#ifndef HOST_SIM_COMMANDS_COMPOSE_H_
#define HOST_SIM_COMMANDS_COMPOSE_H_

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/options.h"
#include "configurator/configuration.h"
#include "runtime/host_store.h"
#include "runtime/outgoing_mail.h"

namespace commands {

// As somebody gave it; nothing is checked yet.
struct Draft {
  std::string from;
  std::vector<std::string> to, cc, bcc, reply_to;  // each a list of addresses
  std::optional<std::string> subject, text, html, in_reply_to, key;
  std::vector<std::string> attach;  // files
  bool automatic = false;
};

struct Composed {
  std::string key;
  runtime::OutgoingMail mail;
};

// Reads the files that --text and --html name ("-" is standard input). Throws runtime::MessageError.
Draft draft_of(const base::Options& options);

// Keys of a batch line: from, to, cc, bcc, reply_to (a text or a list of texts), subject, text, html, text_file,
// html_file, attach (a list), in_reply_to, key, automatic. Throws runtime::MessageError naming the key.
Draft draft_of(const base::Json& line);

// Checks everything against the configuration and the inbox. Throws runtime::MessageError: from is no queue address, it
// is no Sender, no recipient, no body, an attachment cannot be read, the answered mail is not in the inbox.
Composed compose(const Draft& draft, const configurator::Configuration& configuration, runtime::HostStore& store);

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_COMPOSE_H_
