// What both kinds of server share at the boundary: the C table, start, stop, destroy, health.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "boundary/guard.h"
#include "boundary/host_log.h"
#include "mail/servers.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

class Module;

/// One server as the host holds it. Made by create(), freed by the host's destroy().
class ServerBridge : public mail::ServerListener {
 public:
  ServerBridge(Module& module, const mailplugin_server_events* events);
  ~ServerBridge() override;
  ServerBridge(const ServerBridge&) = delete;
  ServerBridge& operator=(const ServerBridge&) = delete;

  const mailplugin_server* api() const { return &api_; }
  /// Ends callbacks for good, within the deadline. Any state.
  virtual bool stop(std::chrono::milliseconds deadline);

  void on_health(mail::MailboxId mailbox, const mail::Health& now) override;
  std::optional<mail::Secret> read_secret(mail::MailboxId mailbox, std::string_view key) override;

 protected:
  static ServerBridge* of(const mailplugin_server* server);
  virtual mail::Server& server() = 0;
  virtual void after_stop() {}
  virtual const void* interface(std::string_view id) const = 0;
  mail::Log& log() const;

  /// Runs `body` for a control function. MAILPLUGIN_E_STATE and a line in the log where the host calls it from inside a
  /// callback, or while another one runs.
  template <typename Body>
  mailplugin_status controlled(const char* function, Body&& body) {
    if (called_from_inside(log(), function)) return MAILPLUGIN_E_STATE;
    const std::unique_lock lock(control_, std::try_to_lock);
    if (!lock) {
      log().write(mail::Level::misuse, function, "was called while another control function of this server runs");
      return MAILPLUGIN_E_STATE;
    }
    return guarded(log(), function, std::forward<Body>(body));
  }

 private:
  static mailplugin_status MAILPLUGIN_CALL start_call(const mailplugin_server* s);
  static mailplugin_status MAILPLUGIN_CALL stop_call(const mailplugin_server* s, std::uint32_t deadline_ms);
  static void MAILPLUGIN_CALL destroy_call(const mailplugin_server* s);
  static const void* MAILPLUGIN_CALL interface_call(const mailplugin_server* s, const char* id);
  static mailplugin_status MAILPLUGIN_CALL look_call(const mailplugin_server* s, const mailplugin_settings* mailbox,
                                                     std::uint32_t deadline_ms, const mailplugin_findings* findings,
                                                     const mailplugin_problems* problems);

  static const mailplugin_check check_api_;

  Module& module_;
  const mailplugin_server_events* const events_;  // may be null
  std::mutex control_;
  mailplugin_server api_;
};

}  // namespace boundary
