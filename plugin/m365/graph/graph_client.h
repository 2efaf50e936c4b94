// Microsoft Graph as this product uses it: paths, preferences, batches, errors. Knows no mail logic.
#pragma once

#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/pipeline.h"
#include "m365/graph/graph_errors.h"
#include "m365/settings/server_settings.h"
#include "m365/sign_in/token_source.h"

namespace m365 {

constexpr std::size_t batch_limit = 20;  ///< requests that one $batch may hold (graph-mail.md, section 14)

class Environment;

/// "/users/{mailbox}", percent-encoded as one segment; "/users('$x@contoso.com')" where it begins with "$".
std::string user_path(std::string_view mailbox);
/// Wraps a value for an OData string literal: quotes doubled, not yet percent-encoded.
std::string odata_literal(std::string_view text);

struct GraphRequest {
  std::string method = "GET";
  std::string path;       ///< below /v1.0, begins with "/", query included and encoded; or an absolute link of Graph's
  std::string body;       ///< JSON
  std::string operation;  ///< for the log and for sentences
  std::string mailbox;    ///< gate key and subject
  std::vector<std::string> prefer;  ///< beside IdType="ImmutableId", which is always sent
  std::string content_type = "application/json";
  http::Urgency urgency = http::Urgency::fetch;
  bool repeatable = true;
  bool sending = false;  ///< for the sentence of a 403
};

struct BatchAnswer {
  int status = 0;
  http::Headers headers;
  std::string body;  ///< JSON text as it stood in the batch
};

/// Any thread.
class GraphClient {
 public:
  GraphClient(Environment& environment, const TenantSettings& tenant, std::shared_ptr<TokenSource> tokens,
              std::string source);
  virtual ~GraphClient();

  /// The answer when its status is 2xx; everything else throws GraphError or mail::FaultError (network, sign-in, gate:
  /// throttled with retry_after, cancelled). An absolute link of another origin than Graph's is refused
  /// (service_fault).
  virtual http::Response send(const GraphRequest& request, std::stop_token stop);
  /// As send, but the body is read by the caller, whatever its size.
  virtual std::unique_ptr<http::Exchange> open(const GraphRequest& request, std::stop_token stop);
  /// One exchange for up to 20 requests (graph-mail.md, section 14); answers in the order of the requests, each with
  /// its own status. Inner 429s have shut the gate of their mailbox. An answer that is missing has status 0. Throws as
  /// send for the batch as a whole.
  ///
  /// Where $batch itself is refused (400, 404, 405, 501) the requests go out one after the other, and so do those of
  /// the next hour; what was not reached when the network failed on the way has status 0.
  virtual std::vector<BatchAnswer> batch(const std::vector<GraphRequest>& requests, std::stop_token stop);
  /// False while the service refuses $batch: then nothing is won by gathering requests of several mailboxes, which
  /// would wait for each other.
  virtual bool batches() const;
  /// A PUT of raw bytes to an upload URL: https only, no token, the URL never logged. Any status is returned.
  virtual http::Response upload(const std::string& upload_url, std::string_view bytes, std::uint64_t offset,
                                std::uint64_t total, const std::string& mailbox, std::stop_token stop);
  /// The error for a batch answer, as send would have thrown it.
  virtual GraphError error_of(const BatchAnswer& answer, const GraphRequest& request) const;

  const std::string& graph_origin() const;
  TokenSource& tokens() const;
  http::Gate& gate() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace m365
