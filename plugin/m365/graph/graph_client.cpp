#include "m365/graph/graph_client.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>

#include "m365/environment.h"
#include "m365/graph/graph_client_batch.h"

namespace m365 {
namespace {

using std::chrono::milliseconds;

// Errors are small; what is longer is not Graph's.
constexpr std::size_t error_body_limit = 1 << 20;
// When the service says 429 without saying for how long.
constexpr milliseconds default_wait{10'000};
// After $batch was refused.
constexpr std::chrono::hours without_batches{1};

// Without it the ids change whenever a message moves (graph-mail.md, section 7).
std::string prefer_header(const GraphRequest& request) {
  std::string value = "IdType=\"ImmutableId\"";
  for (const std::string& preference : request.prefer) value += ", " + preference;
  return value;
}

Subject subject_of(const GraphRequest& request) {
  return {request.mailbox, request.operation, request.sending};
}

mail::FaultError broken(const Subject& subject, const char* what, bool maybe_done) {
  mail::Fault fault;
  fault.cause = mail::Cause::service_fault;
  fault.text = (subject.mailbox.empty() ? "" : subject.mailbox + ": ") + subject.operation + " failed: " + what;
  fault.maybe_done = maybe_done;
  return mail::FaultError(std::move(fault));
}

bool succeeded(int status) {
  return status >= 200 && status < 300;
}

// Of the batch as a whole: ours are well formed (section 14), so it is not offered here, or not in this form.
bool refuses_batches(int status) {
  return status == 400 || status == 404 || status == 405 || status == 501;
}

}  // namespace

struct GraphClient::Impl {
  Impl(Environment& environment, const TenantSettings& tenant, std::shared_ptr<TokenSource> source_of_tokens,
       std::string source)
      : clock(environment.clock()),
        log(environment.log()),
        source_name(source),
        tokens(std::move(source_of_tokens)),
        gate(environment.gate(tenant.graph_origin, tenant.client_id)),
        graph_origin(tenant.graph_origin),
        origin(http::origin_of(tenant.graph_origin)),
        pipeline(parts(environment, tenant, std::move(source))) {}

  http::PipelineParts parts(Environment& environment, const TenantSettings& tenant, std::string source) const {
    http::PipelineParts parts;
    http::TransportOptions options;
    options.ca_file = tenant.ca_file;
    options.proxy = tenant.proxy;
    parts.transport = environment.transport(options);
    parts.gate = gate;
    parts.tokens = tokens;
    parts.graph_origin = origin;
    parts.clock = &clock;
    parts.random = &environment.random();
    parts.log = &environment.log();
    parts.source = std::move(source);
    return parts;
  }

  // Graph's links are opaque, but a token goes only where Graph is: another origin in a link is refused.
  void check_link(const GraphRequest& request) const {
    if (http::origin_of(request.path) != origin) {
      throw broken(subject_of(request),
                   "Microsoft Graph answered with a link to another server, which is not followed.", false);
    }
  }

  std::string url_of(const GraphRequest& request) const {
    if (request.path.starts_with('/')) return graph_origin + "/v1.0" + request.path;
    check_link(request);
    return request.path;
  }

  // For a batch: what follows "/v1.0".
  std::string_view relative_url(const GraphRequest& request) const {
    if (request.path.starts_with('/')) return request.path;
    check_link(request);
    const std::string_view link = request.path;
    const std::string_view target = link.substr(std::min(link.find('/', link.find("://") + 3), link.size()));
    constexpr std::string_view version = "/v1.0";
    if (!target.starts_with("/v1.0/")) {
      throw broken(subject_of(request), "Microsoft Graph answered with a link outside /v1.0, which is not followed.",
                   false);
    }
    return target.substr(version.size());
  }

  http::Request to_http(const GraphRequest& request) const {
    http::Request result;
    result.method = request.method;
    result.url = url_of(request);
    result.headers.set("Accept", "application/json");
    result.headers.set("Prefer", prefer_header(request));
    if (!request.body.empty()) result.headers.set("Content-Type", request.content_type);
    result.body = request.body;
    result.operation = request.operation;
    if (!request.mailbox.empty()) result.mailboxes = {request.mailbox};
    result.urgency = request.urgency;
    result.repeatable = request.repeatable;
    return result;
  }

  GraphError error_of(const http::Response& response, const Subject& subject) const {
    return graph_error(response, subject, tokens ? tokens->permissions() : std::string(), clock.wall());
  }

  // The service throttles inside a batch, too: nobody asks that mailbox again before the time has passed (section 14).
  void shut_if_throttled(const BatchAnswer& answer, const std::string& mailbox) const {
    if (mailbox.empty()) return;
    const auto wait = http::Response{answer.status, answer.headers, {}}.retry_after(clock.wall());
    const bool overload = (answer.status == 424 || answer.status == 503 || answer.status == 509) && wait;
    if (answer.status == 429 || overload) gate->shut(mailbox, wait.value_or(default_wait));
  }

  bool batches() const { return clock.now().time_since_epoch() >= batches_again.load(); }

  void note_no_batches(int status) {
    batches_again = (clock.now() + without_batches).time_since_epoch();
    log.write(mail::Level::info, source_name,
              graph_origin + " takes no $batch (HTTP " + std::to_string(status) +
                  "): requests go out one by one, and batches are tried again in an hour");
  }

  std::vector<BatchAnswer> one_by_one(const std::vector<GraphRequest>& requests, std::stop_token stop) {
    std::vector<BatchAnswer> answers(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      try {
        http::Response response = pipeline.send(to_http(requests[i]), stop);
        answers[i] = {response.status, std::move(response.headers), std::move(response.body)};
      } catch (const http::TransportError& error) {
        // What was answered before it counts; the others are told as left out, and asked again.
        if (i == 0 || error.kind() == http::TransportError::Kind::cancelled)
          throw transport_fault(error, subject_of(requests[i]));
        break;
      }
    }
    return answers;
  }

  mail::Clock& clock;
  mail::Log& log;
  const std::string source_name;
  std::atomic<mail::SteadyTime::duration> batches_again{mail::SteadyTime::duration::min()};
  const std::shared_ptr<TokenSource> tokens;
  const std::shared_ptr<http::Gate> gate;
  const std::string graph_origin;  ///< as it goes into URLs
  const std::string origin;        ///< as origins are compared
  http::Pipeline pipeline;
};

GraphClient::GraphClient(Environment& environment, const TenantSettings& tenant, std::shared_ptr<TokenSource> tokens,
                         std::string source)
    : impl_(std::make_unique<Impl>(environment, tenant, std::move(tokens), std::move(source))) {}

GraphClient::~GraphClient() = default;

http::Response GraphClient::send(const GraphRequest& request, std::stop_token stop) {
  http::Response response;
  try {
    response = impl_->pipeline.send(impl_->to_http(request), stop);
  } catch (const http::TransportError& error) {
    throw transport_fault(error, subject_of(request));
  }
  if (!succeeded(response.status)) throw impl_->error_of(response, subject_of(request));
  return response;
}

std::unique_ptr<http::Exchange> GraphClient::open(const GraphRequest& request, std::stop_token stop) {
  try {
    auto exchange = impl_->pipeline.open(impl_->to_http(request), stop);
    if (succeeded(exchange->status())) return exchange;
    http::Response response{exchange->status(), exchange->headers(), {}};
    try {
      response = http::read_whole(*exchange, error_body_limit);
    } catch (const http::TransportError& error) {
      if (error.kind() == http::TransportError::Kind::cancelled) throw;
      // The status alone says enough.
    }
    throw impl_->error_of(response, subject_of(request));
  } catch (const http::TransportError& error) {
    throw transport_fault(error, subject_of(request));
  }
}

std::vector<BatchAnswer> GraphClient::batch(const std::vector<GraphRequest>& requests, std::stop_token stop) {
  if (requests.empty()) return {};
  if (requests.size() > batch_limit) throw std::invalid_argument("a batch takes 20 requests at most");
  if (!batches()) return impl_->one_by_one(requests, std::move(stop));
  std::vector<std::string> prefers;
  prefers.reserve(requests.size());
  for (const GraphRequest& request : requests) prefers.push_back(prefer_header(request));
  std::vector<BatchPart> parts;
  GraphRequest outer;
  outer.method = "POST";
  outer.path = "/$batch";
  outer.operation = "batch of " + requests.front().operation;
  http::Request http_request = impl_->to_http(outer);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const GraphRequest& request = requests[i];
    parts.push_back({request.method, impl_->relative_url(request), prefers[i], request.content_type, request.body});
    if (!request.mailbox.empty()) http_request.mailboxes.push_back(request.mailbox);
    if (request.urgency == http::Urgency::send) http_request.urgency = http::Urgency::send;
    http_request.repeatable = http_request.repeatable && request.repeatable;
  }
  http_request.headers.set("Content-Type", "application/json");
  http_request.body = compose_batch(parts);
  // A batch stands for many mailboxes; its own failure is told of the one only when there is just one.
  Subject subject = subject_of(outer);
  const auto& mailboxes = http_request.mailboxes;
  const bool one = !mailboxes.empty() && std::equal(mailboxes.begin() + 1, mailboxes.end(), mailboxes.begin());
  if (one) subject.mailbox = mailboxes.front();

  http::Response response;
  try {
    response = impl_->pipeline.send(std::move(http_request), stop);
  } catch (const http::TransportError& error) {
    throw transport_fault(error, subject);
  }
  if (refuses_batches(response.status)) {
    impl_->note_no_batches(response.status);
    return impl_->one_by_one(requests, std::move(stop));
  }
  if (!succeeded(response.status)) throw impl_->error_of(response, subject);
  auto answers = parse_batch(response.body, requests.size());
  if (!answers) throw broken(subject, "the answer is not what Microsoft Graph answers to a batch.", true);
  for (std::size_t i = 0; i < requests.size(); ++i) impl_->shut_if_throttled((*answers)[i], requests[i].mailbox);
  return std::move(*answers);
}

bool GraphClient::batches() const {
  return impl_->batches();
}

http::Response GraphClient::upload(const std::string& upload_url, std::string_view bytes, std::uint64_t offset,
                                   std::uint64_t total, const std::string& mailbox, std::stop_token stop) {
  const Subject subject{mailbox, "upload of an attachment", true};
  if (!http::origin_of(upload_url).starts_with("https://")) {
    throw broken(subject, "the address to upload to is not one of https.", false);
  }
  http::Request request;
  request.method = "PUT";
  request.url = upload_url;
  request.headers.set("Content-Type", "application/octet-stream");
  request.headers.set("Content-Range", "bytes " + std::to_string(offset) + "-" +
                                           std::to_string(offset + bytes.size() - 1) + "/" + std::to_string(total));
  request.body = bytes;
  request.operation = subject.operation;
  request.mailboxes = {mailbox};
  request.urgency = http::Urgency::send;
  request.authorize = false;   // the URL carries its own token (graph-mail.md, section 11)
  request.repeatable = false;  // a range sent twice is refused: the caller looks how far the session is
  try {
    return impl_->pipeline.send(std::move(request), stop);
  } catch (const http::TransportError& error) {
    throw transport_fault(error, subject);
  }
}

GraphError GraphClient::error_of(const BatchAnswer& answer, const GraphRequest& request) const {
  if (answer.status == 0) {
    mail::Fault fault = broken(subject_of(request), "the answer to the batch left it out.", true).fault();
    return GraphError(std::move(fault), 0, Action::repeat);
  }
  return impl_->error_of({answer.status, answer.headers, answer.body}, subject_of(request));
}

const std::string& GraphClient::graph_origin() const {
  return impl_->graph_origin;
}
TokenSource& GraphClient::tokens() const {
  return *impl_->tokens;
}
http::Gate& GraphClient::gate() const {
  return *impl_->gate;
}

}  // namespace m365
