// What all streams of one incoming server share: the seams, the plan of work, the door to the host.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "m365/environment.h"
#include "m365/graph/graph_client.h"
#include "m365/health_reporter.h"
#include "m365/incoming/owed_receipts.h"
#include "m365/settings/server_settings.h"
#include "mail/schedule.h"
#include "mail/servers.h"
#include "mail/workers.h"
#include "store/store.h"

namespace m365 {

struct Stream;
struct Delivery;

/// Who reads which folder, over all incoming servers of the module: two addresses can name one mailbox (architecture,
/// section 3). Any thread.
class FolderRegistry {
 public:
  /// Claims the folder for `owner`; empty when it is (now) the owner's, else who holds it.
  std::string claim(const store::StreamKey& folder, const void* owner, const std::string& address);
  void release(const void* owner);

 private:
  struct Holder {
    const void* owner = nullptr;
    std::string address;
  };
  std::mutex mutex_;
  // Guarded by mutex_. A stream holds at most one folder: the one it last opened.
  std::map<std::pair<std::string, std::string>, Holder> holders_;
  std::map<const void*, std::pair<std::string, std::string>> held_;
};

/// The seams of an incoming server; tests put their own in place.
struct IncomingParts {
  std::function<std::shared_ptr<store::Store>()> open_store;
  /// The client for one sign-in; user and password are empty with SignIn::service. May throw mail::FaultError.
  std::function<std::unique_ptr<GraphClient>(const std::string& user, const mail::Secret& password)> make_graph;
  std::shared_ptr<FolderRegistry> folders;
};

/// One sign-in and all its mailboxes: the token, the batches.
struct Account {
  // Constant after construction.
  std::uint32_t number = 0;  ///< of its groups in the schedule
  std::string user;          ///< of OAuth User

  std::mutex mutex;
  // Everything below is guarded by mutex; the client itself may be used by every thread once made.
  std::unique_ptr<GraphClient> graph;
  mail::Secret password, secret;  ///< as last known
  mail::MailboxId mailbox = 0;    ///< of OAuth User: whose password the host is asked for
  std::optional<mail::Fault> fault;
  bool worked = false;

  std::uint32_t poll_group() const { return 2 * number; }
  std::uint32_t mark_group() const { return 2 * number + 1; }
};

/// Ids in the schedule: each stream has two halves that may run at the same time, each account one job.
constexpr std::uint64_t fetch_job(mail::MailboxId id) {
  return id << 1;
}
constexpr std::uint64_t mark_job(mail::MailboxId id) {
  return (id << 1) | 1;
}
constexpr std::uint64_t account_jobs = std::uint64_t{1} << 63;
constexpr std::uint64_t receipts_job = std::uint64_t{1} << 62;  ///< one for all streams

class IncomingCore {
 public:
  IncomingCore(Environment& environment, IncomingSettings settings, mail::ServerListener& listener,
               IncomingParts parts);

  // Constant after construction.
  mail::Log& log;
  mail::Clock& clock;
  mail::Random& random;
  mail::ServerListener& listener;
  const IncomingSettings settings;
  const IncomingParts parts;

  mail::Schedule schedule;
  HealthReporter health;                     ///< of the server
  std::atomic<std::size_t> rows_in_hand{0};  ///< of all streams: bodies held in memory between turns
  Debtors debtors;

  /// The state file; opened by the first who asks. Throws mail::FaultError (state_disk); tries again after 10 s.
  std::shared_ptr<store::Store> store();
  void close_store();
  /// The account's client; made by the first who asks.
  GraphClient& graph(Account& account);

  mail::SteadyTime now() const { return clock.now(); }
  mail::WallTime wall() const { return clock.wall(); }
  void note(mail::Level level, const std::string& line) const { log.write(level, "m365.incoming", line); }
  /// `time` with a quarter of jitter, so that ten thousand mailboxes do not move in step.
  std::chrono::milliseconds jittered(std::chrono::milliseconds time) const;

  /// Runs `call` in the host, unless the server stops or the stream is closed: then false. `stream` may be null.
  bool in_host(Stream* stream, const std::function<void()>& call);
  void open_door(mail::Workers& workers);
  void close_door();                        ///< no new call begins
  bool door_is_open(const Stream& stream);  ///< neither the server nor the stream was closed
  /// No new call for this stream begins; waits for one that runs.
  void close_stream(Stream& stream);

  // The mails whose verdict the host still owes.
  mail::DeliveryId add(std::shared_ptr<Delivery> delivery);
  std::shared_ptr<Delivery> find(mail::DeliveryId id);
  std::shared_ptr<Delivery> take(mail::DeliveryId id);
  /// At stop or close: the deliveries end without a verdict; their memory is kept until the server is destroyed,
  /// because the host may still read them. `stream` null: all.
  void abandon(const Stream* stream);

 private:
  std::mutex store_mutex_;
  std::shared_ptr<store::Store> store_;     ///< guarded by store_mutex_
  std::optional<mail::Fault> store_fault_;  ///< guarded by store_mutex_
  mail::SteadyTime store_tried_{};          ///< guarded by store_mutex_

  std::mutex door_mutex_;
  std::condition_variable door_;
  mail::Workers* workers_ = nullptr;  ///< guarded by door_mutex_; null: the door is closed

  std::mutex deliveries_mutex_;
  // Guarded by deliveries_mutex_.
  mail::DeliveryId last_delivery_ = 0;
  std::unordered_map<mail::DeliveryId, std::shared_ptr<Delivery>> deliveries_;
  std::vector<std::shared_ptr<Delivery>> abandoned_;
};

}  // namespace m365
