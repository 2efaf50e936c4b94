// The contact center itself: opens the servers and queues of a configuration and works until it is told to stop.
#ifndef HOST_SIM_RUNTIME_CONTACT_CENTER_H_
#define HOST_SIM_RUNTIME_CONTACT_CENTER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/log.h"
#include "configurator/configuration.h"
#include "runtime/data_folder.h"
#include "runtime/event_writer.h"
#include "runtime/host_store.h"
#include "runtime/inbox.h"
#include "runtime/outbox.h"
#include "runtime/plugin_server.h"
#include "runtime/wakeup.h"
#include "runtime/watch.h"

namespace runtime {

// The host's own things that a contact center works with; they outlive it.
struct Desk {
  const DataFolder& folder;
  HostStore& store;
  EventWriter& events;
  base::Log& log;
  Wakeup& wakeup;
};

struct RunOptions {
  bool until_idle = false;
  std::int64_t patience_ms = 15'000;
  std::optional<std::int64_t> duration_ms;
  std::set<std::string> reject_from;  // lower case: mails of these senders are REJECTED
  // Called on the running thread, some times a second; may send_now. Mails that shall leave come from here.
  std::function<void()> feed;
  // For the `started` event.
  std::string plugin, plugin_version;
};

struct RunResult {
  std::int64_t received = 0, sent = 0;
  std::vector<std::string> failures;  // sentences
  bool nothing_reached = false;       // every server or mailbox failed
  bool stopped = true;                // false: a callback never came back, the process must end without cleaning up
};

class ContactCenter {
 public:
  enum class Serve { kAll, kOutgoingOnly };
  // Creates the servers and opens the mailboxes, all still stopped. Throws configurator::ConfigurationError with every
  // problem the plugin has with the configuration, which must outlive this.
  ContactCenter(const configurator::Configuration& configuration, Desk desk, Serve serve);
  ~ContactCenter();
  ContactCenter(const ContactCenter&) = delete;
  ContactCenter& operator=(const ContactCenter&) = delete;

  // Starts, works, stops. Writes the events. Throws std::runtime_error when a server cannot be started.
  RunResult run(const RunOptions& options);

  // Keeps one message and hands it over, while run() runs and on its thread; a key that is known stays as it was.
  // Throws as Outbox::keep, and MessageError where nothing can be sent.
  void send_now(const std::string& key, OutgoingMail mail);

  // Sends the kept messages of these keys and waits for the answer to each (a message told to wait is given back as
  // "retry_later"). `answered` is called for each in the order of the keys. Ends early when asked to stop.
  RunResult send(const std::vector<std::string>& keys, std::int64_t patience_ms,
                 const std::function<void(const std::string& key, const Fate&)>& answered);

  Outbox& outbox() { return outbox_; }
  bool can_send() const { return outgoing_ != nullptr; }

 private:
  struct Mailbox;
  struct Server;

  void create_incoming(const configurator::Configuration& configuration);
  void create_outgoing(const configurator::OutgoingServer& server, const std::string& file);
  void report_health(Server& server, std::uint64_t mailbox_id, const Health& health);
  void decided(Mailbox& mailbox, mailplugin_verdict verdict);
  static mailplugin_verdict MAILPLUGIN_CALL on_message(const mailplugin_mailbox_events*, uint64_t,
                                                       const mailplugin_message*, uint32_t*) noexcept;
  static void MAILPLUGIN_CALL on_idle(const mailplugin_mailbox_events*) noexcept;

  void start_all();
  bool stop_all();
  void tell(const base::Json& event);
  bool sending_is_over(std::int64_t now, std::int64_t patience) const;
  void show_progress(const Watch::Standing& standing);
  // What the mailboxes and the outbox have come to; read before the servers stop, for stopping ends every trouble.
  RunResult standing_result(std::int64_t patience_ms);
  // What was counted; read after they stopped, for mails are settled until then.
  void count_up(RunResult& end);

  Desk desk_;
  Watch watch_;
  Inbox inbox_;
  Outbox outbox_;
  std::atomic<std::int64_t> received_{0};
  std::vector<std::string> queue_names_;
  std::vector<std::unique_ptr<Mailbox>> mailboxes_;
  std::vector<std::unique_ptr<Server>> incoming_;
  std::unique_ptr<Server> outgoing_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_CONTACT_CENTER_H_
