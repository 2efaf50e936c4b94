#include "runtime/watch.h"

#include <algorithm>

namespace runtime {
namespace {

bool is_trouble(const Health& health) {
  const bool bad = health.state == MAILPLUGIN_DEGRADED || health.state == MAILPLUGIN_FAILED;
  return bad && health.cause != MAILPLUGIN_CAUSE_SECRET_EXPIRES_SOON;
}

// A trouble keeps its beginning however its words change; only good news ends it.
void note_health(std::optional<std::int64_t>& trouble_since, const Health& health, std::int64_t now) {
  if (is_trouble(health)) {
    if (!trouble_since) trouble_since = now;
  } else if (health.state == MAILPLUGIN_READY) {
    trouble_since.reset();
  }
}

bool lasted(const std::optional<std::int64_t>& since, std::int64_t now, std::int64_t patience) {
  return since && now - *since >= patience;
}

}  // namespace

std::size_t Watch::add_server(std::string label) {
  const std::lock_guard lock(mutex_);
  servers_.push_back({std::move(label), {}, {}});
  return servers_.size() - 1;
}

std::size_t Watch::add_mailbox(std::size_t server, std::string label) {
  const std::lock_guard lock(mutex_);
  Mailbox& mailbox = mailboxes_.emplace_back();
  mailbox.server = server;
  mailbox.label = std::move(label);
  return mailboxes_.size() - 1;
}

void Watch::message_began(std::size_t index) {
  const std::lock_guard lock(mutex_);
  Mailbox& mailbox = mailboxes_[index];
  mailbox.idle = false;
  mailbox.reached = true;
  ++mailbox.undecided;
}

void Watch::message_ended(std::size_t index, bool stored, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  Mailbox& mailbox = mailboxes_[index];
  --mailbox.undecided;
  mailbox.storage_failed = !stored;
  if (!stored) {
    if (!mailbox.trouble_since) mailbox.trouble_since = now;
    return;
  }
  // Progress: what troubles it (throttling, say) does not stop it, and patience starts anew.
  mailbox.trouble_since = is_trouble(mailbox.health) ? std::optional<std::int64_t>(now) : std::nullopt;
  Server& server = servers_[mailbox.server];
  if (server.trouble_since) server.trouble_since = now;
}

void Watch::idle(std::size_t index) {
  const std::lock_guard lock(mutex_);
  Mailbox& mailbox = mailboxes_[index];
  mailbox.idle = mailbox.reached = true;
  mailbox.storage_failed = false;
  if (!is_trouble(mailbox.health)) mailbox.trouble_since.reset();
}

void Watch::message_left(std::size_t index, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  if (servers_[index].trouble_since) servers_[index].trouble_since = now;
}

void Watch::server_health(std::size_t index, const Health& health, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  servers_[index].health = health;
  note_health(servers_[index].trouble_since, health, now);
}

void Watch::mailbox_health(std::size_t index, const Health& health, std::int64_t now) {
  const std::lock_guard lock(mutex_);
  Mailbox& mailbox = mailboxes_[index];
  mailbox.health = health;
  note_health(mailbox.trouble_since, health, now);
}

bool Watch::server_over(const Server& server, std::int64_t now, std::int64_t patience) const {
  return needs_administrator(server.health) || lasted(server.trouble_since, now, patience);
}

bool Watch::over(const Mailbox& mailbox, std::int64_t now, std::int64_t patience) const {
  return needs_administrator(mailbox.health) || lasted(mailbox.trouble_since, now, patience) ||
         server_over(servers_[mailbox.server], now, patience);
}

bool Watch::failed(const Mailbox& mailbox, std::int64_t now, std::int64_t patience) const {
  const bool says_so =
      mailbox.health.state == MAILPLUGIN_FAILED || servers_[mailbox.server].health.state == MAILPLUGIN_FAILED;
  return says_so || (!mailbox.idle && over(mailbox, now, patience));
}

Watch::Standing Watch::standing(std::int64_t now, std::int64_t patience) const {
  const std::lock_guard lock(mutex_);
  Standing standing;
  standing.mailboxes = mailboxes_.size();
  for (const Mailbox& mailbox : mailboxes_) {
    standing.undecided += mailbox.undecided;
    if (mailbox.idle) {
      ++standing.idle;
    } else if (over(mailbox, now, patience)) {
      ++standing.ended;
    }
  }
  return standing;
}

std::optional<std::int64_t> Watch::next_change(std::int64_t now, std::int64_t patience) const {
  const std::lock_guard lock(mutex_);
  std::optional<std::int64_t> next;
  const auto consider = [&](const std::optional<std::int64_t>& since) {
    if (since && *since + patience > now) next = std::min(next.value_or(*since + patience), *since + patience);
  };
  for (const Server& server : servers_) consider(server.trouble_since);
  for (const Mailbox& mailbox : mailboxes_) consider(mailbox.trouble_since);
  return next;
}

bool Watch::server_ended(std::size_t server, std::int64_t now, std::int64_t patience) const {
  const std::lock_guard lock(mutex_);
  return server_over(servers_[server], now, patience);
}

std::vector<std::string> Watch::failures(std::int64_t now, std::int64_t patience) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> sentences;
  for (const Mailbox& mailbox : mailboxes_) {
    if (!failed(mailbox, now, patience)) continue;
    const Server& server = servers_[mailbox.server];
    // The mailbox's own words say more, unless only the server is in trouble.
    const bool own = is_trouble(mailbox.health);
    std::string why = own ? sentence(mailbox.health) : server.label + ": " + sentence(server.health);
    if (mailbox.storage_failed) why = "its mails could not be stored in this host's data folder";
    sentences.push_back(mailbox.label + ": " + why);
  }
  return sentences;
}

bool Watch::nothing_reached(std::int64_t now, std::int64_t patience) const {
  const std::lock_guard lock(mutex_);
  const auto in_vain = [&](const Mailbox& mailbox) {
    const bool waits_for_us =
        mailbox.health.cause == MAILPLUGIN_CAUSE_FIRST_FETCH || mailbox.health.cause == MAILPLUGIN_CAUSE_HOST_REFUSES;
    return !mailbox.reached && !waits_for_us && failed(mailbox, now, patience);
  };
  return !mailboxes_.empty() && std::all_of(mailboxes_.begin(), mailboxes_.end(), in_vain);
}

std::string Watch::sentence_of_server(std::size_t server) const {
  const std::lock_guard lock(mutex_);
  return servers_[server].label + ": " + sentence(servers_[server].health);
}

}  // namespace runtime
