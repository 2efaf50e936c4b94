// What can go wrong, in the words of the domain. Every failure that leaves a room is a Fault: a cause an administrator
// can act on, a sentence, and what heals it.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <string>
#include <utility>

namespace mail {

/// Why a server or mailbox is not READY. Values are those of MAILPLUGIN_CAUSE_*; boundary/ asserts it.
enum class Cause : std::uint32_t {
  none = 0,
  network,
  throttled,
  secret_refused,
  secret_expired,
  consent_missing,
  mailbox_unknown,
  mailbox_forbidden,
  host_refuses,
  tls,
  proxy,
  tenant_unknown,
  client_unknown,
  password_refused,
  sign_in_blocked,
  secret_expires_soon,
  mailbox_full,
  folder_missing,
  folder_shared,
  first_fetch,
  sender_forbidden,
  send_limit,
  service_fault,
  state_disk,
};

/// What makes a Fault go away.
enum class Remedy {
  wait,           ///< heals by itself: back off and repeat
  administrator,  ///< the configuration has to change: say so, probe slowly
  item,           ///< concerns this one mail or submission only: set it aside, others go on
  cancelled,      ///< stop() was called; nothing is wrong
};

struct Fault {
  Cause cause = Cause::none;
  Remedy remedy = Remedy::wait;
  std::string text;        ///< what happened, where (server, address), what to do; no secret, no mail text
  std::string code;        ///< as the service named it ("AADSTS7000215", "ErrorAccessDenied"), else empty
  std::string request_id;  ///< to quote to the service's support, else empty
  std::chrono::milliseconds retry_after{0};  ///< asked for by the service; 0 = the caller decides
  bool maybe_done = false;                   ///< the service may have carried the request out all the same
};

/// Thrown across rooms. what() is the fault's text.
class FaultError : public std::exception {
 public:
  explicit FaultError(Fault fault) : fault_(std::move(fault)) {}
  const Fault& fault() const noexcept { return fault_; }
  const char* what() const noexcept override { return fault_.text.c_str(); }

 private:
  Fault fault_;
};

}  // namespace mail
