// What every step of a submission needs of the world; one per outgoing server.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "m365/graph/graph_client.h"
#include "m365/outgoing/reply_guard.h"
#include "m365/outgoing/send_limits.h"
#include "mail/clock.h"
#include "mail/log.h"
#include "mail/random.h"
#include "store/store.h"

namespace m365 {

/// All members may be used from every thread; they outlive every submission.
struct SubmissionContext {
  GraphClient& graph;
  store::Store& store;
  SendLimits& limits;
  mail::Clock& clock;
  mail::Random& random;
  mail::Log& log;
  std::string server;               ///< store::Submission::server
  std::string source;               ///< how the log names this server
  std::filesystem::path spool_dir;  ///< for attachments whose size the host does not know
  /// Held while the host's code runs (mail::Workers::InHost); may be empty.
  std::function<std::shared_ptr<void>()> enter_host;
  AutomaticLimit automatic = {};

  std::shared_ptr<void> in_host() const { return enter_host ? enter_host() : nullptr; }
};

/// A request for this mailbox, ahead of bulk fetching (architecture, section 2.4).
inline GraphRequest sending_request(std::string method, std::string path, const std::string& mailbox,
                                    std::string operation) {
  GraphRequest request;
  request.method = std::move(method);
  request.path = std::move(path);
  request.mailbox = mailbox;
  request.operation = std::move(operation);
  request.urgency = http::Urgency::send;
  return request;
}

/// A failure that is told by words alone.
mail::FaultError failure(mail::Cause cause, mail::Remedy remedy, std::string text, std::string request_id = {},
                         bool maybe_done = false);

/// The service may have carried out what this failure answered (graph-mail.md, sections 10.7 and 15): timeouts, cut
/// connections, 5xx and throttling have been followed by real deliveries. A 4xx says that nothing was done.
bool may_be_done(const mail::FaultError& error);

}  // namespace m365
