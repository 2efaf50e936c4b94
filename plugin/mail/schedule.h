// Who is due next. Ten thousand waiting mailboxes are ten thousand entries here and no thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

#include "mail/clock.h"

namespace mail {

/// Any thread; must outlive every take(). An id is planned, running, or unknown. All functions cost O(log n).
class Schedule {
 public:
  static constexpr std::uint32_t last_priority = UINT32_MAX;  ///< served last: no priority given
  /// Who has been due for so long goes before all others, whatever their priority. So a priority decides who is served
  /// first when a pool is busy, and never whether somebody is served: busy mailboxes of a high priority cannot hold the
  /// others up for longer than this and the turns of those who have waited even longer (architecture 2.4).
  static constexpr std::chrono::seconds longest_wait{30};
  /// Whether an id holds its taker for long, by a slow turn or by many without a rest, as its taker sees it. Only so
  /// many slow ones run at once, so that as many of them as there may be leave takers to those who are quick
  /// (architecture 2.4).
  enum class Pace { quick, slow };
  static constexpr std::chrono::seconds slow_turn{10};  ///< who takes so long, the host's time not counted, is slow
  /// So many of a pool may be with slow ids at once: a quarter is kept for the quick ones, where there are two.
  static constexpr std::size_t most_slow(std::size_t pool) { return pool < 2 ? pool : pool - (pool + 3) / 4; }

  explicit Schedule(Clock& clock, std::size_t slow_at_once = SIZE_MAX);
  ~Schedule();
  /// Plans `id`. Already planned: replaces all of it. Running: takes effect when done() is called (of several such
  /// calls the earliest due counts, and what else the last one says). A slow one has no group.
  void plan(std::uint64_t id, SteadyTime due, std::uint32_t priority = last_priority, std::uint32_t group = 0,
            Pace pace = Pace::quick);
  /// As plan, but never later than it is planned already, and all else stays as it is; what follows is for an id that
  /// is unknown.
  void hasten(std::uint64_t id, SteadyTime due, std::uint32_t priority = last_priority, std::uint32_t group = 0,
              Pace pace = Pace::quick);
  /// Forgets `id`; a running one is not planned again by done(), also when its runner still calls plan() or hasten().
  void cancel(std::uint64_t id);
  /// Waits until an id is due, takes it (it is then running): of all that have been due for longest_wait the earliest
  /// due, else of all due ones the lowest priority value, then the earliest due. Slow ones are passed over while enough
  /// of them run. nullopt once stop was requested.
  std::optional<std::uint64_t> take(std::stop_token stop);
  /// Takes up to `most` further ids of `group` (not 0) without waiting: first those that are due now, in the order of
  /// take(), then those that will be within `ahead`, the earliest first. The taker calls done() for each.
  std::vector<std::uint64_t> take_more(std::uint32_t group, std::size_t most,
                                       std::chrono::milliseconds ahead = std::chrono::milliseconds(0));
  /// The taker is through with `id`. No effect when it is not running.
  void done(std::uint64_t id);
  /// The taker of `id` is with somebody else for a while (a host), and back: meanwhile a slow one does not count.
  void away(std::uint64_t id);
  void back(std::uint64_t id);
  bool running(std::uint64_t id) const;
  std::size_t planned() const;  ///< how many wait or are due; running ones do not count

 private:
  struct State;
  class Locked;
  std::unique_ptr<State> state_;
};

}  // namespace mail
