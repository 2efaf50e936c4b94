// The module: one a host, counted; its server types and what its servers share.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "boundary/form_view.h"
#include "boundary/host_log.h"
#include "mail/servers.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

class ServerBridge;

class Module {
 public:
  /// Throws mail::FaultError when the state folder cannot be used.
  explicit Module(const mailplugin_host& host);
  ~Module();
  Module(const Module&) = delete;
  Module& operator=(const Module&) = delete;

  const mailplugin_module* api() const { return &api_; }
  const mailplugin_host* host() const { return &host_; }
  mail::Log& log() { return log_; }

  void server_made(ServerBridge& server);
  void server_gone(ServerBridge& server);
  /// Stops what a host forgot to destroy, so that no callback comes after shutdown. True when there was nothing.
  bool stop_forgotten_servers();

  /// The entry and shutdown of the C interface.
  static mailplugin_status enter(const mailplugin_host* host, const mailplugin_module** module);
  static void leave();

 private:
  struct Type;
  struct Shared;
  template <typename Bridge, typename Create>
  static mailplugin_status create_server(const mailplugin_settings* settings, const mailplugin_server_events* events,
                                         const mailplugin_problems* problems, const mailplugin_server** server,
                                         Create create);
  static mailplugin_status MAILPLUGIN_CALL create_incoming(const mailplugin_server_type* type,
                                                           const mailplugin_settings* settings,
                                                           const mailplugin_server_events* events,
                                                           const mailplugin_problems* problems,
                                                           const mailplugin_server** server);
  static mailplugin_status MAILPLUGIN_CALL create_outgoing(const mailplugin_server_type* type,
                                                           const mailplugin_settings* settings,
                                                           const mailplugin_server_events* events,
                                                           const mailplugin_problems* problems,
                                                           const mailplugin_server** server);

  const mailplugin_host& host_;
  HostLog log_;
  std::unique_ptr<Shared> shared_;
  const mailplugin_server_type* types_[2];
  mailplugin_module api_{};
  std::mutex mutex_;
  std::set<ServerBridge*> servers_;  // guarded by mutex_
};

}  // namespace boundary
