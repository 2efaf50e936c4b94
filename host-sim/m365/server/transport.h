// What carries mail: from a draft to Sent Items and to the mailboxes of the simulated world.
#ifndef HOST_SIM_M365_TRANSPORT_H_
#define HOST_SIM_M365_TRANSPORT_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "m365/server/clock.h"
#include "m365/world/directory.h"
#include "m365/world/message.h"

namespace embedded {

struct World;

// A mail that went to a domain which is not hosted here.
struct LeftMail {
  std::string from, to;
  Time when{};
  std::string mime;
};

class Transport {
 public:
  explicit Transport(World& world) : world_(world) {}

  // Checks a draft as Exchange does at submission, files it and delivers it. `actor` is the signed-in user, null for an
  // app-only call. Throws GraphError; the draft is then untouched. No mailbox lock may be held.
  void send(const User& owner, std::uint64_t number, const User* actor, bool keep_copy);

  // Puts a mail into a folder (default the inbox) of a mailbox as one that arrived. Returns its number.
  std::uint64_t put(const User& to, std::string_view mime, std::string_view well_known_folder = "inbox",
                    std::optional<Time> received = std::nullopt);

  // The read receipt of a message of `owner` to those who asked.
  void send_read_receipt(const User& owner, const Content& message);

  std::vector<LeftMail> left() const;
  void forget_left();

 private:
  struct Envelope {
    std::string from;  // empty: a report, which is never answered by one
    std::vector<std::string> to;
    std::string mime, message_id, subject;
  };
  void deliver(const User& sender, const Envelope& envelope);
  void deliver_one(const User& sender, const Envelope& envelope, const std::string& to);
  void bounce(const User& sender, const Envelope& envelope, const std::string& to);
  void complete(const std::shared_ptr<Mailbox>& mailbox, const User& owner, std::uint64_t number, bool keep_copy,
                const Envelope& envelope);

  World& world_;
  mutable std::mutex mutex_;
  std::vector<LeftMail> left_;  // guarded by mutex_
};

// A Message-ID of the form Exchange gives.
std::string new_message_id();

}  // namespace embedded

#endif  // HOST_SIM_M365_TRANSPORT_H_
