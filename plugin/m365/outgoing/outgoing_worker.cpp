// What the outgoing server does on its workers.
#include <algorithm>
#include <set>
#include <utility>

#include "m365/outgoing/outgoing_server.h"
#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr seconds secret_poll{5};
constexpr std::chrono::minutes longest_sign_in_pause{5};
constexpr std::chrono::hours housekeeping_pause{1};
constexpr std::chrono::minutes late_drafts_pause{5};
constexpr std::size_t late_drafts_at_once = 20;
constexpr std::chrono::minutes disk_pause{1};
// A key is remembered this long after its fate, and the Message-ID of its mail, by which reports that come back are
// known.
constexpr std::chrono::hours remember_submissions{24 * 180};

const char* name_of(mail::Verdict verdict) {
  switch (verdict) {
    case mail::Verdict::accepted:
      return "accepted";
    case mail::Verdict::rejected:
      return "rejected";
    case mail::Verdict::uncertain:
      return "uncertain";
    default:
      return "retry later";
  }
}

std::string fate_line(const std::string& key, const std::string& mailbox, const mail::Outcome& outcome) {
  std::string line = "submission '" + for_log(key) + "' from " + for_log(mailbox) + ": " + name_of(outcome.verdict) +
                     ", attempts " + std::to_string(outcome.attempts);
  if (!outcome.internet_message_id.empty()) line += ", Message-ID " + for_log(outcome.internet_message_id);
  if (outcome.retry_after > milliseconds::zero())
    line += ", retry after " + std::to_string(std::chrono::ceil<seconds>(outcome.retry_after).count()) + " s";
  if (!outcome.reason.empty()) line += ": " + for_log(outcome.reason);
  return line;
}

mail::Outcome given_back(const mail::Fault& fault) {
  mail::Outcome out;
  out.verdict = mail::Verdict::retry_later;
  out.retry_after = std::max<milliseconds>(disk_pause, fault.retry_after);
  out.reason = fault.text;
  return out;
}

}  // namespace

void OutgoingMailServer::run_job(std::uint64_t id) {
  const std::stop_token stop = engine_->stop.get_token();
  if (id >= first_queue) return run_queue(id, stop);
  if (stop.stop_requested()) return;
  const mail::Stopwatch watch(environment_.clock());
  milliseconds again{0};
  switch (id) {
    case sign_in_job:
      again = keep_signed_in(stop);
      break;
    case late_drafts_job:
      again = remove_late_drafts(stop);
      break;
    default:
      again = housekeeping();
  }
  engine_->schedule.plan(id, environment_.clock().now() + again, upkeep_priority, 0, watch.pace());
}

const SubmissionContext& OutgoingMailServer::context() {
  Engine& engine = *engine_;
  const std::lock_guard lock(engine.setup_mutex);
  if (!engine.store) engine.store = environment_.store();
  if (!engine.graph) engine.graph = make_graph_();
  if (!engine.context) {
    engine.context = std::make_unique<SubmissionContext>(SubmissionContext{
        *engine.graph, *engine.store, limits_, environment_.clock(), environment_.random(), environment_.log(),
        settings_.tenant.tenant + "/" + settings_.tenant.client_id, source_, environment_.state_dir(),
        [&engine] { return std::make_shared<mail::Workers::InHost>(engine.workers); }, settings_.automatic});
  }
  return *engine.context;
}

void OutgoingMailServer::tell(const mail::Health& now) {
  {
    const std::lock_guard lock(mutex_);
    if (frozen_) return;
  }
  const mail::Workers::InHost inside(engine_->workers);
  listener_.on_health(0, now);
}

milliseconds OutgoingMailServer::keep_signed_in(std::stop_token stop) {
  health_.announce();
  try {
    TokenSource& tokens = context().graph.tokens();
    if (tokens.wants_credential()) {
      std::optional<mail::Secret> present;
      {
        const mail::Workers::InHost inside(engine_->workers);
        present = listener_.read_secret(0, "password");
      }
      if (present && !(*present == secret_)) {
        secret_ = *present;
        tokens.set_credential(secret_, {});
        environment_.log().write(mail::Level::info, source_, "the password was changed; it is tried now");
      }
    }
    tokens.current(stop);
    const milliseconds refresh = tokens.refresh_if_due(stop);
    sign_in_failures_ = 0;
    health_.signed_in();
    if (tokens.wants_credential()) return secret_poll;
    return std::clamp<milliseconds>(refresh, seconds(1), std::chrono::minutes(10));
  } catch (const mail::FaultError& error) {
    const mail::Fault& fault = error.fault();
    if (fault.remedy == mail::Remedy::cancelled || stop.stop_requested()) return secret_poll;
    milliseconds pause = secret_poll;  // Entra is asked only when the secret has changed or its probe is due
    if (fault.remedy != mail::Remedy::administrator) {
      pause = std::min<milliseconds>(longest_sign_in_pause, seconds(5) * (1 << std::min(sign_in_failures_++, 6)));
      pause = std::max(pause, fault.retry_after);
    }
    health_.sign_in_failed(fault, pause);
    return pause;
  }
}

milliseconds OutgoingMailServer::housekeeping() {
  if (const auto notice = health_.review()) environment_.log().write(mail::Level::warning, source_, notice->text);
  try {
    context().store.forget_submissions(environment_.clock().wall() - remember_submissions);
  } catch (const mail::FaultError& error) {
    environment_.log().write(mail::Level::warning, source_, error.what());
  }
  return housekeeping_pause;
}

// Nobody can find a draft before it is made: a refused request that is carried out all the same, after the reply has
// left by another draft, leaves one behind that only a later look shows.
milliseconds OutgoingMailServer::remove_late_drafts(std::stop_token stop) {
  const mail::WallTime now = environment_.clock().wall();
  try {
    const SubmissionContext& with = context();
    const std::vector<store::Submission> due = with.store.late_drafts(with.server, now, late_drafts_at_once);
    std::set<std::string> silent;  // mailboxes that are asked no more this time
    for (const store::Submission& submission : due) {
      if (stop.stop_requested()) return late_drafts_pause;
      if (silent.contains(submission.mailbox)) continue;
      bool seen = false;
      try {
        seen = DraftSearch(with, submission.mailbox, submission.key, submission.taken).remove_late_drafts(stop);
      } catch (const mail::FaultError& error) {
        if (error.fault().remedy == mail::Remedy::cancelled) return late_drafts_pause;
        environment_.log().write(mail::Level::debug, source_, error.what());
        silent.insert(submission.mailbox);
      }
      if (seen || now - submission.late_drafts_due > Patience::late_drafts_given_up)
        with.store.late_drafts_seen(submission);
    }
    if (due.size() == late_drafts_at_once) return disk_pause;
  } catch (const mail::FaultError& error) {
    environment_.log().write(mail::Level::warning, source_, error.what());
  }
  return late_drafts_pause;
}

void OutgoingMailServer::run_queue(std::uint64_t id, std::stop_token stop) {
  std::unique_lock lock(mutex_);
  const std::list<ItemPtr> items = queues_.at(id).items;
  const std::string mailbox = queues_.at(id).mailbox;
  lock.unlock();
  const mail::Stopwatch watch(environment_.clock());
  load_new(items, id, mailbox, stop);
  lock.lock();
  const ItemPtr item = stop.stop_requested() ? nullptr : next_due(queues_.at(id));
  lock.unlock();
  if (item) advance(item, id, stop);
  if (stop.stop_requested()) return answer_all(id);
  plan_again(id, watch.pace());
}

// A key whose fate is known is answered at once, whatever its mailbox waits for.
void OutgoingMailServer::load_new(const std::list<ItemPtr>& items, std::uint64_t queue, const std::string& mailbox,
                                  std::stop_token stop) {
  for (const ItemPtr& item : items) {
    if (item->run || stop.stop_requested()) continue;
    try {
      item->run = std::make_unique<SubmissionRun>(context(), *item->mail, mailbox);
      if (item->run->done_before()) advance(item, queue, stop);
    } catch (const mail::FaultError& error) {
      // Without a record nothing is sent: it would not be known after a restart.
      if (error.fault().remedy == mail::Remedy::cancelled) return;
      health_.mailbox_fails(mailbox, error.fault(), disk_pause);
      answer(item, queue, given_back(error.fault()));
    }
  }
}

OutgoingMailServer::ItemPtr OutgoingMailServer::next_due(const Queue& queue) const {
  const mail::SteadyTime now = environment_.clock().now();
  if (now < queue.not_before) return nullptr;
  const auto found = std::find_if(queue.items.begin(), queue.items.end(),
                                  [&](const ItemPtr& item) { return item->run && item->due <= now; });
  return found == queue.items.end() ? nullptr : *found;
}

void OutgoingMailServer::advance(const ItemPtr& item, std::uint64_t queue, std::stop_token stop) {
  NextMove move = item->run->advance(stop);
  const std::string& mailbox = item->run->mailbox();
  if (move.kind == NextMove::Kind::interrupted) return;
  if (move.fault) {
    const milliseconds again = move.kind == NextMove::Kind::finished ? move.outcome.retry_after : move.wait;
    health_.mailbox_fails(mailbox, *move.fault, again);
  } else if (move.kind == NextMove::Kind::finished && move.outcome.verdict == mail::Verdict::accepted &&
             !item->run->done_before()) {
    health_.mailbox_works(mailbox);
  }
  if (move.kind == NextMove::Kind::finished) return answer(item, queue, std::move(move.outcome));
  const mail::SteadyTime due = environment_.clock().now() + move.wait;
  const std::lock_guard lock(mutex_);
  item->due = due;
  if (move.kind == NextMove::Kind::mailbox_later) {
    Queue& all = queues_.at(queue);
    all.not_before = std::max(all.not_before, due);
  }
}

void OutgoingMailServer::plan_again(std::uint64_t queue, mail::Schedule::Pace pace) {
  const std::lock_guard lock(mutex_);
  Queue& all = queues_.at(queue);
  all.pace = pace;
  if (all.items.empty()) return;
  mail::SteadyTime due = mail::SteadyTime::max();
  for (const ItemPtr& item : all.items) due = std::min(due, item->due);
  // What was due before is due from now: the other mailboxes have waited for longer, and come first.
  engine_->schedule.plan(queue, std::max({due, all.not_before, environment_.clock().now()}), send_priority, 0, pace);
}

void OutgoingMailServer::answer(const ItemPtr& item, std::uint64_t queue, mail::Outcome outcome) {
  std::string mailbox;
  bool news = false;
  {
    const std::lock_guard lock(mutex_);
    mailbox = queues_.at(queue).mailbox;
    news = !item->decided;
    item->decided = outcome;
  }
  if (news) environment_.log().write(mail::Level::info, source_, fate_line(item->key, mailbox, outcome));
  item->run.reset();  // the mail may be freed with the first answer
  for (;;) {
    mail::SubmissionListener* listener = nullptr;
    {
      const std::lock_guard lock(mutex_);
      if (item->listeners.empty()) {
        by_key_.erase(item->key);
        std::erase(queues_.at(queue).items, item);
        emptied_.notify_all();
        return;
      }
      if (frozen_) return;  // the next stop() goes on here
      listener = item->listeners.front();
      item->listeners.pop_front();
    }
    const mail::Workers::InHost inside(engine_->workers);
    listener->on_sent(outcome);
  }
}

void OutgoingMailServer::answer_all(std::uint64_t queue) {
  std::unique_lock lock(mutex_);
  const std::list<ItemPtr> items = queues_.at(queue).items;
  lock.unlock();
  mail::Outcome unseen;
  unseen.verdict = mail::Verdict::retry_later;
  unseen.reason = "The server was stopped before this mail was begun. Submit it again with the same key.";
  for (const ItemPtr& item : items) {
    if (item->decided) {
      answer(item, queue, *item->decided);
    } else {
      answer(item, queue, item->run ? item->run->cut_short() : unseen);
    }
  }
}

}  // namespace m365
