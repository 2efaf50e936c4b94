#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "boundary/message_view.h"
#include "boundary/server_bridge.h"

namespace boundary {

/// mailplugin.incoming/1 over mail::IncomingServer.
class IncomingBridge final : public ServerBridge {
 public:
  IncomingBridge(Module& module, const mailplugin_server_events* events);
  ~IncomingBridge() override;
  /// Once, before the bridge is given to the host.
  void take(std::unique_ptr<mail::IncomingServer> server) { server_ = std::move(server); }

 private:
  class Mailbox;

  mail::Server& server() override { return *server_; }
  void before_start() override;
  void after_stop() override;
  const void* interface(std::string_view id) const override;

  static mailplugin_status MAILPLUGIN_CALL open_mailbox(const mailplugin_server* s, const mailplugin_settings* mailbox,
                                                        const mailplugin_mailbox_events* events,
                                                        const mailplugin_problems* problems, std::uint64_t* mailbox_id);
  static mailplugin_status MAILPLUGIN_CALL close_mailbox(const mailplugin_server* s, std::uint64_t mailbox_id);
  static mailplugin_status MAILPLUGIN_CALL acknowledge(const mailplugin_server* s, std::uint64_t delivery_id,
                                                       mailplugin_verdict verdict, std::uint32_t retry_after_ms);

  void keep(mail::DeliveryId delivery, std::shared_ptr<MessageView> view);
  void forget(mail::DeliveryId delivery);

  static const mailplugin_incoming api_;
  std::map<mail::MailboxId, std::unique_ptr<Mailbox>> mailboxes_;  // control functions only
  std::mutex mutex_;
  // Guarded by mutex_: mails the host has in hands, by delivery.
  std::map<mail::DeliveryId, std::shared_ptr<MessageView>> views_;
  std::unique_ptr<mail::IncomingServer> server_;  // last: its threads end before the rest goes
};

}  // namespace boundary
