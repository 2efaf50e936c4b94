#include "boundary/server_bridge.h"

#include <limits>

#include "boundary/check_bridge.h"
#include "boundary/guard.h"
#include "boundary/module.h"
#include "boundary/text.h"

namespace boundary {
namespace {

constexpr std::int64_t longest_secret = 64 * 1024;

}  // namespace

ServerBridge::ServerBridge(Module& module, const mailplugin_server_events* events)
    : module_(module),
      events_(events),
      api_{sizeof(mailplugin_server), 0, this, &start_call, &stop_call, &destroy_call, &interface_call} {
  module_.server_made(*this);
}

ServerBridge::~ServerBridge() {
  module_.server_gone(*this);
}

mail::Log& ServerBridge::log() const {
  return module_.log();
}

ServerBridge* ServerBridge::of(const mailplugin_server* server) {
  return server == nullptr ? nullptr : static_cast<ServerBridge*>(server->self);
}

bool ServerBridge::stop(std::chrono::milliseconds deadline) {
  const bool stopped = server().stop(deadline);
  after_stop();
  return stopped;
}

mailplugin_status MAILPLUGIN_CALL ServerBridge::start_call(const mailplugin_server* s) {
  ServerBridge* self = of(s);
  if (self == nullptr) return MAILPLUGIN_E_ARGUMENT;
  return self->controlled("start", [self]() -> mailplugin_status {
    self->server().start();
    return MAILPLUGIN_OK;
  });
}

mailplugin_status MAILPLUGIN_CALL ServerBridge::stop_call(const mailplugin_server* s, std::uint32_t deadline_ms) {
  ServerBridge* self = of(s);
  if (self == nullptr) return MAILPLUGIN_E_ARGUMENT;
  return self->controlled("stop", [self, deadline_ms]() -> mailplugin_status {
    return self->stop(std::chrono::milliseconds(deadline_ms)) ? MAILPLUGIN_OK : MAILPLUGIN_E_TIMEOUT;
  });
}

void MAILPLUGIN_CALL ServerBridge::destroy_call(const mailplugin_server* s) {
  ServerBridge* self = of(s);
  if (self == nullptr) return;
  // A callback that never returns would free memory under its feet: destroy waits for it, as the header says.
  const mailplugin_status stopped = self->controlled("destroy", [self]() -> mailplugin_status {
    while (!self->stop(std::chrono::hours(1))) {
    }
    return MAILPLUGIN_OK;
  });
  // Refused: the server lives on, and destroy can be called again. Freeing it would be worse.
  if (stopped == MAILPLUGIN_OK) delete self;
}

const void* MAILPLUGIN_CALL ServerBridge::interface_call(const mailplugin_server* s, const char* id) {
  ServerBridge* self = of(s);
  if (self == nullptr || id == nullptr) return nullptr;
  return std::string_view(id) == MAILPLUGIN_CHECK ? &check_api_ : self->interface(id);
}

const mailplugin_check ServerBridge::check_api_ = {sizeof(mailplugin_check), 0, &look_call};

mailplugin_status MAILPLUGIN_CALL ServerBridge::look_call(const mailplugin_server* s,
                                                          const mailplugin_settings* mailbox, std::uint32_t deadline_ms,
                                                          const mailplugin_findings* findings,
                                                          const mailplugin_problems* problems) {
  ServerBridge* self = of(s);
  if (self == nullptr) return MAILPLUGIN_E_ARGUMENT;
  return self->controlled("look",
                          [&] { return check(self->server(), self->log(), mailbox, deadline_ms, findings, problems); });
}

void ServerBridge::on_health(mail::MailboxId mailbox, const mail::Health& now) {
  if (events_ == nullptr || !MAILPLUGIN_CAN(events_, mailplugin_server_events, on_health)) return;
  const auto wait = std::min<std::int64_t>(now.retry_after.count(), std::numeric_limits<std::uint32_t>::max());
  mailplugin_health health{};
  health.struct_size = sizeof health;
  health.state = static_cast<std::uint32_t>(now.state);
  health.cause = static_cast<std::uint32_t>(now.cause);
  health.retry_after_ms = wait < 0 ? 0 : static_cast<std::uint32_t>(wait);
  health.since_unix_ms = now.since.time_since_epoch().count();
  health.last_success_unix_ms = now.last_success.time_since_epoch().count();
  health.message = now.text.c_str();
  health.code = or_null(now.code);
  health.request_id = or_null(now.request_id);
  called_host(log(), "on_health", [&] { events_->on_health(events_, mailbox, &health); });
}

std::optional<mail::Secret> ServerBridge::read_secret(mail::MailboxId mailbox, std::string_view key) {
  if (events_ == nullptr || !MAILPLUGIN_CAN(events_, mailplugin_server_events, read_secret)) return std::nullopt;
  const std::string key_text(key);
  std::size_t room = 256;
  for (int attempt = 0; attempt < 3; ++attempt) {  // the value may grow between two calls
    std::string value(room, '\0');
    const mail::WipedAtEnd end(value);
    std::int64_t size = MAILPLUGIN_E_INTERNAL;
    called_host(log(), "read_secret",
                [&] { size = events_->read_secret(events_, mailbox, key_text.c_str(), value.data(), value.size()); });
    if (size < 0) return std::nullopt;
    if (size > longest_secret) {
      log().write(mail::Level::misuse, "read_secret",
                  "the host says that " + key_text + " has " + std::to_string(size) + " bytes, which no secret has");
      return std::nullopt;
    }
    if (static_cast<std::size_t>(size) <= value.size()) {
      return std::string_view(value).substr(0, static_cast<std::size_t>(size));
    }
    room = static_cast<std::size_t>(size);
  }
  return std::nullopt;
}

}  // namespace boundary
