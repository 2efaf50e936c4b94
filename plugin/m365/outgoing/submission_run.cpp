#include "m365/outgoing/submission_run.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "m365/outgoing/submission_text.h"

namespace m365 {

using std::chrono::milliseconds;
using store::Step;

SubmissionRun::SubmissionRun(const SubmissionContext& context, const mail::Mail& mail, std::string mailbox)
    : context_(context),
      mail_(mail),
      mailbox_(std::move(mailbox)),
      user_(user_path(mailbox_)),
      record_([&] {
        // A refused one did not leave: the same key may come again with what was wrong put right.
        const auto refused = static_cast<int>(mail::Verdict::rejected);
        if (auto known = context.store.submission(context.server, mail.stable_id)) {
          if (known->step != Step::done || known->verdict != refused) return *known;
        }
        store::Submission fresh;
        fresh.server = context.server;
        fresh.key = mail.stable_id;
        fresh.mailbox = mailbox_;
        fresh.taken = fresh.changed = context.clock.wall();
        if (context.store.submissions_lost()) {
          // It may be half way, or have left: the mailbox is asked, as far back as a host is likely to ask again.
          fresh.step = Step::draft_wanted;
          fresh.taken -= Patience::memory_lost;
        }
        context.store.save_submission(fresh);
        return fresh;
      }()),
      begun_(context.clock.now()),
      search_(context, mailbox_, mail.stable_id, record_.taken),
      done_before_(record_.step == Step::done),
      resumed_(record_.step != Step::taken) {
  if (resumed_ && record_.step == Step::drafted) attachment_in_doubt_ = attachments_may_repeat_ = true;
  if (resumed_ && record_.step < Step::attached)
    looks_wanted_ = record_.step == Step::drafted ? 1 : static_cast<int>(std::size(Patience::making_looks));
  if (resumed_ && record_.tries == 0) looks_wanted_ = 1;  // made a moment ago, after a loss: nothing is in flight
  if (resumed_) draft_in_doubt_ = true;
  if (resumed_ && !done_before_) record_.looks = record_.step >= Step::send_wanted ? record_.looks : 0;
  if (!done_before_) ++record_.tries;
}

NextMove SubmissionRun::advance(std::stop_token stop) {
  try {
    const milliseconds pause = context_.limits.paused_for(mailbox_);
    if (pause > milliseconds::zero() && record_.step <= Step::attached)
      return give_back("The mailbox " + mailbox_ + " has reached its sending limit and pauses.", pause);
    for (;;) {
      if (stop.stop_requested()) return {NextMove::Kind::interrupted, {}, cut_short(), {}};
      if (Move move = step(stop)) return *std::move(move);
    }
  } catch (const mail::FaultError& error) {
    return after(error, stop);
  } catch (const std::exception& error) {
    // ContentError: the host's own trouble. Anything else is a fault of ours, which time may heal and silence does not.
    context_.log.write(mail::Level::error, context_.source,
                       "submission '" + for_log(record_.key) + "' is interrupted: " + for_log(error.what()));
    return give_back(error.what(), std::chrono::minutes(1));
  }
}

SubmissionRun::Move SubmissionRun::step(std::stop_token stop) {
  switch (record_.step) {
    case Step::taken:
      if (Move refused = guard_loops()) return refused;
      return context_.limits.drafts_refused(mailbox_) ? send_at_once(stop) : make_draft(stop);
    case Step::draft_wanted:
      return record_.draft_id.empty() ? find_draft(stop) : fill_draft(stop);
    case Step::drafted:
      return attach(stop);
    case Step::attached:
      return send_draft(stop);
    case Step::send_wanted:
    case Step::looking:
      return look(stop);
    case Step::done:
      break;
  }
  return confirm(stop);
}

// Before anything is in the mailbox. What is begun goes on: the guard let it through, and noted its key.
SubmissionRun::Move SubmissionRun::guard_loops() {
  auto problem = loop_problem(context_.store, context_.automatic, context_.server, mailbox_, mail_);
  if (!problem) return std::nullopt;
  context_.log.write(mail::Level::warning, context_.source,
                     "submission '" + for_log(record_.key) + "' is refused. " + *problem);
  return conclude(mail::Verdict::rejected, *std::move(problem));
}

NextMove SubmissionRun::after(const mail::FaultError& error, std::stop_token stop) {
  mail::Fault fault = error.fault();
  // Which address it was that the mailbox may not write under: Graph does not say.
  if (fault.code == "ErrorSendAsDenied") fault.text += " The mail is from " + for_log(mail_.from.address) + ".";
  if (fault.remedy == mail::Remedy::cancelled || stop.stop_requested())
    return {NextMove::Kind::interrupted, {}, cut_short(), {}};
  if (record_.step == Step::done) return {NextMove::Kind::finished, {}, stored_outcome(), {}};
  if (fault.cause == mail::Cause::send_limit) {
    const milliseconds pause = std::max(context_.limits.limit_reached(mailbox_), fault.retry_after);
    log_fault(fault, "the mailbox pauses");
    return give_back(fault.text, pause, &fault);
  }
  switch (fault.remedy) {
    case mail::Remedy::item:
      // What may have left is not refused by a look that failed.
      if (record_.step < Step::send_wanted) return conclude_refused(fault, stop);
      break;
    case mail::Remedy::administrator:
      log_fault(fault, administrator_seen_ ? "given back to the host" : "tried once more");
      if (std::exchange(administrator_seen_, true))
        return give_back(fault.text, std::max<milliseconds>(Patience::offer_again, fault.retry_after), &fault);
      ++record_.tries;
      return wait(Patience::confirm_trouble, &fault);
    case mail::Remedy::wait:
    case mail::Remedy::cancelled:
      break;
  }
  return after_transient(fault);
}

NextMove SubmissionRun::after_transient(const mail::Fault& fault) {
  if (patience_ended())
    return give_back(fault.text, std::max<milliseconds>(Patience::offer_again, fault.retry_after), &fault);
  milliseconds pause = Patience::longest_backoff;
  ++record_.tries;
  if (failures_ < 10) pause = std::min<milliseconds>(pause, Patience::first_backoff * (1 << failures_));
  ++failures_;
  // Jitter of a quarter each way: mailboxes that failed together do not come back together.
  pause = pause * 3 / 4 + milliseconds(context_.random.below(static_cast<std::uint64_t>(pause.count() / 2) + 1));
  pause = std::max(pause, fault.retry_after);
  log_fault(fault, "tried again in " + std::to_string(pause.count()) + " ms");
  NextMove move = wait(pause, &fault);
  if (fault.cause == mail::Cause::network || fault.cause == mail::Cause::throttled)
    move.kind = NextMove::Kind::mailbox_later;
  return move;
}

bool SubmissionRun::patience_ended() const {
  return context_.clock.now() - begun_ >= Patience::transient;
}

void SubmissionRun::save() {
  record_.changed = context_.clock.wall();
  context_.store.save_submission(record_);
}

void SubmissionRun::save_step(Step step) {
  const Step before = std::exchange(record_.step, step);
  try {
    save();
  } catch (...) {
    record_.step = before;
    throw;
  }
}

NextMove SubmissionRun::wait(milliseconds time, const mail::Fault* why) {
  NextMove move{NextMove::Kind::later, time, {}, {}};
  if (why != nullptr) move.fault = *why;
  return move;
}

NextMove SubmissionRun::give_back(std::string reason, milliseconds retry_after, const mail::Fault* why) {
  NextMove move;
  move.outcome.verdict = mail::Verdict::retry_later;
  move.outcome.retry_after = retry_after;
  move.outcome.attempts = static_cast<std::uint32_t>(std::max(1, record_.tries));
  move.outcome.reason = std::move(reason);
  if (why != nullptr) move.fault = *why;
  return move;
}

NextMove SubmissionRun::conclude(mail::Verdict verdict, std::string reason) {
  record_.step = Step::done;
  record_.verdict = static_cast<int>(verdict);
  record_.reason = std::move(reason);
  // Of an uncertain one a draft that appears is news for people.
  if (draft_in_doubt_ && !done_before_ && verdict != mail::Verdict::uncertain)
    record_.late_drafts_due = context_.clock.wall() + Patience::late_drafts;
  try {
    save();
  } catch (const mail::FaultError& error) {
    // The fate is told all the same: a host that hears it does not submit again, and if it should, the step recorded
    // before makes us look first.
    context_.log.write(mail::Level::error, context_.source,
                       "the fate of submission '" + for_log(record_.key) + "' could not be stored: " + error.what());
  }
  return {NextMove::Kind::finished, {}, stored_outcome(), {}};
}

NextMove SubmissionRun::conclude_refused(const mail::Fault& fault, std::stop_token stop) {
  log_fault(fault, "refused for good");
  if (!record_.draft_id.empty()) search_.remove_draft(record_.draft_id, stop);
  std::string reason = fault.text;
  if (!fault.code.empty())
    reason += " (" + fault.code + (fault.request_id.empty() ? "" : ", request-id " + fault.request_id) + ")";
  return conclude(mail::Verdict::rejected, std::move(reason));
}

mail::Outcome SubmissionRun::stored_outcome() const {
  mail::Outcome out;
  out.verdict = static_cast<mail::Verdict>(record_.verdict);
  out.attempts = static_cast<std::uint32_t>(std::max(1, record_.tries));
  out.internet_message_id = record_.internet_message_id;
  out.conversation_id = record_.conversation_id;
  out.reason = record_.reason;
  return out;
}

mail::Outcome SubmissionRun::cut_short() const {
  if (record_.step == Step::done) return stored_outcome();
  mail::Outcome out;
  out.verdict = mail::Verdict::retry_later;
  out.attempts = static_cast<std::uint32_t>(std::max(1, record_.tries));
  out.reason = "The server was stopped before the fate of this mail was known. Submit it again with the same key.";
  return out;
}

void SubmissionRun::log_fault(const mail::Fault& fault, const std::string& what_now) const {
  std::string line = "submission '" + for_log(record_.key) + "': " + fault.text;
  if (!fault.code.empty()) line += " [" + fault.code + "]";
  if (!fault.request_id.empty()) line += " request-id " + fault.request_id;
  context_.log.write(mail::Level::warning, context_.source, line + "; " + what_now);
}

}  // namespace m365
