// A server of a plugin, owned: created, started, stopped within a deadline, destroyed.
#ifndef HOST_SIM_RUNTIME_PLUGIN_SERVER_H_
#define HOST_SIM_RUNTIME_PLUGIN_SERVER_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "configurator/configuration.h"
#include "mailplugin/mailplugin.h"
#include "runtime/health.h"

namespace runtime {

// What a server tells. Called on the plugin's threads; must not throw.
struct ServerListener {
  // mailbox_id 0: the server itself.
  std::function<void(std::uint64_t mailbox_id, const Health&)> on_health;
  // The settings a secret is to be read anew from; nullptr when the mailbox is not known.
  std::function<const configurator::Settings*(std::uint64_t mailbox_id)> settings_of;
};

// One thing a check looked at.
struct Finding {
  uint32_t result = MAILPLUGIN_FINDING_FAILED, cause = MAILPLUGIN_CAUSE_NONE;
  std::string step, message, code, request_id;
};

class PluginServer {
 public:
  // Throws configurator::ConfigurationError with the plugin's problems, each with its path in the file.
  PluginServer(const mailplugin_server_type& type, const configurator::Settings& settings, std::string file,
               ServerListener listener, base::Log& log);
  // Stops and destroys. When a callback never comes back, the server is left alive: freeing it would be worse.
  ~PluginServer();
  PluginServer(const PluginServer&) = delete;
  PluginServer& operator=(const PluginServer&) = delete;

  // Throws std::runtime_error.
  void start();
  // True when no callback runs any more; false after three deadlines of five seconds.
  bool stop();
  // Opens a mailbox of an incoming server; `events` must live as long as this object. Throws ConfigurationError.
  std::uint64_t open_mailbox(const configurator::Settings& settings, const mailplugin_mailbox_events& events);
  // The plugin's look at the real service: the server itself (mailbox nullptr) or one mailbox with these settings; one
  // finding at a time, on this thread. False when the plugin offers no check. Throws ConfigurationError for faulty
  // settings, std::runtime_error when it cannot look.
  bool look(const configurator::Settings* mailbox, const std::function<void(const Finding&)>& found);
  // The verdict that was PENDING; of an incoming server. Any thread. MAILPLUGIN_E_STATE: the mail was withdrawn, and is
  // handed over again.
  mailplugin_status acknowledge(std::uint64_t delivery, mailplugin_verdict verdict, std::uint32_t retry_after_ms);
  // Of an outgoing server. See mailplugin.h.
  mailplugin_status submit(const mailplugin_message& mail, const mailplugin_submission& submission);

 private:
  static void MAILPLUGIN_CALL on_health(const mailplugin_server_events*, uint64_t, const mailplugin_health*) noexcept;
  static int64_t MAILPLUGIN_CALL read_secret(const mailplugin_server_events*, uint64_t, const char*, char*,
                                             uint64_t) noexcept;

  const std::string file_;
  const ServerListener listener_;
  base::Log& log_;
  mailplugin_server_events events_{};
  const mailplugin_server* server_ = nullptr;
  const mailplugin_incoming* incoming_ = nullptr;  // once a mailbox was opened
  bool started_ = false;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_PLUGIN_SERVER_H_
