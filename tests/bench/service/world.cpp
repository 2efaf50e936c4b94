#include "service/world.h"

namespace bench {

World::World(const WorldShape& shape)
    : made_(std::chrono::floor<std::chrono::seconds>(wall_now())), mailboxes_(shape.mailboxes) {
  for (Mailbox& mailbox : mailboxes_) {
    mailbox.initial = shape.mails + (&mailbox == &mailboxes_.front() ? shape.more_in_first : 0);
    mailbox.count = mailbox.unread = mailbox.initial;
    mailbox.read.resize(mailbox.initial);
  }
}

MailFacts World::facts(std::uint32_t mailbox, std::uint32_t number) const {
  const Mailbox& box = mailboxes_.at(mailbox);
  const WallTime received =
      number < box.initial ? made_ - std::chrono::seconds(box.initial - number) : box.arrived.at(number - box.initial);
  return {mailbox, number, received, box.read.at(number)};
}

std::uint32_t World::first_since(std::uint32_t mailbox, WallTime time) const {
  std::uint32_t low = 0, high = mailboxes_.at(mailbox).count;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (facts(mailbox, middle).received < time) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void World::arrive(std::uint32_t mailbox, WallTime now) {
  Mailbox& box = mailboxes_.at(mailbox);
  box.arrived.push_back(now);
  box.read.push_back(false);
  ++box.count;
  ++box.unread;
}

void World::mark_read(std::uint32_t mailbox, std::uint32_t number) {
  Mailbox& box = mailboxes_.at(mailbox);
  if (number >= box.count || box.read[number]) return;
  box.read[number] = true;
  --box.unread;
  box.changes.push_back(number);
}

}  // namespace bench
