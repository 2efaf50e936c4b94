// What the load server's mailboxes hold: numbered mails, who of them is read, what changed.
#pragma once

#include <cstdint>
#include <vector>

#include "service/mail_text.h"

namespace bench {

struct WorldShape {
  std::uint32_t mailboxes = 1, mails = 0;  ///< mails: in each of them from the beginning, one a second until now
  std::uint32_t more_in_first = 0;         ///< mailbox 0 holds so many more
  MailShape mail;
};

class World {
 public:
  explicit World(const WorldShape& shape);

  struct Mailbox {
    std::uint32_t initial = 0, count = 0, unread = 0;
    std::vector<WallTime> arrived;  ///< of those that came later
    std::vector<bool> read;
    std::vector<std::uint32_t> changes;  ///< numbers of mails whose flag changed, in that order
  };

  bool has(std::uint32_t mailbox) const { return mailbox < mailboxes_.size(); }
  const Mailbox& at(std::uint32_t mailbox) const { return mailboxes_.at(mailbox); }
  std::uint32_t size() const { return static_cast<std::uint32_t>(mailboxes_.size()); }
  MailFacts facts(std::uint32_t mailbox, std::uint32_t number) const;
  /// The first mail that was received then or later; the count when there is none.
  std::uint32_t first_since(std::uint32_t mailbox, WallTime time) const;

  void arrive(std::uint32_t mailbox, WallTime now);
  void mark_read(std::uint32_t mailbox, std::uint32_t number);

 private:
  const WallTime made_;
  std::vector<Mailbox> mailboxes_;
};

}  // namespace bench
