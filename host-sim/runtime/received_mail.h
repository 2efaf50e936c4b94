// A mail as the plugin showed it, copied: the plugin's memory ends with the verdict.
#ifndef HOST_SIM_RUNTIME_RECEIVED_MAIL_H_
#define HOST_SIM_RUNTIME_RECEIVED_MAIL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mailplugin/mailplugin.h"

namespace runtime {

struct Person {
  std::string name, address;
};

struct Report {
  uint32_t kind = 0;
  std::string recipient, status, original_message_id, key;
};

// Texts that are not known are empty, times 0, sizes -1, as in the interface.
struct ReceivedMail {
  uint32_t flags = 0;
  std::string stable_id, service_id, mailbox, folder, delivered_to;
  std::string internet_message_id, in_reply_to, conversation_id, subject;
  Person from, sender;
  std::vector<Person> reply_to, to, cc, bcc;
  std::int64_t received_unix_ms = 0, sent_unix_ms = 0, size_bytes = -1;
  std::vector<std::string> references;
  std::vector<std::pair<std::string, std::string>> links, headers;
  std::optional<Report> report;
  uint32_t importance = 0;
};

// Everything but the parts.
ReceivedMail copy_of(const mailplugin_message& mail);

std::string to_string(const mailplugin_text& text);

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_RECEIVED_MAIL_H_
