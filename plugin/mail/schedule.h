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
  explicit Schedule(Clock& clock);
  ~Schedule();
  /// Plans `id`. Already planned: replaces due, priority and group. Running: takes effect when done() is called (of
  /// several such calls the earliest due counts, and the last priority and group).
  void plan(std::uint64_t id, SteadyTime due, std::uint32_t priority = last_priority, std::uint32_t group = 0);
  /// As plan, but never later than it is planned already, and priority and group stay as they are.
  void hasten(std::uint64_t id, SteadyTime due);
  /// Forgets `id`; a running one is not planned again by done(), also when its runner still calls plan() or hasten().
  void cancel(std::uint64_t id);
  /// Waits until an id is due, takes it (it is then running): of all due ones the lowest priority value, then the
  /// earliest due. nullopt once stop was requested.
  std::optional<std::uint64_t> take(std::stop_token stop);
  /// Takes up to `most` further ids of `group` (not 0) without waiting: first those that are due now, in the order of
  /// take(), then those that will be within `ahead`, the earliest first. The taker calls done() for each.
  std::vector<std::uint64_t> take_more(std::uint32_t group, std::size_t most,
                                       std::chrono::milliseconds ahead = std::chrono::milliseconds(0));
  /// The taker is through with `id`. No effect when it is not running.
  void done(std::uint64_t id);
  bool running(std::uint64_t id) const;
  std::size_t planned() const;  ///< how many wait or are due; running ones do not count

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace mail
