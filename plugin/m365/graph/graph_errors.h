// Graph's refusals turned into faults (graph-mail.md, section 16).
#pragma once

#include <string>

#include "http/message.h"
#include "http/transport.h"
#include "mail/clock.h"
#include "mail/fault.h"

namespace m365 {

/// What to do about an answer that is not a success; the letters of the sheet's table.
enum class Action { repeat, permanent, configuration, fresh_token, restart_sync, done };

/// A refusal of Graph. fault() has cause, sentence, code and request-id.
class GraphError : public mail::FaultError {
 public:
  GraphError(mail::Fault fault, int status, Action action)
      : mail::FaultError(std::move(fault)), status_(status), action_(action) {}
  int status() const noexcept { return status_; }
  Action action() const noexcept { return action_; }
  bool not_found() const noexcept { return status_ == 404; }

 private:
  int status_;
  Action action_;
};

/// What an answer was about, for the sentence.
struct Subject {
  std::string mailbox;    ///< address as the administrator typed it
  std::string operation;  ///< "read the folder", "send"; the sentence begins "support@contoso.com: send failed: "
  bool sending = false;   ///< 403 then names Mail.Send, Send As
};

/// The error of an answer with status >= 400 (or of an unexpected success): code (the deepest known), text for people.
/// The body may be empty, HTML, or not JSON; its message text is never repeated, for it can quote parts of a mail.
/// `granted` is TokenSource::permissions() for the sentence of a 403. `now` is what a Retry-After date is measured
/// against when the answer has no Date.
GraphError graph_error(const http::Response& response, const Subject& subject, const std::string& granted,
                       mail::WallTime now = mail::system_clock().wall());

/// The same for a failure below HTTP.
mail::FaultError transport_fault(const http::TransportError& error, const Subject& subject);

}  // namespace m365
