// Who is done, who is in trouble, and since when: the rules behind --until-idle and the exit code.
#ifndef HOST_SIM_RUNTIME_WATCH_H_
#define HOST_SIM_RUNTIME_WATCH_H_

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/health.h"

namespace runtime {

// Times are milliseconds of any steady clock, given by the caller. Thread-safe.
class Watch {
 public:
  // Servers and mailboxes are named in sentences by these labels. All are added before the first report.
  std::size_t add_server(std::string label);
  std::size_t add_mailbox(std::size_t server, std::string label);

  // A mail is in the host's hands from here to message_ended; it undoes the mailbox's idle.
  void message_began(std::size_t mailbox);
  // `stored` false: this host could not take it (disk), which is trouble of its own.
  void message_ended(std::size_t mailbox, bool stored, std::int64_t now);
  void idle(std::size_t mailbox);
  void server_health(std::size_t server, const Health& health, std::int64_t now);
  void mailbox_health(std::size_t mailbox, const Health& health, std::int64_t now);

  struct Standing {
    std::size_t mailboxes = 0;
    std::size_t idle = 0;       // read to the end since the last mail
    std::size_t ended = 0;      // not idle, and either an administrator must act or patience is over
    std::size_t undecided = 0;  // mails in the host's hands
    // Nothing more is to be expected.
    bool settled() const { return idle + ended == mailboxes && undecided == 0; }
  };
  Standing standing(std::int64_t now, std::int64_t patience) const;
  // When a trouble runs out of patience next, for the caller's wait.
  std::optional<std::int64_t> next_change(std::int64_t now, std::int64_t patience) const;

  // True when waiting for this server is in vain: an administrator must act, or patience is over.
  bool server_ended(std::size_t server, std::int64_t now, std::int64_t patience) const;

  // A message left through this server: it works for somebody, whatever troubles others; patience begins anew.
  void message_left(std::size_t server, std::int64_t now);

  // The mailboxes that are failed now or ended without having been read, one sentence each.
  std::vector<std::string> failures(std::int64_t now, std::int64_t patience) const;
  // True when there are mailboxes and not one of them was reached: each failed and never gave a mail or came to its
  // end. One that waits for an administrator's choice (FIRST_FETCH) or that this host holds back was reached.
  bool nothing_reached(std::int64_t now, std::int64_t patience) const;
  std::string sentence_of_server(std::size_t server) const;

 private:
  struct Server {
    std::string label;
    Health health;
    std::optional<std::int64_t> trouble_since;
  };
  struct Mailbox {
    std::size_t server = 0;
    std::string label;
    Health health;
    bool idle = false, reached = false, storage_failed = false;
    std::size_t undecided = 0;
    std::optional<std::int64_t> trouble_since;
  };

  bool server_over(const Server& server, std::int64_t now, std::int64_t patience) const;
  bool failed(const Mailbox& mailbox, std::int64_t now, std::int64_t patience) const;
  bool over(const Mailbox& mailbox, std::int64_t now, std::int64_t patience) const;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::vector<Server> servers_;
  std::vector<Mailbox> mailboxes_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_WATCH_H_
