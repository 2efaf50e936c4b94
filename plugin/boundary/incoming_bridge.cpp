#include "boundary/incoming_bridge.h"

#include <algorithm>
#include <limits>

#include "boundary/guard.h"
#include "boundary/settings_reader.h"

namespace boundary {
namespace {

std::uint32_t milliseconds_for_host(std::chrono::milliseconds time) {
  constexpr std::int64_t most = std::numeric_limits<std::uint32_t>::max();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(time.count(), 0, most));
}

}  // namespace

/// One open mailbox: the host's events as a listener.
class IncomingBridge::Mailbox final : public mail::MailboxListener {
 public:
  Mailbox(IncomingBridge& server, const mailplugin_mailbox_events* events) : server_(server), events_(events) {}

  mail::Verdict on_message(mail::DeliveryId delivery, const mail::Mail& mail,
                           std::chrono::milliseconds& retry_after) override {
    auto view = std::make_shared<MessageView>(mail, server_.log());
    server_.hold(delivery, {this, view});
    std::uint32_t wait = milliseconds_for_host(retry_after);
    mailplugin_verdict verdict = 0;
    called_host(server_.log(), "on_message",
                [&] { verdict = events_->on_message(events_, delivery, &view->message(), &wait); });
    retry_after = std::chrono::milliseconds(wait);
    if (verdict != MAILPLUGIN_PENDING) server_.forget(delivery);
    if (verdict < MAILPLUGIN_ACCEPTED || verdict > MAILPLUGIN_PENDING) {
      server_.log().write(mail::Level::misuse, "on_message",
                          "the host answered " + std::to_string(verdict) +
                              ", which is no verdict of a received mail; it is offered again later");
      return mail::Verdict::retry_later;
    }
    return static_cast<mail::Verdict>(verdict);
  }

  void on_idle() override {
    if (!MAILPLUGIN_CAN(events_, mailplugin_mailbox_events, on_idle)) return;
    called_host(server_.log(), "on_idle", [&] { events_->on_idle(events_); });
  }

 private:
  IncomingBridge& server_;
  const mailplugin_mailbox_events* const events_;
};

const mailplugin_incoming IncomingBridge::api_ = {sizeof(mailplugin_incoming), 0, &open_mailbox, &close_mailbox,
                                                  &acknowledge};

IncomingBridge::IncomingBridge(Module& module, const mailplugin_server_events* events) : ServerBridge(module, events) {}

IncomingBridge::~IncomingBridge() = default;

const void* IncomingBridge::interface(std::string_view id) const {
  return id == MAILPLUGIN_INCOMING ? &api_ : nullptr;
}

void IncomingBridge::hold(mail::DeliveryId delivery, Held held) {
  const std::lock_guard lock(mutex_);
  held_.insert_or_assign(delivery, std::move(held));
}

void IncomingBridge::forget(mail::DeliveryId delivery) {
  const std::lock_guard lock(mutex_);
  held_.erase(delivery);
}

void IncomingBridge::withdraw(const Mailbox* mailbox) {
  const std::lock_guard lock(mutex_);
  for (auto at = held_.begin(); at != held_.end();) {
    if (mailbox != nullptr && at->second.mailbox != mailbox) {
      ++at;
      continue;
    }
    at->second.view->cancel();
    withdrawn_.push_back(std::move(at->second.view));
    at = held_.erase(at);
  }
}

void IncomingBridge::after_stop() {
  withdraw(nullptr);
}

mailplugin_status MAILPLUGIN_CALL IncomingBridge::open_mailbox(const mailplugin_server* s,
                                                               const mailplugin_settings* mailbox,
                                                               const mailplugin_mailbox_events* events,
                                                               const mailplugin_problems* problems,
                                                               std::uint64_t* mailbox_id) {
  auto* self = static_cast<IncomingBridge*>(of(s));
  if (self == nullptr || mailbox_id == nullptr) return MAILPLUGIN_E_ARGUMENT;
  *mailbox_id = 0;
  if (events == nullptr || !MAILPLUGIN_CAN(events, mailplugin_mailbox_events, on_message)) {
    self->log().write(mail::Level::misuse, "open_mailbox", "mailplugin_mailbox_events without on_message");
    return MAILPLUGIN_E_ARGUMENT;
  }
  return self->controlled("open_mailbox", [&]() -> mailplugin_status {
    HostProblems told(problems, self->log());
    ReadSettings settings;
    if (!read_settings(mailbox, settings.values, told)) return MAILPLUGIN_E_ARGUMENT;
    auto opened = std::make_unique<Mailbox>(*self, events);
    const auto id = self->server_->open_mailbox(settings.values, *opened, told);
    if (!id) return MAILPLUGIN_E_CONFIG;
    self->mailboxes_[*id] = std::move(opened);
    *mailbox_id = *id;
    return MAILPLUGIN_OK;
  });
}

mailplugin_status MAILPLUGIN_CALL IncomingBridge::close_mailbox(const mailplugin_server* s, std::uint64_t mailbox_id) {
  auto* self = static_cast<IncomingBridge*>(of(s));
  if (self == nullptr) return MAILPLUGIN_E_ARGUMENT;
  return self->controlled("close_mailbox", [&]() -> mailplugin_status {
    if (!self->server_->close_mailbox(mailbox_id)) return MAILPLUGIN_E_ARGUMENT;
    const auto closed = self->mailboxes_.find(mailbox_id);
    if (closed == self->mailboxes_.end()) return MAILPLUGIN_E_ARGUMENT;
    self->withdraw(closed->second.get());
    self->mailboxes_.erase(closed);
    return MAILPLUGIN_OK;
  });
}

mailplugin_status MAILPLUGIN_CALL IncomingBridge::acknowledge(const mailplugin_server* s, std::uint64_t delivery_id,
                                                              mailplugin_verdict verdict,
                                                              std::uint32_t retry_after_ms) {
  auto* self = static_cast<IncomingBridge*>(of(s));
  if (self == nullptr) return MAILPLUGIN_E_ARGUMENT;
  if (verdict < MAILPLUGIN_ACCEPTED || verdict > MAILPLUGIN_REJECTED) return MAILPLUGIN_E_ARGUMENT;
  return guarded(self->log(), "acknowledge", [&]() -> mailplugin_status {
    std::shared_ptr<MessageView> view;  // freed after the server has let go of the mail
    {
      const std::lock_guard lock(self->mutex_);
      const auto found = self->held_.find(delivery_id);
      if (found == self->held_.end()) return MAILPLUGIN_E_STATE;
      view = found->second.view;
    }
    if (!self->server_->acknowledge(delivery_id, static_cast<mail::Verdict>(verdict),
                                    std::chrono::milliseconds(retry_after_ms))) {
      return MAILPLUGIN_E_STATE;
    }
    self->forget(delivery_id);
    return MAILPLUGIN_OK;
  });
}

}  // namespace boundary
