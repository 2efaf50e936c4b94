#include "m365/incoming/stream_work.h"

#include <algorithm>
#include <utility>

#include "m365/incoming/delivery.h"
#include "m365/incoming/delivery_incident.h"
#include "m365/incoming/delivery_verdict.h"
#include "m365/incoming/duplicates.h"
#include "m365/incoming/marking_turn.h"
#include "m365/incoming/opening.h"
#include "m365/incoming/owed_receipts.h"
#include "m365/incoming/polling.h"
#include "m365/incoming/reconcile.h"

namespace m365 {
namespace {

using namespace std::chrono_literals;
using mail::Cause;
using mail::Level;
using mail::Remedy;
using Pace = mail::Schedule::Pace;

constexpr std::size_t most_asides_a_turn = 20;
constexpr unsigned many_turns = 10;  // one after the other: a backlog, or pages that have no end
constexpr std::chrono::milliseconds first_pause{1'000}, longest_pause{5min};

// Its next poll asks for what is new, which is little, and the last one was answered quickly.
bool polls_quietly(const Stream& stream) {
  return stream.quick && stream.cursor.next_link.empty() && !stream.cursor.delta_link.empty() &&
         !stream.lists_instead && !first_fetch_held(stream);
}

// When the next mail that is set aside is due, and whether any of them is still the host's to get.
void read_asides(Stream& stream) {
  bool guard_tripped = false;
  {
    const std::lock_guard lock(stream.mutex);
    if (stream.asides_changed) stream.asides_stale = true;
    stream.asides_changed = false;
    guard_tripped = stream.guard.tripped();
  }
  if (!stream.asides_stale || !stream.opened) return;
  stream.aside_due.reset();
  stream.asides_waiting = false;
  const mail::WallTime wall = stream.core.wall();
  for (const store::SetAside& aside : stream.core.store()->asides(stream.identity()->stream)) {
    const AsideKind kind = from_reason(aside.reason).kind;
    if (kind != AsideKind::watch) stream.asides_waiting = true;
    if (at_work(stream, aside.message_id) || (kind == AsideKind::refused && guard_tripped)) continue;
    const mail::WallTime due = std::max(aside.due, wall);
    const mail::SteadyTime steady = stream.core.now() + (due - wall);
    if (!stream.aside_due || steady < *stream.aside_due) stream.aside_due = steady;
  }
  stream.asides_stale = false;
}

bool must_stop(Stream& stream) {
  const std::lock_guard lock(stream.mutex);
  return stream.disk_refused || stream.guard.tripped() || stream.undecided.size() >= undecided_window;
}

void deliver_in_hand(Stream& stream) {
  while (!stream.in_hand.empty() && !must_stop(stream)) {
    if (owes_much(stream)) save_receipts(stream);
    deliver(stream, stream.in_hand.front());
    stream.in_hand.pop_front();
    --stream.core.rows_in_hand;
  }
  if (stream.in_hand.empty()) save_progress(stream);
}

void deliver_asides(Stream& stream) {
  const mail::WallTime wall = stream.core.wall();
  std::size_t done = 0;
  stream.asides_stale = true;
  for (const store::SetAside& aside : stream.core.store()->asides(stream.identity()->stream)) {
    if (done == most_asides_a_turn || must_stop(stream)) return;
    if (aside.due > wall || at_work(stream, aside.message_id)) continue;
    const auto now = stream.core.store()->aside(aside.stream, aside.message_id);
    if (!now || now->due > wall) continue;  // a verdict came since they were listed
    if (owes_much(stream)) save_receipts(stream);
    Arrival arrival = arrival_of(*now);
    if (arrival.note.kind == AsideKind::refused) arrival.tries = 0;
    deliver(stream, arrival);
    stream.activity = stream.activity || arrival.note.kind != AsideKind::watch;
    ++done;
    if (stream.others_first) return;
  }
}

void say_idle(Stream& stream) {
  if (stream.core.store()->to_mark_count(stream.identity()->stream, 1) > 0) {
    // The marking half wakes this one when it is through.
    const std::lock_guard lock(stream.mutex);
    stream.marks_waiting = stream.idle_owed = true;
    return;
  }
  stream.activity = false;
  stream.core.in_host(&stream, [&stream] { stream.listener.on_idle(); });
}

void log_delivered(Stream& stream) {
  if (stream.delivered == 0) return;
  stream.note(Level::info,
              std::to_string(stream.delivered) + (stream.delivered == 1 ? " mail" : " mails") + " handed over");
  stream.delivered = 0;
}

void perform(Stream& stream, Step step) {
  switch (step) {
    case Step::rest:
      break;
    case Step::save_receipts:
      save_receipts(stream);
      break;
    case Step::open:
      open_stream(stream);
      break;
    case Step::hold_incident:
      hold_incident(stream);
      break;
    case Step::probe:
      probe(stream);
      break;
    case Step::deliver:
      deliver_in_hand(stream);
      break;
    case Step::retry_asides:
      deliver_asides(stream);
      break;
    case Step::walk:
      stream.others_first = false;
      walk(stream);
      break;
    case Step::poll:
      stream.others_first = false;
      poll(stream);
      break;
    case Step::say_idle:
      say_idle(stream);
      break;
  }
}

bool reads_a_page(Step step) {
  return step == Step::poll || step == Step::walk || step == Step::probe || step == Step::retry_asides;
}

void show_success(Stream& stream) {
  stream.failures = 0;
  stream.backed_off_until = {};
  const mail::WallTime wall = stream.core.wall();
  RefusalGuard::Incident incident;
  {
    const std::lock_guard lock(stream.mutex);
    incident = stream.guard.incident();
  }
  {
    const std::lock_guard lock(stream.account->mutex);
    if (!stream.account->worked) {
      stream.account->worked = true;
      stream.core.schedule.hasten(account_jobs | stream.account->number, stream.core.now());
    }
  }
  if (incident == RefusalGuard::Incident::none) {
    stream.health.success(wall);
  } else {
    stream.health.trouble(Aspect::fetching, incident_fault(stream, incident), {}, wall);
  }
}

void show_failure(Stream& stream, mail::Fault fault) {
  if (fault.remedy == Remedy::cancelled) return;
  // What an answer's decoder or the sign-in has to say names no mailbox.
  if (fault.text.find(stream.address()) == std::string::npos) fault.text.insert(0, stream.address() + ": ");
  std::chrono::milliseconds pause = first_pause;
  for (unsigned i = 0; i < stream.failures && pause < longest_pause; ++i) pause *= 2;
  ++stream.failures;
  pause = std::max(stream.core.jittered(std::min(pause, longest_pause)), fault.retry_after);
  stream.backed_off_until = stream.core.now() + pause;
  stream.quick = false;  // alone until it answers again: a batch is as slow as its slowest
  stream.health.trouble(Aspect::fetching, fault, pause, stream.core.wall());
  if (stream.failures == 1 || stream.failures % 20 == 0) {
    stream.note(fault.remedy == Remedy::administrator ? Level::error : Level::warning,
                fault.text + (fault.code.empty() ? "" : " (" + fault.code + ")") +
                    (fault.request_id.empty() ? "" : " request-id " + fault.request_id));
  }
}

void show_failure(Stream& stream, std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const mail::FaultError& failure) {
    show_failure(stream, failure.fault());
  } catch (const std::exception& failure) {
    mail::Fault fault;
    fault.cause = Cause::service_fault;
    fault.text = stream.address() + ": a fault inside the plugin: " + failure.what() + ". It is tried again by itself.";
    show_failure(stream, fault);
  } catch (...) {
    mail::Fault fault;
    fault.cause = Cause::service_fault;
    fault.text = stream.address() + ": a fault inside the plugin. It is tried again by itself.";
    show_failure(stream, fault);
  }
}

}  // namespace

StreamFacts facts_of(Stream& stream) {
  if (stream.woken.exchange(false)) stream.backed_off_until = {};
  StreamFacts facts;
  facts.backed_off_until = stream.backed_off_until;
  facts.opened = stream.opened;
  facts.mails_in_hand = !stream.in_hand.empty() || stream.cursor_after.has_value();
  // What is in hand comes before what is set aside, which need not be read for every verdict meanwhile.
  if (facts.backed_off_until <= stream.core.now() && !facts.mails_in_hand) read_asides(stream);
  facts.aside_due = stream.aside_due;
  facts.others_first = stream.others_first;
  facts.first_walk = !stream.walks.empty() && stream.walks.front().kind == Walk::Kind::first;
  facts.poll_due = stream.poll_due;
  facts.walking = !stream.walks.empty();
  facts.walk_due = stream.walk_due;
  facts.list_due = stream.list_due;
  bool nobody_decides = true;
  {
    const std::lock_guard lock(stream.mutex);
    facts.receipts_unsaved = stream.disk_refused;
    facts.incident = stream.guard.tripped();
    facts.incident_to_hold = stream.incident_to_hold;
    facts.probe_due = stream.guard.probe_due();
    facts.window_full = stream.undecided.size() >= undecided_window;
    nobody_decides = stream.undecided.empty() && stream.owed.empty() && !stream.idle_owed;
  }
  facts.idle_to_say = stream.activity && stream.round_done && !facts.mails_in_hand && !stream.asides_waiting &&
                      !facts.walking && nobody_decides;
  return facts;
}

void take_turn(Stream& stream) {
  const mail::Stopwatch watch(stream.core.clock);
  stream.alone = false;
  stream.health.starting(stream.core.wall());
  try {
    bool page_read = false, asked = false;
    for (;;) {
      if (stream.token().stop_requested()) return;
      const Next next = decide_next(facts_of(stream), stream.core.now());
      if (next.step == Step::rest || (reads_a_page(next.step) && page_read)) break;
      page_read = page_read || reads_a_page(next.step);
      asked = asked || page_read || next.step == Step::open;
      perform(stream, next.step);
      if (next.step == Step::poll) show_success(stream);  // before the host is called, which may take long
    }
    if (asked) show_success(stream);
  } catch (...) {
    show_failure(stream, std::current_exception());
  }
  log_delivered(stream);
  stream.slow = watch.pace() == Pace::slow;
  plan_next(stream);
}

std::optional<GraphRequest> batchable_request(Stream& stream, std::chrono::milliseconds ahead) {
  try {
    if (stream.token().stop_requested() || stream.alone || !stream.graph().batches()) return std::nullopt;
    const Next next = decide_next(facts_of(stream), stream.core.now() + ahead);
    if (stream.graph().gate().shut_for(stream.settings.user) > 0ms) return std::nullopt;
    if (next.step == Step::open && stream.failures == 0) return opening_request(stream);
    if (next.step != Step::poll || !polls_quietly(stream)) return std::nullopt;
    stream.asked = stream.core.now();
    return poll_request(stream, std::min(page_in_batch, stream.page_size));
  } catch (...) {
    return std::nullopt;  // its own turn shows what is wrong
  }
}

void take_answer(Stream& stream, const GraphRequest& request, BatchAnswer answer) {
  stream.health.starting(stream.core.wall());
  try {
    const bool opening = !stream.opened;
    if (answer.status < 200 || answer.status > 299) {
      if (answer.status == 0)
        throw mail::FaultError({Cause::service_fault,
                                Remedy::wait,
                                stream.address() + ": Microsoft 365 left an answer out.",
                                {},
                                {},
                                {},
                                true});
      const GraphError error = stream.graph().error_of(answer, request);
      if (opening || !poll_refused(stream, error)) throw error;
    } else if (opening) {
      open_with(stream, decode_folder(answer.body), answer.headers);
      stream.quick = true;
    } else {
      take_poll(stream, answer.body, std::min(page_in_batch, stream.page_size));
    }
    show_success(stream);
  } catch (...) {
    show_failure(stream, std::current_exception());
  }
}

void batch_failed(Stream& stream, std::exception_ptr error) {
  stream.quick = false;
  stream.alone = true;
  try {
    std::rethrow_exception(error);
  } catch (const mail::FaultError& failure) {
    // The gate shut for one of them, or one's answer made that of all unreadable: the others did nothing wrong. Each
    // asks alone, and then it shows whose trouble it is.
    const mail::Fault& fault = failure.fault();
    if (fault.cause == Cause::throttled || fault.cause == Cause::service_fault || fault.remedy == Remedy::cancelled)
      return;
  } catch (...) {
  }
  show_failure(stream, error);
}

void plan_next(Stream& stream) {
  mail::SteadyTime due = stream.core.now() + 1s;
  std::uint32_t group = 0;
  try {
    const Next next = decide_next(facts_of(stream), stream.core.now());
    due = next.step == Step::rest ? next.due : stream.core.now();
    stream.turns_in_a_row = next.step == Step::rest ? 0 : stream.turns_in_a_row + 1;
    const bool polls_later = next.step == Step::rest && due == stream.poll_due && due != stream.backed_off_until;
    const bool polls_next = (polls_later || next.step == Step::poll) && polls_quietly(stream);
    const bool opens_next = next.step == Step::open && stream.failures == 0;
    if (!stream.alone && (polls_next || opens_next)) group = stream.account->poll_group();
  } catch (const mail::FaultError& error) {
    show_failure(stream, error.fault());
    due = stream.backed_off_until;
  } catch (...) {
    show_failure(stream, std::current_exception());
    due = stream.backed_off_until;
  }
  // Seldom more than a day: a verdict or a repair wakes it before.
  due = std::min(due, stream.core.now() + 24h);
  stream.core.schedule.plan(fetch_job(stream.id), due, stream.settings.priority, group,
                            stream.slow || stream.turns_in_a_row >= many_turns ? Pace::slow : Pace::quick);
  bool marks = false, many = false;
  {
    const std::lock_guard lock(stream.mutex);
    marks = std::exchange(stream.marks_waiting, false) && stream.folder;
    many = std::exchange(stream.marks_written, 0) >= batch_limit;
  }
  if (marks) wake_marking(stream, many ? Wake::now : Wake::soon);
}

}  // namespace m365
