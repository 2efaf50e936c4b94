#include "m365/outgoing/outgoing_server.h"

#include <algorithm>
#include <utility>

#include "m365/checking/checkup.h"
#include "m365/factories.h"
#include "m365/outgoing/submission_check.h"
#include "m365/outgoing/submission_text.h"

namespace m365 {

using std::chrono::milliseconds;

OutgoingMailServer::Engine::Engine(OutgoingMailServer& server)
    : schedule(server.environment_.clock(), mail::Schedule::most_slow(server.settings_.tenant.workers)),
      workers(
          server.environment_.clock(), schedule, server.settings_.tenant.workers,
          [&server](std::uint64_t id, std::stop_token) { server.run_job(id); },
          [&server](std::uint64_t, std::exception_ptr) {
            server.environment_.log().write(mail::Level::error, server.source_, "a worker met an unknown failure");
          }) {}

OutgoingMailServer::OutgoingMailServer(Environment& environment, OutgoingSettings settings,
                                       mail::ServerListener& listener, MakeGraph make_graph)
    : environment_(environment),
      settings_(std::move(settings)),
      listener_(listener),
      make_graph_(std::move(make_graph)),
      source_("outgoing " + settings_.tenant.tenant),
      limits_(environment.clock()),
      health_(environment.clock(), settings_.tenant, [this](const mail::Health& now) { tell(now); }),
      secret_(settings_.tenant.secret) {}

OutgoingMailServer::~OutgoingMailServer() {
  while (!stop(std::chrono::hours(1))) {
  }
}

void OutgoingMailServer::start() {
  if (engine_) return;
  auto engine = std::make_unique<Engine>(*this);
  health_.reset();
  sign_in_failures_ = 0;
  const mail::SteadyTime now = environment_.clock().now();
  engine->schedule.plan(sign_in_job, now, upkeep_priority);
  engine->schedule.plan(housekeeping_job, now, upkeep_priority);
  engine->schedule.plan(late_drafts_job, now, upkeep_priority);
  {
    const std::lock_guard lock(mutex_);
    engine_ = std::move(engine);
    accepting_ = true;
    frozen_ = false;
  }
  engine_->workers.start();
}

bool OutgoingMailServer::stop(milliseconds deadline) {
  if (!engine_) return true;
  // Real time: a callback of the host cannot be hurried by a clock of ours.
  const auto until = std::chrono::steady_clock::now() + deadline;
  engine_->stop.request_stop();
  std::unique_lock lock(mutex_);
  accepting_ = false;
  frozen_ = false;
  // Each queue now answers what it holds, on workers as always.
  for (const auto& [id, queue] : queues_) engine_->schedule.plan(id, environment_.clock().now(), send_priority);
  const bool answered = emptied_.wait_until(lock, until, [this] { return by_key_.empty(); });
  frozen_ = !answered;
  if (!answered) return false;
  lock.unlock();
  const auto left = std::chrono::ceil<milliseconds>(until - std::chrono::steady_clock::now());
  const bool ended = engine_->workers.stop(std::max(left, milliseconds::zero()));
  lock.lock();
  frozen_ = !ended;
  if (!ended) return false;
  queues_.clear();
  queue_of_.clear();
  const std::unique_ptr<Engine> gone = std::move(engine_);
  lock.unlock();
  return true;
}

mail::Taken OutgoingMailServer::submit(const mail::Mail& mail, mail::SubmissionListener& listener, std::string& why) {
  const std::string mailbox = sending_mailbox(mail, settings_.mailbox_user);
  why = submission_problem(mail, mailbox);
  if (!why.empty()) return mail::Taken::invalid;
  const std::lock_guard lock(mutex_);
  if (!accepting_) {
    why = "The outgoing server does not run.";
    return mail::Taken::stopped;
  }
  if (const auto twin = by_key_.find(mail.stable_id); twin != by_key_.end()) {
    twin->second->listeners.push_back(&listener);
    return mail::Taken::ok;
  }
  const auto item = std::make_shared<Item>();
  item->mail = &mail;
  item->key = mail.stable_id;
  item->listeners.push_back(&listener);
  item->due = environment_.clock().now();
  const auto [slot, fresh] = queue_of_.try_emplace(lower_case(mailbox), first_queue + queue_of_.size());
  Queue& queue = queues_[slot->second];
  if (fresh) queue.mailbox = mailbox;
  queue.items.push_back(item);
  by_key_.emplace(item->key, item);
  // Not later than what waits there already.
  engine_->schedule.hasten(slot->second, item->due, send_priority, 0, queue.pace);
  return mail::Taken::ok;
}

void OutgoingMailServer::check(std::stop_token stop, mail::Findings& findings) {
  try {
    const std::shared_ptr<GraphClient> graph = make_graph_();
    Checkup look(*graph, settings_.tenant, settings_.tenant.tenant, stop, findings);
    if (!look.sign_in()) return;
    look.expiry(environment_.clock().wall());
    look.permission("Mail.Send", "send");
    look.permission("Mail.ReadWrite", "send attachments above 3 MB and to find a message again whose answer was lost");
  } catch (const mail::FaultError& error) {
    const mail::Fault& fault = error.fault();
    findings.add({mail::Finding::Result::failed, "settings", fault.text, fault.cause, fault.code, fault.request_id});
  }
}

bool OutgoingMailServer::check_mailbox(const mail::Settings& settings, std::stop_token stop, mail::Findings& findings,
                                       mail::Problems& problems) {
  const auto value = [&settings](std::string_view key) {
    const auto found = settings.find(key);
    return found == settings.end() ? std::string() : found->second;
  };
  std::string user = settings_.mailbox_user;
  if (user.empty()) user = value("email_account");
  if (user.empty()) user = value("address");
  if (user.empty()) {
    problems.add("address", "the address to send from is needed");
    return false;
  }
  try {
    const std::shared_ptr<GraphClient> graph = make_graph_();
    Checkup(*graph, settings_.tenant, user, stop, findings).sending_mailbox(user);
  } catch (const mail::FaultError& error) {
    const mail::Fault& fault = error.fault();
    findings.add({mail::Finding::Result::failed, "settings", fault.text, fault.cause, fault.code, fault.request_id});
  }
  return true;
}

std::unique_ptr<mail::OutgoingServer> create_outgoing(Environment& environment, const mail::Settings& settings,
                                                      mail::ServerListener& listener, mail::Problems& problems) {
  const auto read = read_outgoing(settings, problems);
  if (!read) return nullptr;
  const TenantSettings tenant = read->tenant;
  const auto make_graph = [&environment, tenant] {
    return std::make_shared<GraphClient>(environment, tenant, token_source_for(environment, tenant, {}, {}),
                                         "outgoing " + tenant.tenant);
  };
  return std::make_unique<OutgoingMailServer>(environment, *read, listener, make_graph);
}

}  // namespace m365
