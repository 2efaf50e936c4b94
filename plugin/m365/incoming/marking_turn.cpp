#include "m365/incoming/marking_turn.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>

#include "m365/incoming/marking.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds gathering{200};

enum class Part { contributed, nothing_due, alone, failed };

mail::Fault inner_fault(const Stream& stream, const std::string& what) {
  mail::Fault fault;
  fault.cause = mail::Cause::service_fault;
  fault.text = stream.address() + ": a fault inside the plugin: " + what + ". It is tried again by itself.";
  return fault;
}

// Runs `work`; the fault when it fails.
template <typename Work>
std::optional<mail::Fault> fault_of(const Stream& stream, Work work) {
  try {
    work();
    return std::nullopt;
  } catch (const mail::FaultError& error) {
    return error.fault();
  } catch (const std::exception& error) {
    return inner_fault(stream, error.what());
  }
}

using Pace = mail::Schedule::Pace;

Pace pace_of(Stream::Marks marks) {
  return marks == Stream::Marks::quick ? Pace::quick : Pace::slow;
}

void plan(Stream& stream, mail::SteadyTime due, bool together) {
  Stream::Marks marks;
  {
    const std::lock_guard lock(stream.mutex);
    marks = stream.marks;
  }
  stream.core.schedule.plan(mark_job(stream.id), due, stream.settings.priority,
                            together ? stream.account->mark_group() : 0, pace_of(marks));
}

void plan_after_failure(Stream& stream, const mail::Fault& fault) {
  if (fault.remedy == mail::Remedy::cancelled) {
    // By the mailbox whose batch it was, which was closed: the others ask for another one.
    if (!stream.token().stop_requested()) plan(stream, stream.core.now(), true);
    return;
  }
  std::chrono::milliseconds wait = 1s;
  for (unsigned i = 0; i < stream.mark_failures && wait < 5min; ++i) wait *= 2;
  ++stream.mark_failures;
  wait = std::max(stream.core.jittered(std::min<std::chrono::milliseconds>(wait, 5min)), fault.retry_after);
  stream.health.degraded(Aspect::marking, fault, wait, stream.core.wall());
  {
    const std::lock_guard lock(stream.mutex);
    stream.marks = Stream::Marks::failing;
  }
  plan(stream, stream.core.now() + wait, false);
}

// What is left: more marks, marks that wait for their next try, or none.
void plan_after_work(Stream& stream, Part part) {
  if (part == Part::alone) {
    plan(stream, stream.core.now(), false);
    return;
  }
  stream.mark_failures = 0;
  const std::size_t left =
      stream.core.store()->to_mark_count(stream.identity()->stream, batch_limit + stream.mark_later.size());
  // Then what waits for its next try is of a mailbox or folder that was here before this one.
  if (left == 0) stream.mark_later.clear();
  if (stream.mark_later.empty()) stream.health.clear(Aspect::marking, stream.core.wall());
  if (left == 0) {
    bool idle_owed = false;
    {
      const std::lock_guard lock(stream.mutex);
      idle_owed = std::exchange(stream.idle_owed, false);
    }
    if (idle_owed) stream.core.schedule.hasten(fetch_job(stream.id), stream.core.now());
    return;
  }
  if (part == Part::contributed && left > stream.mark_later.size()) {
    // Less than a batch: where mails are still handed over, it fills in a moment.
    const bool full = left >= batch_limit;
    plan(stream, stream.core.now() + (full ? 0ms : gathering), !full);
    return;
  }
  // The others are kept back by an incident: the verdict that ends it wakes this half.
  if (stream.mark_later.empty()) return;
  mail::SteadyTime due = mail::SteadyTime::max();
  for (const auto& waiting : stream.mark_later) due = std::min(due, waiting.second.due);
  plan(stream, std::max(due, stream.core.now() + 1s), false);
}

// A stream in a turn.
struct Member {
  StreamPtr stream;
  Part part;
  std::optional<mail::Fault> fault;
};

void end_part(Member& member) {
  Stream& stream = *member.stream;
  if (!member.fault && !stream.identity()) return;  // stopped or not open: opening it wakes this half
  if (!member.fault) member.fault = fault_of(stream, [&] { plan_after_work(stream, member.part); });
  if (member.fault) plan_after_failure(stream, *member.fault);
}

Part collect(const StreamPtr& stream, bool first, std::vector<MarkJob>& jobs) {
  if (!first && !marks_ready(*stream)) return Part::alone;
  std::vector<MarkJob> collected = collect_marks(stream, batch_limit - jobs.size());
  if (collected.empty()) return Part::nothing_due;
  std::move(collected.begin(), collected.end(), std::back_inserter(jobs));
  return Part::contributed;
}

}  // namespace

void wake_marking(Stream& stream, Wake when) {
  Stream::Marks marks;
  {
    const std::lock_guard lock(stream.mutex);
    marks = stream.marks;
  }
  if (marks == Stream::Marks::failing) return;  // its next try is planned
  // Never later than planned already: a long fetch, which wakes this half with every page, must not put it off.
  stream.core.schedule.hasten(mark_job(stream.id), stream.core.now() + (when == Wake::now ? 0ms : gathering),
                              stream.settings.priority, stream.account->mark_group(), pace_of(marks));
}

void take_marking_turn(const StreamPtr& stream, const Neighbours& neighbours) {
  std::vector<MarkJob> jobs;
  std::vector<Member> sharing;
  // One after the other, while there is room: nobody shall wait for a batch that has nothing of his.
  for (StreamPtr each = stream; each; each = jobs.size() < batch_limit ? neighbours.next() : nullptr) {
    Member member{each, Part::failed, std::nullopt};
    const bool shut = each != stream && each->graph().gate().shut_for(each->settings.user) > 0ms;
    member.fault = fault_of(*each, [&] {
      member.part = !each->identity() ? Part::nothing_due : shut ? Part::alone : collect(each, each == stream, jobs);
    });
    if (each == stream || member.part == Part::contributed) {
      sharing.push_back(std::move(member));
      continue;
    }
    end_part(member);
    neighbours.give_back(*each);
  }
  const mail::SteadyTime begun = stream->core.now();
  const std::optional<mail::Fault> fault =
      fault_of(*stream, [&] { send_marks(stream->core, stream->graph(), std::move(jobs), stream->token()); });
  const bool quick = stream->core.now() - begun < 5s;
  for (Member& member : sharing) {
    if (!member.fault && member.part == Part::contributed) member.fault = fault;
    if (!member.fault) {
      const std::lock_guard lock(member.stream->mutex);
      member.stream->marks = quick ? Stream::Marks::quick : Stream::Marks::slow;
    }
    end_part(member);
  }
}

}  // namespace m365
