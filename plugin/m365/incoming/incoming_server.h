// The IncomingMailServer: fetches the folders of many mailboxes with a few threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "m365/incoming/incoming_core.h"
#include "m365/incoming/stream.h"
#include "mail/servers.h"
#include "mail/workers.h"

namespace m365 {

class IncomingMailServer final : public mail::IncomingServer {
 public:
  /// `environment` and `listener` outlive the server. Touches no network and no disk.
  IncomingMailServer(Environment& environment, IncomingSettings settings, mail::ServerListener& listener,
                     IncomingParts parts);
  ~IncomingMailServer() override;

  void start() override;
  bool stop(std::chrono::milliseconds deadline) override;
  std::optional<mail::MailboxId> open_mailbox(const mail::Settings& settings, mail::MailboxListener& listener,
                                              mail::Problems& problems) override;
  bool close_mailbox(mail::MailboxId mailbox) override;
  bool acknowledge(mail::DeliveryId delivery, mail::Verdict verdict, std::chrono::milliseconds retry_after) override;
  void check(std::stop_token stop, mail::Findings& findings) override;
  bool check_mailbox(const mail::Settings& settings, std::stop_token stop, mail::Findings& findings,
                     mail::Problems& problems) override;

 private:
  void run(std::uint64_t job, std::stop_token stop);
  void run_account(std::uint32_t number, std::stop_token stop);
  void run_fetching(const StreamPtr& stream, std::stop_token stop);
  void poll_together(std::vector<std::pair<StreamPtr, GraphRequest>> polls, std::stop_token stop);
  void run_marking(const StreamPtr& stream);
  /// Of a closed stream: its account goes with its last mailbox.
  void leave_account(const Stream& stream);
  std::shared_ptr<Account> account_for(const MailboxSettings& mailbox, mail::MailboxId id);
  StreamPtr find(mail::MailboxId id);
  std::vector<StreamPtr> streams();
  void begin(Stream& stream);
  void warn_of_expiry();
  void check_with(const std::string& user, const mail::Secret& password, const std::string& subject,
                  mail::Findings& findings, const std::function<void(GraphClient&)>& look);

  IncomingCore core_;
  std::atomic<bool> running_{false};
  std::map<std::string, std::string> checked_folders_;  ///< folder id -> address; of check_mailbox() only

  std::mutex mutex_;
  // Everything below is guarded by mutex_.
  mail::MailboxId last_id_ = 0;
  std::map<mail::MailboxId, StreamPtr> streams_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Account>> accounts_;  ///< by user, digest of password
  std::vector<std::shared_ptr<Account>> by_number_;                                   ///< number 1 is the first
  std::optional<int> expiry_warned_;

  std::unique_ptr<mail::Workers> workers_;  ///< control functions only; last member: its threads end first
};

}  // namespace m365
