// Where mails come in: the one place that says ACCEPTED.
#ifndef HOST_SIM_RUNTIME_INBOX_H_
#define HOST_SIM_RUNTIME_INBOX_H_

#include <atomic>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "base/log.h"
#include "configurator/configuration.h"
#include "mailplugin/mailplugin.h"
#include "runtime/data_folder.h"
#include "runtime/event_writer.h"
#include "runtime/host_store.h"

namespace runtime {

class Inbox {
 public:
  Inbox(const DataFolder& folder, HostStore& store, EventWriter& events, base::Log& log)
      : folder_(folder), store_(store), events_(events), log_(log) {}

  // ACCEPTED: the mail and all its attachments survive a power cut now. RETRY_LATER: something of this host or of the
  // plugin failed (told in the log), nothing was kept. Throws nothing; any thread.
  mailplugin_verdict accept(const configurator::Address& address, const mailplugin_message& mail) noexcept;

  // A rule of this host: mails from these addresses (lower case) are REJECTED. Before the first mail.
  void reject_from(std::set<std::string> senders) { unwanted_ = std::move(senders); }

  // Reads in progress end soon with RETRY_LATER.
  void stop() { stopping_ = true; }

 private:
  bool unwanted(const mailplugin_message& mail) const;
  void refuse(const configurator::Address& address, const mailplugin_message& mail);
  void store(const configurator::Address& address, const mailplugin_message& mail);
  void tell(const base::Json& event, const configurator::Address& address);

  const DataFolder& folder_;
  HostStore& store_;
  EventWriter& events_;
  base::Log& log_;
  std::set<std::string> unwanted_;
  std::atomic<bool> stopping_{false};
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_INBOX_H_
