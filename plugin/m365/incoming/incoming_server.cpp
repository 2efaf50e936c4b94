#include "m365/incoming/incoming_server.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "m365/checking/checkup.h"
#include "m365/digest.h"
#include "m365/factories.h"
#include "m365/incoming/delivery_verdict.h"
#include "m365/incoming/incoming_sign_in.h"
#include "m365/incoming/marking_turn.h"
#include "m365/incoming/owed_receipts.h"
#include "m365/incoming/stream_work.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Level;

// Mails in hand were set aside as offered; the host never saw them, so after an orderly stop they are no redeliveries.
void give_back(Stream& stream) {
  const auto folder = stream.identity();
  if (!folder || stream.in_hand.empty()) return;
  std::vector<store::SetAside> asides;
  for (const Arrival& arrival : stream.in_hand) asides.push_back(aside_of(arrival, folder->stream, stream.core.wall()));
  try {
    stream.core.store()->set_aside_all(asides);
  } catch (const mail::FaultError&) {
    // They stay offered: redelivered with a flag too many, not lost.
  }
}

// Verdicts that the disk did not take get a last chance.
void save_last(Stream& stream) {
  try {
    save_receipts(stream);
  } catch (const mail::FaultError& error) {
    stream.note(Level::error,
                "verdicts could not be written and are offered again after a restart: " + error.fault().text);
  }
}

// Where the service takes no batches, the marks of one mailbox would wait for those of the others; and with one that is
// slow or failing they would share that.
bool marks_together(Stream& stream) {
  {
    const std::lock_guard lock(stream.mutex);
    if (stream.marks != Stream::Marks::quick) return false;
  }
  try {
    return stream.graph().batches();
  } catch (const mail::FaultError&) {
    return false;  // its own turn shows what is wrong
  }
}

std::shared_ptr<FolderRegistry> registry_of(const Environment& environment) {
  // One a module, whatever the number of servers; the environment is the module.
  static std::mutex mutex;
  static std::map<const Environment*, std::weak_ptr<FolderRegistry>> registries;
  const std::lock_guard lock(mutex);
  std::erase_if(registries, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<FolderRegistry>& slot = registries[&environment];
  auto present = slot.lock();
  if (!present) slot = present = std::make_shared<FolderRegistry>();
  return present;
}

}  // namespace

IncomingMailServer::IncomingMailServer(Environment& environment, IncomingSettings settings,
                                       mail::ServerListener& listener, IncomingParts parts)
    : core_(environment, std::move(settings), listener, std::move(parts)),
      workers_(std::make_unique<mail::Workers>(
          core_.clock, core_.schedule, core_.settings.tenant.workers,
          [this](std::uint64_t job, std::stop_token stop) { run(job, std::move(stop)); },
          [this](std::uint64_t job, std::exception_ptr error) {
            std::string what = "unknown";
            try {
              std::rethrow_exception(error);
            } catch (const std::exception& failure) {
              what = failure.what();
            } catch (...) {
            }
            core_.note(Level::error, "a fault inside the plugin: " + what);
            core_.schedule.plan(job, core_.now() + 60s);
          })) {}

IncomingMailServer::~IncomingMailServer() {
  while (!stop(std::chrono::hours(1))) {
  }
  for (const StreamPtr& stream : streams()) {
    save_last(*stream);  // of a verdict that came while it stopped
    core_.parts.folders->release(stream.get());
  }
}

std::optional<mail::MailboxId> IncomingMailServer::open_mailbox(const mail::Settings& settings,
                                                                mail::MailboxListener& listener,
                                                                mail::Problems& problems) {
  std::optional<MailboxSettings> mailbox = read_mailbox(settings, core_.settings.tenant.sign_in, problems);
  if (!mailbox) return std::nullopt;
  StreamPtr stream;
  {
    const std::lock_guard lock(mutex_);
    const mail::MailboxId id = ++last_id_;
    auto account = account_for(*mailbox, id);
    stream = std::make_shared<Stream>(core_, id, std::move(*mailbox), std::move(account), listener);
    streams_.emplace(id, stream);
  }
  if (running_) begin(*stream);
  return stream->id;
}

bool IncomingMailServer::close_mailbox(mail::MailboxId mailbox) {
  StreamPtr stream;
  {
    const std::lock_guard lock(mutex_);
    const auto place = streams_.find(mailbox);
    if (place == streams_.end()) return false;
    stream = std::move(place->second);
    streams_.erase(place);
  }
  core_.schedule.cancel(fetch_job(mailbox));
  core_.schedule.cancel(mark_job(mailbox));
  stream->stop.request_stop();
  core_.close_stream(*stream);
  core_.abandon(stream.get());
  save_last(*stream);
  core_.parts.folders->release(stream.get());
  leave_account(*stream);
  return true;
}

void IncomingMailServer::leave_account(const Stream& stream) {
  if (core_.settings.tenant.sign_in == SignIn::service) return;  // shared by all, also by none
  const std::shared_ptr<Account>& account = stream.account;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, other] : streams_) {
    if (other->account != account) continue;
    const std::lock_guard account_lock(account->mutex);
    if (account->mailbox == stream.id) account->mailbox = id;  // the host is asked for its password instead
    return;
  }
  std::erase_if(accounts_, [&account](const auto& entry) { return entry.second == account; });
  by_number_[account->number - 1].reset();
  core_.schedule.cancel(account_jobs | account->number);
}

bool IncomingMailServer::acknowledge(mail::DeliveryId delivery, mail::Verdict verdict,
                                     std::chrono::milliseconds retry_after) {
  return m365::acknowledge(core_, delivery, verdict, retry_after);
}

void IncomingMailServer::check(std::stop_token stop, mail::Findings& findings) {
  const TenantSettings& tenant = core_.settings.tenant;
  if (tenant.sign_in == SignIn::user) {  // each mailbox signs in for itself
    findings.add({mail::Finding::Result::passed,
                  "settings",
                  "OAuth User: each mailbox signs in with its own account and password",
                  mail::Cause::none,
                  {},
                  {}});
    return;
  }
  check_with({}, {}, tenant.tenant, findings, [&](GraphClient& graph) {
    Checkup look(graph, tenant, tenant.tenant, stop, findings);
    if (look.sign_in()) look.expiry(core_.wall());
  });
}

bool IncomingMailServer::check_mailbox(const mail::Settings& settings, std::stop_token stop, mail::Findings& findings,
                                       mail::Problems& problems) {
  const TenantSettings& tenant = core_.settings.tenant;
  const std::optional<MailboxSettings> mailbox = read_mailbox(settings, tenant.sign_in, problems);
  if (!mailbox) return false;
  const bool by_user = tenant.sign_in == SignIn::user;
  check_with(by_user ? mailbox->user : std::string(), by_user ? mailbox->password : mail::Secret(), mailbox->address,
             findings, [&](GraphClient& graph) {
               Checkup look(graph, tenant, mailbox->address, stop, findings);
               if (by_user && !look.sign_in()) return;
               look.folder(*mailbox, checked_folders_);
               look.targets(*mailbox);
               const bool touches = mailbox->after_fetch.kind != AfterFetch::Kind::leave ||
                                    mailbox->rejected.kind != AfterFetch::Kind::leave;
               if (touches) look.permission("Mail.ReadWrite", "mark or move what was fetched");
             });
  return true;
}

void IncomingMailServer::check_with(const std::string& user, const mail::Secret& password, const std::string& subject,
                                    mail::Findings& findings, const std::function<void(GraphClient&)>& look) {
  try {
    const std::unique_ptr<GraphClient> graph = core_.parts.make_graph(user, password);
    look(*graph);
  } catch (const mail::FaultError& error) {  // the settings' own files: a ca_file that is not there
    const mail::Fault& fault = error.fault();
    findings.add({mail::Finding::Result::failed, "settings", subject + ": " + fault.text, fault.cause, fault.code,
                  fault.request_id});
  }
}

void IncomingMailServer::start() {
  if (running_) return;
  if (workers_->started()) return;  // a stop that did not end: it is to be called again first
  const std::vector<StreamPtr> all = streams();
  for (const StreamPtr& stream : all) stream->reset();
  core_.health.forget();
  core_.open_door(*workers_);
  running_ = true;
  {
    const std::lock_guard lock(mutex_);
    // Signed in also while no mailbox is open, so that a wrong secret is told at once.
    if (core_.settings.tenant.sign_in == SignIn::service) account_for(MailboxSettings(), 0);
    for (const auto& account : by_number_) {
      if (!account) continue;
      const std::lock_guard account_lock(account->mutex);
      account->worked = false;
      core_.schedule.plan(account_jobs | account->number, core_.now(), 0);
    }
  }
  for (const StreamPtr& stream : all) begin(*stream);
  workers_->start();
}

bool IncomingMailServer::stop(std::chrono::milliseconds deadline) {
  running_ = false;
  core_.close_door();
  const std::vector<StreamPtr> all = streams();
  for (const StreamPtr& stream : all) stream->stop.request_stop();
  const bool was_started = workers_->started();
  if (!workers_->stop(deadline)) return false;
  if (!was_started) return true;
  core_.abandon(nullptr);
  save_owed_receipts(core_);
  core_.schedule.cancel(receipts_job);
  for (const StreamPtr& stream : all) {
    core_.schedule.cancel(fetch_job(stream->id));
    core_.schedule.cancel(mark_job(stream->id));
    save_last(*stream);
    give_back(*stream);
    core_.parts.folders->release(stream.get());
  }
  const std::lock_guard lock(mutex_);
  for (const auto& account : by_number_) {
    if (account) core_.schedule.cancel(account_jobs | account->number);
  }
  core_.close_store();
  return true;
}

std::shared_ptr<Account> IncomingMailServer::account_for(const MailboxSettings& mailbox, mail::MailboxId id) {
  const bool by_user = core_.settings.tenant.sign_in == SignIn::user;
  auto& slot = accounts_[by_user ? std::make_pair(mailbox.user, digest(mailbox.password))
                                 : std::make_pair(std::string(), std::string())];
  if (!slot) {
    slot = std::make_shared<Account>();
    slot->secret = core_.settings.tenant.secret;
    if (by_user) {
      slot->user = mailbox.user;
      slot->password = mailbox.password;
      slot->mailbox = id;
    }
    by_number_.push_back(slot);
    slot->number = static_cast<std::uint32_t>(by_number_.size());
    if (running_) core_.schedule.plan(account_jobs | slot->number, core_.now(), 0);
  }
  return slot;
}

StreamPtr IncomingMailServer::find(mail::MailboxId id) {
  const std::lock_guard lock(mutex_);
  const auto place = streams_.find(id);
  return place == streams_.end() ? nullptr : place->second;
}

std::vector<StreamPtr> IncomingMailServer::streams() {
  const std::lock_guard lock(mutex_);
  std::vector<StreamPtr> all;
  for (const auto& entry : streams_) all.push_back(entry.second);
  return all;
}

void IncomingMailServer::begin(Stream& stream) {
  core_.schedule.plan(fetch_job(stream.id), core_.now(), stream.settings.priority, stream.account->poll_group());
}

void IncomingMailServer::run(std::uint64_t job, std::stop_token stop) {
  if ((job & account_jobs) != 0) {
    run_account(static_cast<std::uint32_t>(job & ~account_jobs), std::move(stop));
    return;
  }
  if (job == receipts_job) {
    save_owed_receipts(core_);
    return;
  }
  const StreamPtr stream = find(job >> 1);
  if (!stream) return;
  if ((job & 1) != 0) {
    run_marking(stream);
  } else {
    run_fetching(stream, std::move(stop));
  }
}

void IncomingMailServer::run_account(std::uint32_t number, std::stop_token stop) {
  std::shared_ptr<Account> account;
  std::vector<std::shared_ptr<Account>> all;
  {
    const std::lock_guard lock(mutex_);
    if (number == 0 || number > by_number_.size()) return;
    account = by_number_[number - 1];
    if (!account) return;  // its last mailbox was closed meanwhile
    std::ranges::copy_if(by_number_, std::back_inserter(all), [](const auto& one) { return one != nullptr; });
  }
  bool repaired = false;
  const mail::Stopwatch watch(core_.clock);
  const auto again = keep_signed_in(core_, *account, stop, repaired);
  if (stop.stop_requested()) return;
  show_server_health(core_, all);
  warn_of_expiry();
  if (repaired) {
    for (const StreamPtr& stream : streams()) {
      if (stream->account != account) continue;
      stream->woken = true;
      core_.schedule.hasten(fetch_job(stream->id), core_.now());
    }
  }
  core_.schedule.plan(account_jobs | number, core_.now() + again, 0, 0, watch.pace());
}

void IncomingMailServer::warn_of_expiry() {
  const auto notice = secret_expiry_notice(core_.settings.tenant, core_.wall());
  {
    const std::lock_guard lock(mutex_);
    if (notice == expiry_warned_) return;
    expiry_warned_ = notice;
  }
  if (const auto warning = secret_expiry_warning(core_.settings.tenant, core_.wall()))
    core_.note(Level::warning, warning->text);
}

void IncomingMailServer::run_fetching(const StreamPtr& stream, std::stop_token stop) {
  std::vector<std::pair<StreamPtr, GraphRequest>> polls;
  if (std::optional<GraphRequest> request = batchable_request(*stream)) {
    // Those that are due soon come along, a little early: each mailbox has its own moment, and without this each would
    // go alone. From then on they are due together.
    const auto ahead = std::chrono::duration_cast<std::chrono::milliseconds>(core_.settings.poll) / 4;
    for (const std::uint64_t job : core_.schedule.take_more(stream->account->poll_group(), batch_limit - 1, ahead)) {
      const StreamPtr other = find(job >> 1);
      std::optional<GraphRequest> others = other ? batchable_request(*other, ahead) : std::nullopt;
      if (others) {
        polls.emplace_back(other, std::move(*others));
        continue;
      }
      if (other) core_.schedule.plan(job, core_.now(), other->settings.priority);  // alone
      core_.schedule.done(job);
    }
    if (!polls.empty()) {
      polls.emplace(polls.begin(), stream, std::move(*request));
      poll_together(std::move(polls), std::move(stop));
      return;
    }
  }
  take_turn(*stream);
}

void IncomingMailServer::poll_together(std::vector<std::pair<StreamPtr, GraphRequest>> polls, std::stop_token stop) {
  std::vector<GraphRequest> requests;
  for (const auto& poll : polls) requests.push_back(poll.second);
  const mail::SteadyTime begun = core_.now();
  std::vector<BatchAnswer> answers;
  std::exception_ptr failure;
  try {
    answers = polls.front().first->graph().batch(requests, std::move(stop));
  } catch (...) {
    failure = std::current_exception();
  }
  const bool slow = core_.now() - begun > 5s;
  // The quiet ones first: they are through at once, and the host is called for none of them here.
  for (std::size_t i = polls.size(); i-- > 0;) {
    Stream& stream = *polls[i].first;
    if (failure) {
      batch_failed(stream, failure);
    } else {
      take_answer(stream, polls[i].second, std::move(answers[i]));
      if (slow) stream.quick = false;  // one of them was: each shows alone which
    }
    if (!stream.token().stop_requested()) plan_next(stream);
    if (i > 0) core_.schedule.done(fetch_job(stream.id));  // the pool does the first one's
  }
}

void IncomingMailServer::run_marking(const StreamPtr& stream) {
  // Given back whatever happens.
  struct Taken {
    mail::Schedule& schedule;
    std::vector<std::uint64_t> jobs;
    ~Taken() {
      for (const std::uint64_t job : jobs) schedule.done(job);
    }
  } taken{core_.schedule, {}};
  const bool together = marks_together(*stream);
  Neighbours neighbours;
  neighbours.next = [&]() -> StreamPtr {
    while (together) {
      const std::vector<std::uint64_t> next = core_.schedule.take_more(stream->account->mark_group(), 1);
      if (next.empty()) break;
      taken.jobs.push_back(next.front());
      if (StreamPtr other = find(next.front() >> 1)) return other;
    }
    return nullptr;
  };
  neighbours.give_back = [&](Stream& other) {
    std::erase(taken.jobs, mark_job(other.id));
    core_.schedule.done(mark_job(other.id));
  };
  take_marking_turn(stream, neighbours);
}

std::unique_ptr<mail::IncomingServer> create_incoming(Environment& environment, const mail::Settings& settings,
                                                      mail::ServerListener& listener, mail::Problems& problems) {
  std::optional<IncomingSettings> read = read_incoming(settings, problems);
  if (!read) return nullptr;
  IncomingParts parts;
  parts.open_store = [&environment] { return environment.store(); };
  parts.make_graph = [&environment, tenant = read->tenant](const std::string& user, const mail::Secret& password) {
    return std::make_unique<GraphClient>(environment, tenant, token_source_for(environment, tenant, user, password),
                                         "m365.incoming");
  };
  parts.folders = registry_of(environment);
  return std::make_unique<IncomingMailServer>(environment, std::move(*read), listener, std::move(parts));
}

}  // namespace m365
