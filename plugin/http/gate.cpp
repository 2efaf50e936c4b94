#include "http/gate.h"

#include <algorithm>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

#include "http/sliding_window.h"
#include "http/transport.h"

namespace http {
namespace {

using std::chrono::milliseconds;

std::string key_of(const std::string& mailbox) {
  std::string key = mailbox;
  for (char& c : key) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return key;
}

std::string seconds(milliseconds time) {
  return std::to_string((time.count() + 999) / 1000) + " s";
}

struct Mailbox {
  explicit Mailbox(const GateLimits& limits)
      : requests(limits.requests, limits.requests_window), upload(limits.upload_bytes, limits.upload_window) {}
  SlidingWindow requests;
  SlidingWindow upload;
  unsigned busy = 0;
  unsigned promised = 0;  // while may_pass() looks: to waiters who go first
  bool kept = false;      // while may_pass() looks: for a waiter who goes first and lacks a place here
  mail::SteadyTime shut_until{};
};

/// What one call of enter() needs of one mailbox.
struct Need {
  std::string name;  // as the caller wrote it, for the sentence
  Mailbox* mailbox = nullptr;
  unsigned requests = 0;
  unsigned places = 0;
  std::uint64_t bytes = 0;
};

struct Waiter {
  std::vector<Need> needs;
  bool sends = false;
};

}  // namespace

struct Gate::State {
  State(mail::Clock& c, GateLimits l) : clock(c), limits(l) {}

  mail::Clock& clock;
  const GateLimits limits;

  mutable std::mutex mutex;
  std::condition_variable_any changed;
  // Everything below is guarded by mutex.
  std::unordered_map<std::string, Mailbox> mailboxes;  // as many as are configured; nodes do not move
  std::list<Waiter> waiters;                           // in order of arrival

  std::vector<Need> needs_of(const std::vector<std::string>& names, std::size_t body_bytes);
  void refuse_if_closed(const std::vector<Need>& needs);
  bool may_pass(const Waiter& self);
  void give_back(const std::vector<Need>& needs);

 private:
  bool lacks_places(const Need& need) const {
    return need.mailbox->busy + need.mailbox->promised + need.places > limits.concurrent;
  }
};

namespace {

class Places final : public Gate::Pass {
 public:
  Places(std::shared_ptr<Gate::State> state, std::vector<Need> needs)
      : state_(std::move(state)), needs_(std::move(needs)) {}
  ~Places() override { state_->give_back(needs_); }

 private:
  std::shared_ptr<Gate::State> state_;
  std::vector<Need> needs_;
};

}  // namespace

std::vector<Need> Gate::State::needs_of(const std::vector<std::string>& names, std::size_t body_bytes) {
  std::map<std::string, Need> by_key;
  for (const std::string& name : names) {
    std::string key = key_of(name);
    Need& need = by_key[key];
    if (!need.mailbox) {
      need.name = name;
      need.mailbox = &mailboxes.try_emplace(std::move(key), limits).first->second;
    }
    ++need.requests;
    need.places = std::min(need.requests, limits.concurrent);
  }
  std::vector<Need> needs;
  for (auto& [key, need] : by_key) {
    need.bytes = body_bytes * need.requests / names.size();  // a batch's body belongs to all inside alike
    needs.push_back(std::move(need));
  }
  return needs;
}

void Gate::State::refuse_if_closed(const std::vector<Need>& needs) {
  const mail::SteadyTime now = clock.now();
  milliseconds longest{0};
  std::string text;
  const auto closed_for = [&](milliseconds wait, const Need& need, const char* why) {
    if (wait <= longest) return;
    longest = wait;
    text = "mailbox " + need.name + ": " + why + "; the next request may go in " + seconds(wait);
  };
  for (const Need& need : needs) {
    closed_for(std::chrono::ceil<milliseconds>(need.mailbox->shut_until - now), need,
               "the service asked to wait (throttled)");
    closed_for(need.mailbox->requests.wait_for(need.requests, now), need, "its budget of requests is used up");
    closed_for(need.mailbox->upload.wait_for(need.bytes, now), need, "its budget of uploaded bytes is used up");
  }
  if (longest > milliseconds(0)) throw TransportError(TransportError::Kind::throttled, false, text, longest);
}

/// All places or none, so nobody holds some while waiting for others. Whoever goes before `self` (senders before
/// fetchers, then by arrival) either gets its places now or waits: then it keeps `self` out of the mailboxes in which
/// it lacks a place, and out of no others, so a batch that waits for one busy mailbox does not hold up the rest.
bool Gate::State::may_pass(const Waiter& self) {
  for (Waiter& waiter : waiters) {
    for (Need& need : waiter.needs) need.mailbox->promised = 0, need.mailbox->kept = false;
  }
  for (const bool sends : {true, false}) {
    for (const Waiter& waiter : waiters) {
      if (waiter.sends != sends) continue;
      const bool passes = std::none_of(waiter.needs.begin(), waiter.needs.end(),
                                       [&](const Need& need) { return need.mailbox->kept || lacks_places(need); });
      if (&waiter == &self) return passes;
      for (const Need& need : waiter.needs) {
        if (passes) {
          need.mailbox->promised += need.places;
        } else if (lacks_places(need)) {
          need.mailbox->kept = true;
        }
      }
    }
  }
  return false;
}

void Gate::State::give_back(const std::vector<Need>& needs) {
  {
    const std::lock_guard lock(mutex);
    for (const Need& need : needs) need.mailbox->busy -= need.places;
  }
  changed.notify_all();
}

Gate::Gate(mail::Clock& clock, GateLimits limits) : state_(std::make_shared<State>(clock, limits)) {}
Gate::~Gate() = default;

std::unique_ptr<Gate::Pass> Gate::enter(const std::vector<std::string>& mailboxes, std::size_t body_bytes,
                                        Urgency urgency, std::stop_token stop) {
  State& state = *state_;
  std::unique_lock lock(state.mutex);
  const auto self = state.waiters.emplace(state.waiters.end());
  struct Leave {  // whoever leaves, with a pass or without, may have been in somebody's way
    State& state;
    std::list<Waiter>::iterator self;
    ~Leave() {
      state.waiters.erase(self);
      state.changed.notify_all();
    }
  } const leave{state, self};
  self->sends = urgency == Urgency::send;
  if (!mailboxes.empty()) self->needs = state.needs_of(mailboxes, body_bytes);

  for (;;) {
    if (stop.stop_requested()) {
      throw TransportError(TransportError::Kind::cancelled, false, "stopped while waiting for a free place");
    }
    state.refuse_if_closed(self->needs);
    if (state.may_pass(*self)) break;
    state.clock.wait_until(lock, state.changed, state.clock.now() + std::chrono::minutes(1), stop);
  }
  const mail::SteadyTime now = state.clock.now();
  for (const Need& need : self->needs) {
    need.mailbox->requests.use(need.requests, now);
    need.mailbox->upload.use(need.bytes, now);
  }
  std::unique_ptr<Pass> pass = std::make_unique<Places>(state_, self->needs);
  for (const Need& need : self->needs) need.mailbox->busy += need.places;  // last: nothing throws once places are taken
  return pass;
}

void Gate::shut(const std::string& mailbox, std::chrono::milliseconds wait) {
  State& state = *state_;
  {
    const std::lock_guard lock(state.mutex);
    Mailbox& box = state.mailboxes.try_emplace(key_of(mailbox), state.limits).first->second;
    box.shut_until = std::max(box.shut_until, state.clock.now() + wait);
  }
  state.changed.notify_all();  // whoever waits for a place learns now that it need not wait for it
}

std::chrono::milliseconds Gate::shut_for(const std::string& mailbox) const {
  const State& state = *state_;
  const std::lock_guard lock(state.mutex);
  const auto found = state.mailboxes.find(key_of(mailbox));
  if (found == state.mailboxes.end()) return milliseconds(0);
  return std::max(milliseconds(0), std::chrono::ceil<milliseconds>(found->second.shut_until - state.clock.now()));
}

}  // namespace http
