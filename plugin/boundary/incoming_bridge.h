#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

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
  void after_stop() override;
  const void* interface(std::string_view id) const override;

  static mailplugin_status MAILPLUGIN_CALL open_mailbox(const mailplugin_server* s, const mailplugin_settings* mailbox,
                                                        const mailplugin_mailbox_events* events,
                                                        const mailplugin_problems* problems, std::uint64_t* mailbox_id);
  static mailplugin_status MAILPLUGIN_CALL close_mailbox(const mailplugin_server* s, std::uint64_t mailbox_id);
  static mailplugin_status MAILPLUGIN_CALL acknowledge(const mailplugin_server* s, std::uint64_t delivery_id,
                                                       mailplugin_verdict verdict, std::uint32_t retry_after_ms);

  /// A mail in the host's hands, and of which mailbox it is.
  struct Held {
    const Mailbox* mailbox;
    std::shared_ptr<MessageView> view;
  };

  void hold(mail::DeliveryId delivery, Held held);
  void forget(mail::DeliveryId delivery);
  /// Mails of `mailbox` (null: of all) are out of reach: reading gives MAILPLUGIN_E_CANCELLED, the memory stays.
  void withdraw(const Mailbox* mailbox);

  static const mailplugin_incoming api_;
  std::map<mail::MailboxId, std::unique_ptr<Mailbox>> mailboxes_;  // control functions only
  std::mutex mutex_;
  // Guarded by mutex_: mails the host has in hands, by delivery; and those it had when the server or their mailbox
  // stopped, whose memory it may look at until destroy().
  std::map<mail::DeliveryId, Held> held_;
  std::vector<std::shared_ptr<MessageView>> withdrawn_;
  std::unique_ptr<mail::IncomingServer> server_;  // last: its threads end before the rest goes
};

}  // namespace boundary
