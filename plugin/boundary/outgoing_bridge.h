#pragma once

#include <list>
#include <memory>
#include <mutex>

#include "boundary/server_bridge.h"

namespace boundary {

/// mailplugin.outgoing/1 over mail::OutgoingServer.
class OutgoingBridge final : public ServerBridge {
 public:
  OutgoingBridge(Module& module, const mailplugin_server_events* events);
  ~OutgoingBridge() override;
  /// Once, before the bridge is given to the host.
  void take(std::unique_ptr<mail::OutgoingServer> server) { server_ = std::move(server); }

 private:
  class Submission;

  mail::Server& server() override { return *server_; }
  const void* interface(std::string_view id) const override;
  void forget(const Submission* submission);

  static mailplugin_status MAILPLUGIN_CALL submit(const mailplugin_server* s, const mailplugin_message* mail,
                                                  const mailplugin_submission* submission);

  static const mailplugin_outgoing api_;
  std::mutex mutex_;
  std::list<std::unique_ptr<Submission>> submissions_;  // guarded by mutex_: taken, on_sent not yet called
  std::unique_ptr<mail::OutgoingServer> server_;        // last: its threads end before the rest goes
};

}  // namespace boundary
