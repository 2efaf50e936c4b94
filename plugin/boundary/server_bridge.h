// What both kinds of server share at the boundary: the C table, start, stop, destroy, health.
#pragma once

#include <atomic>
#include <memory>
#include <string>

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
  std::optional<std::string> read_secret(mail::MailboxId mailbox, std::string_view key) override;

 protected:
  static ServerBridge* of(const mailplugin_server* server);
  virtual mail::Server& server() = 0;
  virtual void after_stop() {}
  virtual const void* interface(std::string_view id) const = 0;
  mail::Log& log() const;

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
  mailplugin_server api_;
};

}  // namespace boundary
