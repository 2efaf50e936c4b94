#include "service.h"

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "m365/entra/entra.h"
#include "m365/graph/faults.h"
#include "m365/graph/graph.h"
#include "m365/server/https_server.h"
#include "m365/server/tls.h"
#include "m365/world/mailbox.h"
#include "m365/world/tenant_file.h"
#include "m365/world/world.h"

namespace faults {
namespace {

using embedded::Departure;
using embedded::HttpRequest;
using embedded::HttpResponse;
using Handler = std::function<HttpResponse(const HttpRequest&)>;

constexpr const char* loopback = "127.0.0.1";

bool is_json(const HttpResponse& response) {
  return response.headers.get("Content-Type").find("json") != std::string::npos && !response.content().empty();
}

}  // namespace

struct Service::Impl {
  explicit Impl(const std::filesystem::path& folder)
      : dir(folder), tls(loopback), center(embedded::load_built_in(world)), graph(world) {}

  const std::filesystem::path dir;
  embedded::World world;
  embedded::Tls tls;
  const embedded::ContactCenter center;
  embedded::Graph graph;
  std::unique_ptr<embedded::HttpsServer> front, uploads;

  mutable std::mutex mutex;
  // Guarded by mutex:
  Break next;
  std::size_t count = 0;
  bool happened = false;

  /// Counts; the way in which this exchange is to be broken.
  Break take() {
    const std::lock_guard lock(mutex);
    ++count;
    if (!next.armed() || next.at_client() || by_rule(next) || count != next.at) return {};
    happened = true;
    return next;
  }

  /// What also hits requests inside of a batch is left to the rules of the embedded service.
  static bool by_rule(const Break& what) {
    return what.way.kind == Way::Kind::lost_delta || what.way.kind == Way::Kind::inner_status;
  }

  HttpResponse answer(const HttpRequest& request, const Handler& handle) {
    const Break now = take();
    if (!now.armed()) return handle(request);
    if (now.way.kind == Way::Kind::void_token) world.entra.revoke_all();
    HttpResponse response;
    if (now.way.work == Work::done) response = handle(request);
    if (now.way.work == Work::later) world.scheduler.after(now.later, [handle, request] { handle(request); });
    bend(now.way, response);
    return response;
  }

  static void bend(const Way& way, HttpResponse& response) {
    embedded::FaultEffect effect;
    effect.retry_after = way.retry_after;
    switch (way.kind) {
      case Way::Kind::reset:
        effect.cut = embedded::FaultEffect::Cut::after;
        break;
      case Way::Kind::closed:
        effect.cut = embedded::FaultEffect::Cut::after;
        effect.clean_close = true;
        break;
      case Way::Kind::half:
      case Way::Kind::half_closed:
        effect.body = embedded::FaultEffect::Body::half;
        effect.clean_close = way.kind == Way::Kind::half_closed;
        break;
      case Way::Kind::garbage:
        // Bytes of an attachment may be anything; only where JSON is due can garbage be told from an answer.
        if (is_json(response)) effect.body = embedded::FaultEffect::Body::garbage;
        break;
      case Way::Kind::status:
        effect.status = way.status;
        if (way.html) effect.body = embedded::FaultEffect::Body::html;
        break;
      default:
        break;
    }
    embedded::apply_fault(effect, response);
  }

  void add_rule(const Break& what) {
    using embedded::Json;
    Json match = Json::Object{{"nth", what.at}};
    if (what.way.kind == Way::Kind::lost_delta) match.set("path", std::string(what.way.series));
    Json effect = Json::Object{{"status", what.way.status}};
    if (what.way.kind == Way::Kind::lost_delta) effect.set("code", "SyncStateNotFound");
    if (!what.way.retry_after.empty()) effect.set("retry_after", std::string(what.way.retry_after));
    if (what.way.work == Work::done) effect.set("work", "done");
    if (what.way.work == Work::later) {
      effect.set("work", "later");
      effect.set("later_ms", static_cast<std::size_t>(what.later.count()));
    }
    world.faults.add(Json::Object{{"match", std::move(match)}, {"effect", std::move(effect)}});
  }

  embedded::Directory::UserPtr user(const std::string& address) const {
    auto found = world.directory.recipient(address);
    if (!found) throw std::runtime_error("no mailbox " + address);
    return found;
  }
};

Service::Service(const std::filesystem::path& dir) {
  std::filesystem::create_directories(dir);
  impl_ = std::make_unique<Impl>(dir);
  Impl& impl = *impl_;
  // Everything may be read; which mailboxes there are changes with every round.
  impl.world.directory.change_app(impl.center.client_id, [](embedded::App& app) { app.policies.clear(); });
  const auto listen = [&impl](Handler handle) {
    const auto limit = [&impl] { return impl.world.behaviour.body_limit.load(); };
    return std::make_unique<embedded::HttpsServer>(
        impl.tls.context(), embedded::ServerOptions{loopback, 0, limit, 2000},
        [&impl, handle](const HttpRequest& request) { return impl.answer(request, handle); });
  };
  impl.front = listen([&impl](const HttpRequest& request) {
    return embedded::Graph::owns(request.path()) ? impl.graph.handle(request) : impl.world.entra.handle(request);
  });
  impl.uploads = listen([&impl](const HttpRequest& request) { return impl.world.uploads.handle(request); });
  impl.world.origin = "https://localhost:" + std::to_string(impl.front->port());
  impl.world.upload_origin = "https://localhost:" + std::to_string(impl.uploads->port());
  impl.world.entra.set_origin(impl.world.origin);
  impl.tls.write_files(dir);
}

Service::~Service() {
  impl_->world.stop.stop();
  impl_->front->stop();
  impl_->uploads->stop();
  impl_->world.scheduler.stop();
}

Access Service::access() const {
  return {impl_->world.origin, impl_->center.tenant, impl_->center.client_id, impl_->center.secret,
          (impl_->dir / "ca.pem").string()};
}

void Service::make_mailbox(const std::string& address) {
  embedded::User user =
      embedded::parse_user(impl_->world, embedded::Json::Object{{"upn", address}}, impl_->center.tenant, "mailbox");
  impl_->world.directory.put_user(std::move(user));
}

void Service::remove_mailbox(const std::string& address) {
  impl_->world.directory.remove_user(address);
}

void Service::put(const std::string& address, const std::string& mime) {
  impl_->world.transport.put(*impl_->user(address), mime);
}

void Service::arm(const Break& what) {
  impl_->world.faults.clear();
  impl_->world.behaviour.search_lag_ms =
      what.way.search_lags ? static_cast<int>(std::chrono::milliseconds(search_lag).count()) : 0;
  if (Impl::by_rule(what)) impl_->add_rule(what);
  const std::lock_guard lock(impl_->mutex);
  impl_->next = what;
  impl_->count = 0;
  impl_->happened = false;
}

std::size_t Service::exchanges() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->count;
}

bool Service::broken() const {
  {
    const std::lock_guard lock(impl_->mutex);
    if (!Impl::by_rule(impl_->next)) return impl_->happened;
  }
  const embedded::Json report = impl_->world.faults.report();
  for (const embedded::Json& rule : report.array()) {
    if (rule.integer("hit", 0) > 0) return true;
  }
  return false;
}

void Service::advance(std::chrono::milliseconds by) {
  impl_->world.clock.advance(by);
  impl_->world.scheduler.look_again();
}

std::size_t Service::unread(const std::string& address) const {
  embedded::Mailbox& mailbox = *impl_->user(address)->mailbox;
  const auto lock = mailbox.lock();
  return mailbox.well_known("inbox")->unread;
}

std::vector<Letter> Service::letters(const std::string& address, const std::string& folder) const {
  embedded::Mailbox& mailbox = *impl_->user(address)->mailbox;
  const auto lock = mailbox.lock();
  std::vector<Letter> out;
  for (const embedded::Message* message : mailbox.well_known(folder)->by_received) {
    Letter letter{address, message->subject.value_or(""), message->internet_message_id, {}};
    for (const embedded::Attachment& file : message->attachments)
      letter.files.push_back({file.name.value_or(""), file.bytes ? *file.bytes : std::string()});
    out.push_back(std::move(letter));
  }
  return out;
}

std::vector<std::string> Service::subjects(const std::string& address, const std::string& folder) const {
  embedded::Mailbox& mailbox = *impl_->user(address)->mailbox;
  const auto lock = mailbox.lock();
  std::vector<std::string> out;
  for (const embedded::Message* message : mailbox.well_known(folder)->by_received)
    out.push_back(message->subject.value_or(""));
  return out;
}

}  // namespace faults
