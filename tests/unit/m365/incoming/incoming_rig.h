// An IncomingMailServer on the small Graph of incoming_fake_graph.h, a clock that the test moves, and a state file in a
// directory of its own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "m365/incoming/incoming_fake_graph.h"
#include "m365/incoming/incoming_flaky_store.h"
#include "m365/incoming/incoming_server.h"
#include "support/capturing_log.h"
#include "support/fixed_random.h"

namespace fake {

/// As support::ManualClock, but a test can wait until all the work that fell due is done.
class TestClock final : public mail::Clock {
 public:
  mail::SteadyTime now() const override;
  mail::WallTime wall() const override;
  bool pause(std::chrono::milliseconds time, std::stop_token stop) override;
  /// Returns early, often: the waiter then looks whether something is due.
  void wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable_any& wake, mail::SteadyTime until,
                  std::stop_token stop) override;
  void advance(std::chrono::milliseconds time);
  /// Until `count` threads have looked twice and found nothing due: once is not enough, for the other one may have
  /// planned something in between.
  /// The earliest time that one of them waits for.
  mail::SteadyTime await_quiet(std::size_t count) const;

 private:
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  std::chrono::milliseconds passed_{0};
  struct Looks {
    unsigned times = 0;
    mail::SteadyTime until = mail::SteadyTime::max();
  };
  mutable std::map<std::thread::id, Looks> looks_;
};

struct Received {
  mail::DeliveryId delivery = 0;
  std::string stable_id, service_id, subject;
  std::uint32_t flags = 0;
};

/// The host's side of one mailbox. Accepts unless told otherwise.
class Inbox final : public mail::MailboxListener {
 public:
  mail::Verdict on_message(mail::DeliveryId delivery, const mail::Mail& mail,
                           std::chrono::milliseconds& retry_after) override;
  void on_idle() override;

  std::vector<Received> received() const;
  std::size_t count() const { return received().size(); }
  unsigned idles() const;
  /// The verdict for each mail; runs in the callback.
  std::function<mail::Verdict(const Received&, std::chrono::milliseconds&)> decide;
  std::vector<std::chrono::milliseconds> proposals() const;
  bool overlapped() const;

 private:
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  std::vector<std::chrono::milliseconds> proposals_;
  unsigned idles_ = 0, inside_ = 0;
  bool overlapped_ = false;
};

class Watcher final : public mail::ServerListener {
 public:
  void on_health(mail::MailboxId mailbox, const mail::Health& now) override;
  std::optional<mail::Secret> read_secret(mail::MailboxId mailbox, std::string_view key) override;
  mail::Health health(mail::MailboxId mailbox) const;
  std::vector<mail::Health> history(mail::MailboxId mailbox) const;
  void set_secret(const std::string& secret);

 private:
  mutable std::mutex mutex_;
  std::map<mail::MailboxId, std::vector<mail::Health>> told_;
  std::optional<std::string> secret_;
};

class Rig {
 public:
  Rig();
  ~Rig();

  /// Settings of an address: "support@contoso.com" with its inbox, and what is given on top.
  mail::Settings address(mail::Settings more = {}) const;
  mail::MailboxId open(Inbox& inbox, mail::Settings more = {});
  void start() { server->start(); }
  /// A new server on the same state: the process was started again. `killed`: without an orderly stop of the state.
  void restart();
  /// Moves the clock, to the next time that something is due or by `step` if that is more, until `condition`; fails the
  /// test after `longest` on that clock.
  void until(const std::string& what, const std::function<bool()>& condition,
             std::chrono::milliseconds step = std::chrono::milliseconds(250),
             std::chrono::milliseconds longest = std::chrono::minutes(10));
  /// Lets `time` pass, in the same steps, so that everything due has its turn.
  void pass(std::chrono::milliseconds time, std::chrono::milliseconds step = std::chrono::milliseconds(500));
  void until_idle(const Inbox& inbox, unsigned times);
  /// The same where another mailbox keeps a worker busy all the time.
  void until_idle_while_busy(const Inbox& inbox, unsigned times);
  std::size_t busy = 0;  ///< workers that the test keeps inside the host

  TestClock clock;
  support::FixedRandom random;
  support::CapturingLog log;
  std::filesystem::path dir;
  std::shared_ptr<World> world;
  std::shared_ptr<Tokens> tokens;
  Watcher watcher;
  std::unique_ptr<m365::Environment> environment;
  m365::IncomingSettings settings;
  std::atomic<bool> disk_fails{false};
  std::atomic<unsigned> decisions{0};  ///< transactions that wrote receipts
  std::unique_ptr<m365::IncomingMailServer> server;

 private:
  void make();
  std::chrono::milliseconds next_step(std::chrono::milliseconds least);
};

inline const std::string support_user = "support@contoso.com";

}  // namespace fake
