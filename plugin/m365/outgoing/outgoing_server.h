// The OutgoingMailServer for Microsoft 365: takes mail, sends it from the mailboxes it names, tells what became of it.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "m365/environment.h"
#include "m365/graph/graph_client.h"
#include "m365/outgoing/outgoing_health.h"
#include "m365/outgoing/send_limits.h"
#include "m365/outgoing/submission_context.h"
#include "m365/outgoing/submission_run.h"
#include "m365/settings/server_settings.h"
#include "mail/schedule.h"
#include "mail/servers.h"
#include "mail/workers.h"

namespace m365 {

/// One queue a mailbox: its submissions run one after the other, in the order they came; while one waits (for a look,
/// for a retry) the next goes on. Mailboxes run side by side on one pool of workers, and a wait costs no worker.
///
/// What a submission's trouble comes to:
///  - refused by Exchange (recipient, size, ...): rejected, with the reason; its draft is removed.
///  - needs an administrator (secret, consent, policy, Send As): seen twice 5 s apart, then retry_later after 5 minutes
///    with the reason, and the server's health says the same. Nobody's reply waits for hours without a word.
///  - transient: retried by itself for 2 hours, then retry_later.
///  - the sending limit of the mailbox: retry_later after the pause, for all that wait in this mailbox and all that
///  come.
///  - whether it left is not known: looked for over ten minutes, see submission_run.h; in the end perhaps uncertain.
/// A submission given back with retry_later is continued, not begun anew, when the same key is submitted again.
class OutgoingMailServer final : public mail::OutgoingServer {
 public:
  using MakeGraph = std::function<std::shared_ptr<GraphClient>()>;

  /// `environment` and `listener` outlive it. `make_graph` is called on a worker, when the server runs; it may throw
  /// FaultError.
  OutgoingMailServer(Environment& environment, OutgoingSettings settings, mail::ServerListener& listener,
                     MakeGraph make_graph);
  ~OutgoingMailServer() override;

  void start() override;
  bool stop(std::chrono::milliseconds deadline) override;
  mail::Taken submit(const mail::Mail& mail, mail::SubmissionListener& listener, std::string& why) override;
  void check(std::stop_token stop, mail::Findings& findings) override;
  bool check_mailbox(const mail::Settings& settings, std::stop_token stop, mail::Findings& findings,
                     mail::Problems& problems) override;

 private:
  /// A submission that was taken. Its run is used only by the worker that runs its queue.
  struct Item {
    const mail::Mail* mail = nullptr;
    std::string key;
    std::deque<mail::SubmissionListener*> listeners;
    std::unique_ptr<SubmissionRun> run;
    mail::SteadyTime due{};
    std::optional<mail::Outcome> decided;
  };
  using ItemPtr = std::shared_ptr<Item>;

  struct Queue {
    std::string mailbox;
    std::list<ItemPtr> items;
    mail::SteadyTime not_before{};                            ///< nobody sends earlier
    mail::Schedule::Pace pace = mail::Schedule::Pace::quick;  ///< as its last turn was
  };

  /// What exists from start() to stop().
  struct Engine {
    explicit Engine(OutgoingMailServer& server);
    std::stop_source stop;
    mail::Schedule schedule;
    mail::Workers workers;
    // Guarded by setup_mutex; made at first use because that touches disk and network. In order of their dependence.
    std::mutex setup_mutex;
    std::shared_ptr<store::Store> store;
    std::shared_ptr<GraphClient> graph;
    std::unique_ptr<SubmissionContext> context;
  };

  // Ids of the schedule; from first_queue on they are mailboxes. Sending goes ahead of upkeep.
  static constexpr std::uint64_t sign_in_job = 1, housekeeping_job = 2, late_drafts_job = 3, first_queue = 16;
  static constexpr std::uint32_t send_priority = 0, upkeep_priority = 1;

  // outgoing_worker.cpp: all of these run on workers
  void run_job(std::uint64_t id);
  std::chrono::milliseconds keep_signed_in(std::stop_token stop);      ///< returns when to call it again
  std::chrono::milliseconds housekeeping();                            ///< likewise
  std::chrono::milliseconds remove_late_drafts(std::stop_token stop);  ///< likewise
  void run_queue(std::uint64_t id, std::stop_token stop);
  void load_new(const std::list<ItemPtr>& items, std::uint64_t queue, const std::string& mailbox, std::stop_token stop);
  void advance(const ItemPtr& item, std::uint64_t queue, std::stop_token stop);
  void answer(const ItemPtr& item, std::uint64_t queue, mail::Outcome outcome);
  void answer_all(std::uint64_t queue);
  void plan_again(std::uint64_t queue, mail::Schedule::Pace pace);
  ItemPtr next_due(const Queue& queue) const;  // mutex_ held
  const SubmissionContext& context();          ///< throws FaultError: no disk, or faulty settings
  void tell(const mail::Health& now);

  Environment& environment_;
  const OutgoingSettings settings_;
  mail::ServerListener& listener_;
  const MakeGraph make_graph_;
  const std::string source_;  ///< how the log names this server
  SendLimits limits_;
  OutgoingHealth health_;
  mail::Secret secret_;             ///< the last one given to the token source; only keep_signed_in() uses it
  int sign_in_failures_ = 0;        ///< likewise
  std::unique_ptr<Engine> engine_;  ///< replaced by control functions only, under mutex_

  std::mutex mutex_;
  // Everything below is guarded by mutex_.
  std::condition_variable emptied_;
  bool accepting_ = false;
  bool frozen_ = false;  ///< stop() has given up waiting: no call into the host starts
  std::map<std::string, ItemPtr> by_key_;
  std::map<std::uint64_t, Queue> queues_;
  std::map<std::string, std::uint64_t> queue_of_;  ///< by mailbox in lower case
};

}  // namespace m365
