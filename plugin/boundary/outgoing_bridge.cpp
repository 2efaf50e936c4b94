#include "boundary/outgoing_bridge.h"

#include <algorithm>
#include <limits>

#include "boundary/guard.h"
#include "boundary/message_view.h"
#include "boundary/text.h"

namespace boundary {

/// One submission on its way: the mail as the rooms see it, and the host's listener.
class OutgoingBridge::Submission final : public mail::SubmissionListener {
 public:
  Submission(OutgoingBridge& server, const mailplugin_submission* host) : server_(server), host_(host) {}

  void on_sent(const mail::Outcome& outcome) override {
    mailplugin_outcome told{};
    told.struct_size = sizeof told;
    told.verdict = static_cast<mailplugin_verdict>(outcome.verdict);
    told.retry_after_ms = static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(outcome.retry_after.count(), 0, std::numeric_limits<std::uint32_t>::max()));
    told.attempts = outcome.attempts;
    told.internet_message_id = view(outcome.internet_message_id);
    told.conversation_id = view(outcome.conversation_id);
    told.reason = or_null(outcome.reason);
    called_host(server_.log(), "on_sent", [&] { host_->on_sent(host_, &told); });
    server_.forget(this);  // deletes this
  }

  mail::Mail mail;

 private:
  OutgoingBridge& server_;
  const mailplugin_submission* const host_;
};

const mailplugin_outgoing OutgoingBridge::api_ = {sizeof(mailplugin_outgoing), 0, &submit};

OutgoingBridge::OutgoingBridge(Module& module, const mailplugin_server_events* events) : ServerBridge(module, events) {}

OutgoingBridge::~OutgoingBridge() = default;

const void* OutgoingBridge::interface(std::string_view id) const {
  return id == MAILPLUGIN_OUTGOING ? &api_ : nullptr;
}

void OutgoingBridge::forget(const Submission* submission) {
  const std::lock_guard lock(mutex_);
  submissions_.remove_if([submission](const auto& held) { return held.get() == submission; });
}

mailplugin_status MAILPLUGIN_CALL OutgoingBridge::submit(const mailplugin_server* s, const mailplugin_message* mail,
                                                         const mailplugin_submission* submission) {
  auto* self = static_cast<OutgoingBridge*>(of(s));
  if (self == nullptr) return MAILPLUGIN_E_ARGUMENT;
  if (mail == nullptr || submission == nullptr || !MAILPLUGIN_CAN(submission, mailplugin_submission, on_sent)) {
    self->log().write(mail::Level::misuse, "submit", "a message and a mailplugin_submission with on_sent are needed");
    return MAILPLUGIN_E_ARGUMENT;
  }
  return guarded(self->log(), "submit", [&]() -> mailplugin_status {
    auto held = std::make_unique<Submission>(*self, submission);
    Submission& taken = *held;
    std::string why;
    if (!read_message(*mail, taken.mail, why)) {
      self->log().write(mail::Level::misuse, "submit", why);
      return MAILPLUGIN_E_ARGUMENT;
    }
    {
      const std::lock_guard lock(self->mutex_);
      self->submissions_.push_back(std::move(held));  // before submit: on_sent may come at once, on a worker
    }
    mail::Taken result = mail::Taken::stopped;
    try {
      result = self->server_->submit(taken.mail, taken, why);
    } catch (...) {
      self->forget(&taken);
      throw;
    }
    if (result == mail::Taken::ok) return MAILPLUGIN_OK;
    self->forget(&taken);
    self->log().write(mail::Level::error, "submit", why);
    return result == mail::Taken::stopped ? MAILPLUGIN_E_STATE : MAILPLUGIN_E_ARGUMENT;
  });
}

}  // namespace boundary
