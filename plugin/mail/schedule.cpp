#include "mail/schedule.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace mail {
namespace {

using Id = std::uint64_t;

using Pace = Schedule::Pace;

struct Plan {
  SteadyTime due{};
  std::uint32_t priority = Schedule::last_priority;
  std::uint32_t group = 0;
  Pace pace = Pace::quick;
};

/// Where one that is due stands among the others: smaller goes first.
using Rank = std::tuple<bool, std::uint32_t, SteadyTime, Id>;

/// Ids that are due, in the order in which they are taken.
class DueIds {
 public:
  void add(Id id, const Plan& plan) {
    by_priority_.emplace(plan.priority, plan.due, id);
    by_age_.emplace(plan.due, id);
  }
  void remove(Id id, const Plan& plan) {
    by_priority_.erase({plan.priority, plan.due, id});
    by_age_.erase({plan.due, id});
  }
  std::size_t size() const { return by_age_.size(); }
  bool empty() const { return by_age_.empty(); }
  /// Of the first one; not to be asked when empty.
  Rank first(SteadyTime now) const {
    const auto& [due, oldest] = *by_age_.begin();
    if (now - due >= Schedule::longest_wait) return {false, 0, due, oldest};
    return std::tuple_cat(std::tuple{true}, *by_priority_.begin());
  }

 private:
  std::set<std::tuple<std::uint32_t, SteadyTime, Id>> by_priority_;
  std::set<std::pair<SteadyTime, Id>> by_age_;
};

enum class Phase { waiting, due, running };

struct Entry {
  Plan plan;
  Phase phase = Phase::waiting;
  // While running:
  bool again = false;      ///< `plan` was asked for meanwhile
  bool cancelled = false;  ///< and is not to be, whoever asks
  bool slow = false;       ///< it was taken as one
  unsigned away = 0;       ///< its taker is elsewhere
};

}  // namespace

// One waiter, the leader, sleeps until the next due; the others sleep without a time. So a due entry wakes one thread
// and not the whole pool. Whoever takes an entry calls up the next leader before it goes to work.
struct Schedule::State {
  State(Clock& the_clock, std::size_t slow_most) : clock(the_clock), slow_at_once(slow_most) {}

  Clock& clock;
  const std::size_t slow_at_once;

  mutable std::mutex mutex;
  // Everything below is guarded by mutex.
  std::condition_variable_any leader_wake, follower_wake;
  bool led = false;          ///< a leader waits
  SteadyTime leads_until{};  ///< and until when
  std::unordered_map<Id, Entry> entries;
  std::set<std::pair<SteadyTime, Id>> waiting;
  std::set<std::tuple<std::uint32_t, SteadyTime, Id>> waiting_by_group;  ///< those of a group
  DueIds due_quick, due_slow;
  std::map<std::uint32_t, DueIds> groups;  ///< of due_quick those of a group, by its number
  std::size_t slow_running = 0;            ///< without those that are away

  bool wake_leader = false, wake_follower = false;  ///< when the mutex is free again: see Locked

  DueIds& due(const Plan& plan) { return plan.pace == Pace::slow ? due_slow : due_quick; }

  void link(Id id, Entry& entry, Phase phase) {
    entry.phase = phase;
    const Plan& plan = entry.plan;
    if (phase == Phase::waiting) {
      waiting.emplace(plan.due, id);
      if (plan.group != 0) waiting_by_group.emplace(plan.group, plan.due, id);
    }
    if (phase == Phase::due) {
      due(plan).add(id, plan);
      if (plan.group != 0) groups[plan.group].add(id, plan);
    }
  }

  void unlink(Id id, const Entry& entry) {
    const Plan& plan = entry.plan;
    if (entry.phase == Phase::waiting) {
      waiting.erase({plan.due, id});
      if (plan.group != 0) waiting_by_group.erase({plan.group, plan.due, id});
    }
    if (entry.phase != Phase::due) return;
    due(plan).remove(id, plan);
    if (plan.group == 0) return;
    const auto group = groups.find(plan.group);
    group->second.remove(id, plan);
    if (group->second.empty()) groups.erase(group);
  }

  std::optional<Id> first_due() const {
    const SteadyTime now = clock.now();
    std::optional<Rank> first;
    if (!due_quick.empty()) first = due_quick.first(now);
    if (!due_slow.empty() && slow_running < slow_at_once)
      first = first ? std::min(*first, due_slow.first(now)) : due_slow.first(now);
    return first ? std::optional(std::get<Id>(*first)) : std::nullopt;
  }

  void put(Id id, Entry& entry) {
    link(id, entry, Phase::waiting);
    if (!led)
      wake_follower = true;
    else if (entry.plan.due < leads_until)
      wake_leader = true;
  }

  void collect_due() {
    const SteadyTime now = clock.now();
    while (!waiting.empty() && waiting.begin()->first <= now) {
      const Id id = waiting.begin()->second;
      Entry& entry = entries.at(id);
      unlink(id, entry);
      link(id, entry, Phase::due);
    }
  }

  void run(Id id) {
    Entry& entry = entries.at(id);
    unlink(id, entry);
    entry.phase = Phase::running;
    entry.slow = entry.plan.pace == Pace::slow;
    entry.away = 0;
    if (entry.slow) ++slow_running;
  }

  // One slow one less: another may be waiting for that, and everybody asleep.
  void slow_ended() {
    --slow_running;
    if (due_slow.empty()) return;
    (led ? wake_leader : wake_follower) = true;
  }

  void call_up_leader() {
    if (!led) wake_follower = true;
  }
};

/// The mutex, and at its end a call for those who are to look again. Called while it is held, they would run into it
/// and sleep once more: two turns of the processor for nothing, with every mail.
class Schedule::Locked {
 public:
  explicit Locked(State& state) : state_(state), lock_(state.mutex) {}
  ~Locked() {
    const bool leader = std::exchange(state_.wake_leader, false), follower = std::exchange(state_.wake_follower, false);
    lock_.unlock();
    if (leader) state_.leader_wake.notify_one();
    if (follower) state_.follower_wake.notify_one();
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  std::unique_lock<std::mutex>& lock() { return lock_; }

 private:
  State& state_;
  std::unique_lock<std::mutex> lock_;
};

Schedule::Schedule(Clock& clock, std::size_t slow_at_once)
    : state_(std::make_unique<State>(clock, std::max<std::size_t>(slow_at_once, 1))) {}
Schedule::~Schedule() = default;

void Schedule::plan(Id id, SteadyTime due, std::uint32_t priority, std::uint32_t group, Pace pace) {
  if (pace == Pace::slow) group = 0;
  const Locked locked(*state_);
  const auto [place, is_new] = state_->entries.try_emplace(id);
  Entry& entry = place->second;
  if (!is_new && entry.phase == Phase::running) {
    if (entry.cancelled) return;
    entry.plan = {entry.again ? std::min(entry.plan.due, due) : due, priority, group, pace};
    entry.again = true;
    return;
  }
  if (!is_new) state_->unlink(id, entry);
  entry.plan = {due, priority, group, pace};
  state_->put(id, entry);
}

void Schedule::hasten(Id id, SteadyTime due, std::uint32_t priority, std::uint32_t group, Pace pace) {
  if (pace == Pace::slow) group = 0;
  const Locked locked(*state_);
  const auto [place, is_new] = state_->entries.try_emplace(id);
  Entry& entry = place->second;
  if (is_new) {
    entry.plan = {due, priority, group, pace};
    state_->put(id, entry);
  } else if (entry.phase == Phase::running) {
    if (entry.cancelled) return;
    entry.plan.due = entry.again ? std::min(entry.plan.due, due) : due;
    entry.again = true;
  } else if (due < entry.plan.due) {
    state_->unlink(id, entry);
    entry.plan.due = due;
    state_->put(id, entry);
  }
}

void Schedule::cancel(Id id) {
  const Locked locked(*state_);
  const auto place = state_->entries.find(id);
  if (place == state_->entries.end()) return;
  Entry& entry = place->second;
  if (entry.phase == Phase::running) {
    entry.again = false;
    entry.cancelled = true;
    return;
  }
  state_->unlink(id, entry);
  state_->entries.erase(place);
}

std::optional<Id> Schedule::take(std::stop_token stop) {
  State& state = *state_;
  Locked locked(state);
  for (;;) {
    if (stop.stop_requested()) {
      state.call_up_leader();  // a call that came to this one is for those who stay
      return std::nullopt;
    }
    state.collect_due();
    if (const std::optional<Id> id = state.first_due()) {
      state.run(*id);
      state.call_up_leader();
      return id;
    }
    if (state.led) {
      state.clock.wait_until(locked.lock(), state.follower_wake, SteadyTime::max(), stop);
    } else {
      state.led = true;
      state.leads_until = state.waiting.empty() ? SteadyTime::max() : state.waiting.begin()->first;
      state.clock.wait_until(locked.lock(), state.leader_wake, state.leads_until, stop);
      state.led = false;
    }
  }
}

std::vector<Id> Schedule::take_more(std::uint32_t group, std::size_t most, std::chrono::milliseconds ahead) {
  std::vector<Id> taken;
  if (group == 0) return taken;
  const Locked locked(*state_);
  state_->collect_due();
  const SteadyTime now = state_->clock.now();
  for (auto due = state_->groups.find(group); taken.size() < most && due != state_->groups.end();
       due = state_->groups.find(group)) {
    taken.push_back(std::get<Id>(due->second.first(now)));
    state_->run(taken.back());
  }
  const SteadyTime until = state_->clock.now() + ahead;
  while (taken.size() < most && ahead.count() > 0) {
    const auto next = state_->waiting_by_group.lower_bound({group, SteadyTime::min(), 0});
    if (next == state_->waiting_by_group.end() || std::get<0>(*next) != group || std::get<1>(*next) > until) break;
    taken.push_back(std::get<2>(*next));
    state_->run(taken.back());
  }
  return taken;
}

void Schedule::done(Id id) {
  const Locked locked(*state_);
  const auto place = state_->entries.find(id);
  if (place == state_->entries.end() || place->second.phase != Phase::running) return;
  Entry& entry = place->second;
  if (entry.slow && entry.away == 0) state_->slow_ended();
  if (!entry.again) {
    state_->entries.erase(place);
    return;
  }
  entry.again = false;
  state_->put(id, entry);
}

void Schedule::away(Id id) {
  const Locked locked(*state_);
  const auto place = state_->entries.find(id);
  if (place == state_->entries.end() || place->second.phase != Phase::running) return;
  if (place->second.away++ == 0 && place->second.slow) state_->slow_ended();
}

void Schedule::back(Id id) {
  const Locked locked(*state_);
  const auto place = state_->entries.find(id);
  if (place == state_->entries.end() || place->second.phase != Phase::running || place->second.away == 0) return;
  if (--place->second.away == 0 && place->second.slow) ++state_->slow_running;
}

bool Schedule::running(Id id) const {
  const std::lock_guard lock(state_->mutex);
  const auto place = state_->entries.find(id);
  return place != state_->entries.end() && place->second.phase == Phase::running;
}

std::size_t Schedule::planned() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.size() + state_->due_quick.size() + state_->due_slow.size();
}

}  // namespace mail
