// Mails by the thousand, for load and for backlogs.
#ifndef HOST_SIM_M365_SYNTHETIC_H_
#define HOST_SIM_M365_SYNTHETIC_H_

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

#include "m365/world/message.h"

namespace embedded {

struct FloodOptions {
  std::size_t count = 0;
  std::size_t size = 8192;     // bytes of the html body
  std::size_t headers = 1024;  // bytes of transport headers, about
  std::size_t attachment_size = 0;
  std::string subject, to;
  Time first{};
  std::chrono::seconds step{1};
};

// One mail is read as MIME; the others are it with their own subject, Message-ID, sender and times, in MIME and in what
// Graph shows. So twenty thousand cost seconds, not minutes.
class FloodMaker {
 public:
  explicit FloodMaker(const FloodOptions& options);
  Message next();

 private:
  FloodOptions options_;
  Message model_;
  std::string run_;
  std::size_t number_ = 0;
};

// The same mail under another Message-ID: <2.original>. A mail without one gets one.
std::string with_numbered_message_id(std::string_view mime, std::size_t number);

}  // namespace embedded

#endif  // HOST_SIM_M365_SYNTHETIC_H_
