#include "mail/schedule.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <unordered_map>
#include <utility>

namespace mail {
namespace {

using Id = std::uint64_t;

struct Plan {
  SteadyTime due{};
  std::uint32_t priority = Schedule::last_priority;
  std::uint32_t group = 0;
};

enum class Phase { waiting, due, running };

struct Entry {
  Plan plan;
  Phase phase = Phase::waiting;
  // While running:
  bool again = false;      ///< `plan` was asked for meanwhile
  bool cancelled = false;  ///< and is not to be, whoever asks
};

}  // namespace

// One waiter, the leader, sleeps until the next due; the others sleep without a time. So a due entry wakes one thread
// and not the whole pool. Whoever takes an entry calls up the next leader before it goes to work.
struct Schedule::State {
  explicit State(Clock& the_clock) : clock(the_clock) {}

  Clock& clock;

  mutable std::mutex mutex;
  // Everything below is guarded by mutex.
  std::condition_variable_any leader_wake, follower_wake;
  bool led = false;          ///< a leader waits
  SteadyTime leads_until{};  ///< and until when
  std::unordered_map<Id, Entry> entries;
  std::set<std::pair<SteadyTime, Id>> waiting;
  std::set<std::tuple<std::uint32_t, SteadyTime, Id>> waiting_by_group;             ///< the same, of groups
  std::set<std::tuple<std::uint32_t, SteadyTime, Id>> due;                          ///< by priority, then due
  std::set<std::tuple<std::uint32_t, std::uint32_t, SteadyTime, Id>> due_by_group;  ///< the same, of groups

  void link(Id id, Entry& entry, Phase phase) {
    entry.phase = phase;
    const Plan& plan = entry.plan;
    if (phase == Phase::waiting) {
      waiting.emplace(plan.due, id);
      if (plan.group != 0) waiting_by_group.emplace(plan.group, plan.due, id);
    }
    if (phase == Phase::due) {
      due.emplace(plan.priority, plan.due, id);
      if (plan.group != 0) due_by_group.emplace(plan.group, plan.priority, plan.due, id);
    }
  }

  void unlink(Id id, const Entry& entry) {
    const Plan& plan = entry.plan;
    if (entry.phase == Phase::waiting) {
      waiting.erase({plan.due, id});
      if (plan.group != 0) waiting_by_group.erase({plan.group, plan.due, id});
    }
    if (entry.phase == Phase::due) {
      due.erase({plan.priority, plan.due, id});
      if (plan.group != 0) due_by_group.erase({plan.group, plan.priority, plan.due, id});
    }
  }

  void put(Id id, Entry& entry) {
    link(id, entry, Phase::waiting);
    if (!led)
      follower_wake.notify_one();
    else if (entry.plan.due < leads_until)
      leader_wake.notify_one();
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
  }

  void call_up_leader() {
    if (!led) follower_wake.notify_one();
  }
};

Schedule::Schedule(Clock& clock) : state_(std::make_unique<State>(clock)) {}
Schedule::~Schedule() = default;

void Schedule::plan(Id id, SteadyTime due, std::uint32_t priority, std::uint32_t group) {
  const std::lock_guard lock(state_->mutex);
  const auto [place, is_new] = state_->entries.try_emplace(id);
  Entry& entry = place->second;
  if (!is_new && entry.phase == Phase::running) {
    if (entry.cancelled) return;
    entry.plan = {entry.again ? std::min(entry.plan.due, due) : due, priority, group};
    entry.again = true;
    return;
  }
  if (!is_new) state_->unlink(id, entry);
  entry.plan = {due, priority, group};
  state_->put(id, entry);
}

void Schedule::hasten(Id id, SteadyTime due) {
  const std::lock_guard lock(state_->mutex);
  const auto [place, is_new] = state_->entries.try_emplace(id);
  Entry& entry = place->second;
  if (is_new) {
    entry.plan.due = due;
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
  const std::lock_guard lock(state_->mutex);
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
  std::unique_lock lock(state.mutex);
  for (;;) {
    if (stop.stop_requested()) {
      state.call_up_leader();  // a call that came to this one is for those who stay
      return std::nullopt;
    }
    state.collect_due();
    if (!state.due.empty()) {
      const Id id = std::get<Id>(*state.due.begin());
      state.run(id);
      state.call_up_leader();
      return id;
    }
    if (state.led) {
      state.clock.wait_until(lock, state.follower_wake, SteadyTime::max(), stop);
    } else {
      state.led = true;
      state.leads_until = state.waiting.empty() ? SteadyTime::max() : state.waiting.begin()->first;
      state.clock.wait_until(lock, state.leader_wake, state.leads_until, stop);
      state.led = false;
    }
  }
}

std::vector<Id> Schedule::take_more(std::uint32_t group, std::size_t most, std::chrono::milliseconds ahead) {
  std::vector<Id> taken;
  if (group == 0) return taken;
  const std::lock_guard lock(state_->mutex);
  state_->collect_due();
  while (taken.size() < most) {
    const auto first = state_->due_by_group.lower_bound({group, 0, SteadyTime::min(), 0});
    if (first == state_->due_by_group.end() || std::get<0>(*first) != group) break;
    taken.push_back(std::get<Id>(*first));
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
  const std::lock_guard lock(state_->mutex);
  const auto place = state_->entries.find(id);
  if (place == state_->entries.end() || place->second.phase != Phase::running) return;
  Entry& entry = place->second;
  if (!entry.again) {
    state_->entries.erase(place);
    return;
  }
  entry.again = false;
  state_->put(id, entry);
}

bool Schedule::running(Id id) const {
  const std::lock_guard lock(state_->mutex);
  const auto place = state_->entries.find(id);
  return place != state_->entries.end() && place->second.phase == Phase::running;
}

std::size_t Schedule::planned() const {
  const std::lock_guard lock(state_->mutex);
  return state_->waiting.size() + state_->due.size();
}

}  // namespace mail
