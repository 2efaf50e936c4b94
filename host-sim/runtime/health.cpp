#include "runtime/health.h"

#include "base/clock.h"
#include "runtime/known.h"

namespace runtime {
namespace {

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

}  // namespace

Health copy_of(const mailplugin_health& health) {
  Health copy;
  copy.state = health.state;
  copy.cause = health.cause;
  copy.retry_after_ms = health.retry_after_ms;
  copy.since_unix_ms = health.since_unix_ms;
  copy.last_success_unix_ms = health.last_success_unix_ms;
  copy.message = text_of(health.message);
  copy.code = text_of(health.code);
  copy.request_id = text_of(health.request_id);
  return copy;
}

std::string name_of_state(uint32_t state) {
  switch (state) {
    case MAILPLUGIN_STOPPED:
      return "stopped";
    case MAILPLUGIN_STARTING:
      return "starting";
    case MAILPLUGIN_READY:
      return "ready";
    case MAILPLUGIN_DEGRADED:
      return "degraded";
    case MAILPLUGIN_FAILED:
      return "failed";
    default:
      return "unknown";
  }
}

std::string name_of_cause(uint32_t cause) {
  // In the header's order.
  constexpr const char* names[] = {"none",
                                   "network",
                                   "throttled",
                                   "secret_refused",
                                   "secret_expired",
                                   "consent_missing",
                                   "mailbox_unknown",
                                   "mailbox_forbidden",
                                   "host_refuses",
                                   "tls",
                                   "proxy",
                                   "tenant_unknown",
                                   "client_unknown",
                                   "password_refused",
                                   "sign_in_blocked",
                                   "secret_expires_soon",
                                   "mailbox_full",
                                   "folder_missing",
                                   "folder_shared",
                                   "first_fetch",
                                   "sender_forbidden",
                                   "send_limit",
                                   "service_fault",
                                   "state_disk"};
  static_assert(sizeof names / sizeof *names == MAILPLUGIN_CAUSE_STATE_DISK + 1);
  return cause <= MAILPLUGIN_CAUSE_STATE_DISK ? names[cause] : "unknown";
}

bool needs_administrator(const Health& health) {
  // It reads nothing until somebody chooses; the plugin calls it degraded because nothing is broken.
  if (health.cause == MAILPLUGIN_CAUSE_FIRST_FETCH) return true;
  if (health.state != MAILPLUGIN_FAILED) return false;
  switch (health.cause) {
    case MAILPLUGIN_CAUSE_NONE:
    case MAILPLUGIN_CAUSE_NETWORK:
    case MAILPLUGIN_CAUSE_THROTTLED:
    case MAILPLUGIN_CAUSE_TLS:    // a cut handshake looks like a wrong certificate: it gets its patience
    case MAILPLUGIN_CAUSE_PROXY:  // likewise a proxy that restarts
    case MAILPLUGIN_CAUSE_SEND_LIMIT:
    case MAILPLUGIN_CAUSE_SERVICE_FAULT:
    case MAILPLUGIN_CAUSE_STATE_DISK:
      return false;
    default:
      return true;
  }
}

base::Json health_event(const Health& health, const std::string& server, const std::string& queue,
                        const std::string& address, std::int64_t now_unix_ms) {
  using base::Json;
  const Json retry = health.retry_after_ms == 0 ? Json() : Json(base::to_rfc3339(now_unix_ms + health.retry_after_ms));
  return Json::object({{"event", "health"},
                       {"time", base::to_rfc3339(now_unix_ms)},
                       {"server", server},
                       {"queue", known(queue)},
                       {"address", known(address)},
                       {"state", name_of_state(health.state)},
                       {"cause", name_of_cause(health.cause)},
                       {"text", known(health.message)},
                       {"code", known(health.code)},
                       {"request_id", known(health.request_id)},
                       {"since", base::known_time(health.since_unix_ms)},
                       {"last_success", base::known_time(health.last_success_unix_ms)},
                       {"retry_at", retry}});
}

std::string sentence(const Health& health) {
  std::string text = health.message.empty() ? name_of_state(health.state) : health.message;
  std::string details;
  const auto add = [&](const std::string& name, const std::string& value) {
    // The plugin's own words may quote them already.
    if (!value.empty() && text.find(value) == std::string::npos)
      details += (details.empty() ? "" : ", ") + name + value;
  };
  add("", health.code);
  add("request-id ", health.request_id);
  return details.empty() ? text : text + " (" + details + ")";
}

}  // namespace runtime
