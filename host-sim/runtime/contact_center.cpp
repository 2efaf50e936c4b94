#include "runtime/contact_center.h"

#include <algorithm>
#include <set>

#include "base/clock.h"

namespace runtime {
namespace {

using base::Json;
using configurator::Address;
using configurator::Configuration;
using configurator::ConfigurationError;

// The disk may have room again soon; the mail waits in its mailbox meanwhile.
constexpr std::uint32_t kRetryAfterMilliseconds = 2000;
constexpr std::int64_t kLongestWait = 1000;
constexpr std::int64_t kShortestRound = 10;
constexpr std::int64_t kFeedRound = 200;
constexpr const char* kOutgoingName = "external_outgoing_mail_server";

std::string label_of(const Address& address) {
  return address.queue + " <" + address.address + ">";
}

Json list_of(const std::vector<std::string>& names) {
  Json list = Json::array();
  for (const std::string& name : names) list.push(name);
  return list;
}

}  // namespace

struct ContactCenter::Mailbox {
  ContactCenter& center;
  const Address& address;
  Server& server;
  std::size_t watched = 0;
  mailplugin_mailbox_events events{};
};

struct ContactCenter::Server {
  std::string name;
  std::size_t watched = 0;
  const configurator::Settings* settings = nullptr;
  std::mutex mutex;
  // Guarded by mutex: by the plugin's id of the mailbox.
  std::unordered_map<std::uint64_t, Mailbox*> mailboxes;
  // Last: destroyed first, and no callback runs after that.
  std::unique_ptr<PluginServer> plugin;

  Mailbox* find(std::uint64_t id) {
    const std::lock_guard lock(mutex);
    const auto it = mailboxes.find(id);
    return it == mailboxes.end() ? nullptr : it->second;
  }
};

ContactCenter::ContactCenter(const Configuration& configuration, Desk desk, Serve serve)
    : desk_(desk),
      inbox_(desk.folder, desk.store, desk.events, desk.log),
      outbox_(desk.folder, desk.store, desk.events, desk.log, [this](bool left) {
        if (left && outgoing_) watch_.message_left(outgoing_->watched, steady_ms());
        desk_.wakeup.notify();
      }) {
  std::vector<std::string> problems;
  const auto collect = [&](const std::function<void()>& step) {
    try {
      step();
    } catch (const ConfigurationError& error) {
      problems.insert(problems.end(), error.problems().begin(), error.problems().end());
    }
  };
  const std::string file = configuration.file.string();
  if (configuration.outgoing && configuration.outgoing->enabled) {
    collect([&] { create_outgoing(*configuration.outgoing, file); });
  }
  if (serve == Serve::kAll) collect([&] { create_incoming(configuration); });
  if (!problems.empty()) throw ConfigurationError(std::move(problems));
}

ContactCenter::~ContactCenter() {
  inbox_.stop();  // before the servers go, which are told its verdicts
}

void ContactCenter::create_outgoing(const configurator::OutgoingServer& config, const std::string& file) {
  auto server = std::make_unique<Server>();
  server->name = kOutgoingName;
  server->settings = &config.settings;
  server->watched = watch_.add_server(server->name);
  Server& slot = *server;
  ServerListener listener;
  listener.on_health = [this, &slot](std::uint64_t id, const Health& health) { report_health(slot, id, health); };
  listener.settings_of = [&slot](std::uint64_t id) { return id == 0 ? slot.settings : nullptr; };
  server->plugin = std::make_unique<PluginServer>(*config.server_type, config.settings, file, listener, desk_.log);
  outgoing_ = std::move(server);
}

void ContactCenter::create_incoming(const Configuration& configuration) {
  const std::string file = configuration.file.string();
  std::vector<std::string> problems;
  const auto note = [&](const ConfigurationError& error) {
    problems.insert(problems.end(), error.problems().begin(), error.problems().end());
  };
  for (const configurator::IncomingServer& config : configuration.incoming) {
    auto server = std::make_unique<Server>();
    server->name = config.name;
    server->settings = &config.settings;
    server->watched = watch_.add_server(config.name);
    Server& slot = *server;
    ServerListener listener;
    listener.on_health = [this, &slot](std::uint64_t id, const Health& health) { report_health(slot, id, health); };
    listener.settings_of = [&slot](std::uint64_t id) -> const configurator::Settings* {
      if (id == 0) return slot.settings;
      const Mailbox* mailbox = slot.find(id);
      return mailbox == nullptr ? nullptr : &mailbox->address.settings;
    };
    try {
      server->plugin = std::make_unique<PluginServer>(*config.server_type, config.settings, file, listener, desk_.log);
    } catch (const ConfigurationError& error) {
      note(error);
    }
    incoming_.push_back(std::move(server));
  }
  for (const configurator::Queue& queue : configuration.queues) {
    queue_names_.push_back(queue.name);
    for (const Address& address : queue.addresses) {
      if (!address.server) continue;
      Server& server = *incoming_[*address.server];
      if (server.plugin == nullptr) continue;
      auto mailbox = std::unique_ptr<Mailbox>(new Mailbox{*this, address, server, 0, {}});
      mailbox->watched = watch_.add_mailbox(server.watched, label_of(address));
      mailbox->events.struct_size = sizeof mailbox->events;
      mailbox->events.ctx = mailbox.get();
      mailbox->events.on_message = &ContactCenter::on_message;
      mailbox->events.on_idle = &ContactCenter::on_idle;
      try {
        const std::uint64_t id = server.plugin->open_mailbox(address.settings, mailbox->events);
        const std::lock_guard lock(server.mutex);
        server.mailboxes[id] = mailbox.get();
      } catch (const ConfigurationError& error) {
        note(error);
      }
      mailboxes_.push_back(std::move(mailbox));
    }
  }
  if (!problems.empty()) throw ConfigurationError(std::move(problems));
}

void ContactCenter::report_health(Server& server, std::uint64_t mailbox_id, const Health& health) {
  const Mailbox* mailbox = mailbox_id == 0 ? nullptr : server.find(mailbox_id);
  if (mailbox_id != 0 && mailbox == nullptr) return;  // still being opened: it is told again when it starts
  if (mailbox == nullptr) {
    watch_.server_health(server.watched, health, steady_ms());
  } else {
    watch_.mailbox_health(mailbox->watched, health, steady_ms());
  }
  const std::string queue = mailbox == nullptr ? "" : mailbox->address.queue;
  const std::string address = mailbox == nullptr ? "" : mailbox->address.address;
  tell(health_event(health, server.name, queue, address, base::now_unix_ms()));
  const std::string who = mailbox == nullptr ? server.name : label_of(mailbox->address) + " (" + server.name + ")";
  base::Level level = base::Level::kInfo;
  if (health.state == MAILPLUGIN_DEGRADED) level = base::Level::kWarning;
  if (health.state == MAILPLUGIN_FAILED) level = base::Level::kError;
  desk_.log.write(level, "host",
                  who + ": " + name_of_state(health.state) + (health.message.empty() ? "" : ": " + sentence(health)));
  desk_.wakeup.notify();
}

mailplugin_verdict ContactCenter::on_message(const mailplugin_mailbox_events* events, uint64_t delivery,
                                             const mailplugin_message* mail, uint32_t* retry_after_ms) noexcept {
  auto* mailbox = static_cast<Mailbox*>(events->ctx);
  ContactCenter& center = mailbox->center;
  center.watch_.message_began(mailbox->watched);
  mailplugin_verdict verdict = MAILPLUGIN_RETRY_LATER;
  if (mail != nullptr) {
    verdict = center.inbox_.accept(mailbox->address, *mail, [mailbox, delivery](mailplugin_verdict later) {
      mailbox->center.decided(*mailbox, later);
      // Should the plugin have withdrawn the mail, it is offered again, and known by its delivery_id.
      mailbox->server.plugin->acknowledge(delivery, later, kRetryAfterMilliseconds);
    });
  }
  if (verdict == MAILPLUGIN_PENDING) return verdict;
  if (verdict == MAILPLUGIN_RETRY_LATER && retry_after_ms != nullptr) *retry_after_ms = kRetryAfterMilliseconds;
  center.decided(*mailbox, verdict);
  return verdict;
}

void ContactCenter::decided(Mailbox& mailbox, mailplugin_verdict verdict) {
  if (verdict == MAILPLUGIN_ACCEPTED) ++received_;
  watch_.message_ended(mailbox.watched, verdict != MAILPLUGIN_RETRY_LATER, steady_ms());
  desk_.wakeup.notify();
}

void ContactCenter::on_idle(const mailplugin_mailbox_events* events) noexcept {
  auto* mailbox = static_cast<Mailbox*>(events->ctx);
  mailbox->center.watch_.idle(mailbox->watched);
  mailbox->center.desk_.wakeup.notify();
}

void ContactCenter::tell(const Json& event) {
  try {
    desk_.events.write(event);
  } catch (const base::FileError& error) {
    desk_.log.error(std::string("an event was not written: ") + error.what());
  }
}

void ContactCenter::start_all() {
  if (outgoing_) outgoing_->plugin->start();
  for (const auto& server : incoming_) server->plugin->start();
}

bool ContactCenter::stop_all() {
  inbox_.stop();
  bool all = true;
  for (const auto& server : incoming_) all = server->plugin->stop() && all;
  if (outgoing_) all = outgoing_->plugin->stop() && all;
  return all;
}

bool ContactCenter::sending_is_over(std::int64_t now, std::int64_t patience) const {
  if (!outgoing_ || outbox_.open_count() == 0) return true;
  return watch_.server_ended(outgoing_->watched, now, patience);
}

void ContactCenter::show_progress(const Watch::Standing& standing) {
  desk_.log.progress("received " + std::to_string(received_) + ", sent " + std::to_string(outbox_.sent_count()) + "; " +
                     std::to_string(standing.idle) + " of " + std::to_string(standing.mailboxes) +
                     " mailboxes read to the end");
}

RunResult ContactCenter::run(const RunOptions& options) {
  tell(Json::object({{"event", "started"},
                     {"time", base::to_rfc3339(base::now_unix_ms())},
                     {"plugin", options.plugin},
                     {"version", options.plugin_version},
                     {"queues", list_of(queue_names_)}}));
  inbox_.reject_from(options.reject_from);
  start_all();
  if (outgoing_) outbox_.submit_unanswered(*outgoing_->plugin);
  const std::int64_t began = steady_ms();
  bool was_idle = false;
  while (!desk_.wakeup.stop_requested()) {
    const std::int64_t now = steady_ms();
    if (options.duration_ms && now - began >= *options.duration_ms) break;
    if (options.feed) options.feed();
    if (outgoing_) outbox_.submit_due(*outgoing_->plugin, now);
    const Watch::Standing standing = watch_.standing(now, options.patience_ms);
    show_progress(standing);
    const bool idle = standing.settled() && standing.ended == 0 && outbox_.open_count() == 0;
    if (idle && !was_idle) {
      tell(Json::object(
          {{"event", "idle"}, {"time", base::to_rfc3339(base::now_unix_ms())}, {"queues", list_of(queue_names_)}}));
    }
    was_idle = idle;
    if (options.until_idle && standing.settled() && sending_is_over(now, options.patience_ms)) break;
    std::int64_t wait = options.feed ? kFeedRound : kLongestWait;
    if (const auto next = watch_.next_change(now, options.patience_ms)) wait = std::min(wait, *next - now);
    if (const auto due = outbox_.next_due()) wait = std::min(wait, *due - now);
    if (options.duration_ms) wait = std::min(wait, began + *options.duration_ms - now);
    desk_.wakeup.wait(std::max<std::int64_t>(wait, 1));
    // Many mails a second wake many times; looking at all mailboxes once in a while is enough.
    if (!desk_.wakeup.stop_requested() && steady_ms() - now < kShortestRound) desk_.wakeup.rest(kShortestRound);
  }
  RunResult end = standing_result(options.patience_ms);
  desk_.log.progress("");
  end.stopped = stop_all();
  count_up(end);
  tell(Json::object({{"event", "stopped"},
                     {"time", base::to_rfc3339(base::now_unix_ms())},
                     {"received", end.received},
                     {"sent", end.sent},
                     {"failed", static_cast<std::int64_t>(end.failures.size())}}));
  return end;
}

void ContactCenter::send_now(const std::string& key, OutgoingMail mail) {
  if (outgoing_ == nullptr) throw MessageError("there is no outgoing mail server, or it is not enabled");
  outbox_.keep(key, std::move(mail));
  // Under way, answered, or told to wait: it is in good hands.
  if (!outbox_.under_way(key) && !outbox_.last_answer(key)) outbox_.submit(*outgoing_->plugin, key);
}

RunResult ContactCenter::standing_result(std::int64_t patience_ms) {
  const std::int64_t now = steady_ms();
  RunResult end;
  end.failures = watch_.failures(now, patience_ms);
  end.nothing_reached = watch_.nothing_reached(now, patience_ms);
  for (const std::string& failure : outbox_.failures()) end.failures.push_back(failure);
  if (outgoing_ && outbox_.open_count() > 0) {
    end.failures.push_back(std::to_string(outbox_.open_count()) +
                           " messages are not sent yet and are kept: " + watch_.sentence_of_server(outgoing_->watched));
  }
  return end;
}

void ContactCenter::count_up(RunResult& end) {
  end.received = received_;
  end.sent = outbox_.sent_count();
  if (const std::size_t lost = desk_.events.lost(); lost > 0) {
    end.failures.push_back(std::to_string(lost) + " events could not be written to " + desk_.events.where() +
                           "; what they tell is kept in the data folder");
  }
}

RunResult ContactCenter::send(const std::vector<std::string>& keys, std::int64_t patience_ms,
                              const std::function<void(const std::string&, const Fate&)>& answered) {
  if (outgoing_ == nullptr) throw std::logic_error("sending without an outgoing server");
  outgoing_->plugin->start();
  for (const std::string& key : keys) outbox_.submit(*outgoing_->plugin, key);
  std::size_t next = 0;
  const std::set<std::string> mine(keys.begin(), keys.end());
  while (next < keys.size() && !desk_.wakeup.stop_requested()) {
    if (outbox_.under_way(keys[next])) {
      const std::int64_t now = steady_ms();
      if (watch_.server_ended(outgoing_->watched, now, patience_ms)) break;
      desk_.log.progress("sent " + std::to_string(outbox_.sent_count()) + " of " + std::to_string(mine.size()));
      desk_.wakeup.wait(kLongestWait);
      continue;
    }
    Fate fate = outbox_.last_answer(keys[next]).value_or(Fate());
    if (fate.verdict.empty()) fate.verdict = "retry_later";
    answered(keys[next], fate);
    ++next;
  }
  desk_.log.progress("");
  RunResult end;
  end.stopped = stop_all();
  // What was cut short has its answer now, at the latest by stop().
  for (; next < keys.size(); ++next) {
    Fate fate = outbox_.last_answer(keys[next]).value_or(Fate());
    if (fate.verdict.empty()) {
      fate.verdict = "retry_later";
      fate.reason = watch_.sentence_of_server(outgoing_->watched);
    }
    answered(keys[next], fate);
  }
  end.failures = outbox_.failures();
  count_up(end);
  end.nothing_reached = watch_.server_ended(outgoing_->watched, steady_ms(), patience_ms) && end.sent == 0;
  return end;
}

}  // namespace runtime
