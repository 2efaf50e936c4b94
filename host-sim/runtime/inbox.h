// Where mails come in: the one place that says ACCEPTED.
#ifndef HOST_SIM_RUNTIME_INBOX_H_
#define HOST_SIM_RUNTIME_INBOX_H_

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.h"
#include "configurator/configuration.h"
#include "mailplugin/mailplugin.h"
#include "runtime/data_folder.h"
#include "runtime/event_writer.h"
#include "runtime/group_thread.h"
#include "runtime/host_store.h"
#include "runtime/message_event.h"
#include "runtime/parts.h"

namespace runtime {

class Inbox {
 public:
  using Decided = std::function<void(mailplugin_verdict)>;

  Inbox(const DataFolder& folder, HostStore& store, EventWriter& events, base::Log& log);

  // ACCEPTED: the mail and all its attachments survive a power cut now. RETRY_LATER: something of this host or of the
  // plugin failed (told in the log), nothing was kept. PENDING: `decided` is told one of the two, once and soon, on the
  // thread that stores mails in groups; perhaps before this returns. `mail` is not read any more when this returns;
  // `address` outlives this object. Throws nothing; any thread.
  mailplugin_verdict accept(const configurator::Address& address, const mailplugin_message& mail,
                            Decided decided) noexcept;

  // A rule of this host: mails from these addresses (lower case) are REJECTED. Before the first mail.
  void reject_from(std::set<std::string> senders) { unwanted_ = std::move(senders); }

  // Reads in progress end soon with RETRY_LATER, and nothing new is taken. Once this has returned, all that was PENDING
  // is decided. From one thread.
  void stop();

 private:
  // A mail that waits to be stored with others.
  struct Pending {
    const configurator::Address* address = nullptr;
    NewMail mail;
    std::size_t id_end = 0;  // of mail.event, see MessageKeys
    base::Json glance;       // for an observer of events
    bool redelivered = false;
    std::unique_ptr<PartReader> parts;  // takes its files away again, unless they are stored
    Decided decided;
  };

  void store_group(std::vector<Pending>& group);
  void keep(Pending& mail, bool added);
  void refuse_to_store(const configurator::Address& address, const std::exception& error);
  bool unwanted(const mailplugin_message& mail) const;
  void refuse(const configurator::Address& address, const mailplugin_message& mail);
  mailplugin_verdict store(const configurator::Address& address, const mailplugin_message& mail, Decided decided);
  void tell(const base::Json& event, const configurator::Address& address);
  void tell_all(const std::vector<Pending>& group);

  const DataFolder& folder_;
  HostStore& store_;
  EventWriter& events_;
  base::Log& log_;
  std::set<std::string> unwanted_;
  std::atomic<bool> stopping_{false};
  GroupThread<Pending> groups_;  // last: its thread uses all of these
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_INBOX_H_
