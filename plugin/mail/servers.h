// The two interfaces of the domain, and what they call back. boundary/ bridges them to the C ABI; m365/ implements
// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "mail/check.h"
#include "mail/health.h"
#include "mail/mail.h"
#include "mail/secret.h"
#include "mail/settings.h"
#include "mail/verdict.h"

namespace mail {

using MailboxId = std::uint64_t;   ///< never 0; 0 means the server itself
using DeliveryId = std::uint64_t;  ///< one call of on_message; never 0

/// Called on workers of the server; never once stop() has returned true. Must not call the server's control functions.
class ServerListener {
 public:
  virtual ~ServerListener() = default;
  virtual void on_health(MailboxId mailbox, const Health& now) = 0;
  /// The present value of a secret field, after the service refused it; nullopt when the host cannot tell.
  virtual std::optional<Secret> read_secret(MailboxId mailbox, std::string_view key) = 0;
};

/// Called on workers; for one mailbox never two calls at a time.
class MailboxListener {
 public:
  virtual ~MailboxListener() = default;
  /// `retry_after` comes with the plugin's proposal and may be changed with Verdict::retry_later. An answer that is no
  /// verdict (none, uncertain, unknown) counts as retry_later. With Verdict::pending the mail stays valid until
  /// acknowledge() has returned, or until stop().
  virtual Verdict on_message(DeliveryId delivery, const Mail& mail, std::chrono::milliseconds& retry_after) = 0;
  virtual void on_idle() = 0;
};

/// The parts that both kinds of server share. start, stop and the destructor: one call at a time (control).
class Server {
 public:
  virtual ~Server() = default;  ///< stops first, without a deadline, if needed
  /// Returns at once. Started twice: no effect. After a stop it starts anew.
  virtual void start() = 0;
  /// Ends work in flight. True: no callback runs or will run. False: the deadline passed with a callback still in the
  /// host; no new one starts; call again.
  virtual bool stop(std::chrono::milliseconds deadline) = 0;
  /// Looks at the server's own settings, at the real service, without touching a mail. Blocks at most until `stop`.
  /// Started or not. Control.
  virtual void check(std::stop_token stop, Findings& findings) = 0;
  /// The same for one mailbox with these settings. False: they are faulty, told to `problems`; nothing was asked.
  virtual bool check_mailbox(const Settings& mailbox, std::stop_token stop, Findings& findings, Problems& problems) = 0;
};

class IncomingServer : public Server {
 public:
  /// nullopt: refused, told to `problems`; nothing was opened. Touches no network. Control.
  virtual std::optional<MailboxId> open_mailbox(const Settings& settings, MailboxListener& listener,
                                                Problems& problems) = 0;
  /// Waits for a callback of this mailbox that runs. False: unknown. Control.
  virtual bool close_mailbox(MailboxId mailbox) = 0;
  /// The verdict after Verdict::pending. False: unknown delivery, decided already, or no verdict. Any thread.
  virtual bool acknowledge(DeliveryId delivery, Verdict verdict, std::chrono::milliseconds retry_after) = 0;
};

/// What became of a submission.
struct Outcome {
  Verdict verdict = Verdict::none;  ///< accepted, rejected, retry_later or uncertain
  std::chrono::milliseconds retry_after{0};
  std::uint32_t attempts = 0;
  std::string internet_message_id, conversation_id;  ///< as it left, empty when not known
  std::string reason;                                ///< for an administrator, empty when accepted
};

class SubmissionListener {
 public:
  virtual ~SubmissionListener() = default;
  /// Exactly once for each submission taken. The submitted mail may be freed when it returns. On a worker.
  virtual void on_sent(const Outcome& outcome) = 0;
};

enum class Taken { ok, stopped, invalid };

class OutgoingServer : public Server {
 public:
  /// Takes one mail and returns at once. `mail` and `listener` stay valid until on_sent. Idempotent by mail.stable_id,
  /// across restarts. stopped: the server does not run. invalid: `why` says what is wrong with the mail. Any thread.
  virtual Taken submit(const Mail& mail, SubmissionListener& listener, std::string& why) = 0;
};

}  // namespace mail
