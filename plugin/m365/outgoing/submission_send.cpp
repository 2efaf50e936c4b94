// Sending, and finding out what became of it.
#include <algorithm>
#include <iterator>

#include "m365/outgoing/submission_run.h"
#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

using std::chrono::milliseconds;
using store::Step;

constexpr int most_looks = static_cast<int>(std::size(Patience::send_looks));

GraphRequest send_request(std::string path, const std::string& mailbox) {
  GraphRequest request = sending_request("POST", std::move(path), mailbox, "send");
  request.repeatable = false;
  request.sending = true;
  return request;
}

// 200 has been seen with nothing sent (section 10.2): only 202 counts, and anything else has to be looked into.
void require_accepted(const http::Response& response, const std::string& mailbox) {
  if (response.status == 202) return;
  throw failure(mail::Cause::service_fault, mail::Remedy::wait,
                mailbox + ": sending was answered with status " + std::to_string(response.status) + " in place of 202.",
                response.request_id(), true);
}

bool may_read(const std::string& granted) {
  return granted.empty() || granted.find("Mail.Read") != std::string::npos;
}

}  // namespace

SubmissionRun::Move SubmissionRun::send_draft(std::stop_token stop) {
  if (const milliseconds pause = context_.limits.paused_for(mailbox_); pause > milliseconds::zero())
    return give_back("The mailbox " + mailbox_ + " has reached its sending limit and pauses.", pause);
  if (const milliseconds full = context_.limits.take_send(mailbox_); full > milliseconds::zero())
    return NextMove{NextMove::Kind::mailbox_later, full, {}, {}};
  const Step before = record_.step;
  const int looks_before = std::exchange(record_.looks, 0);
  save_step(Step::send_wanted);
  ++sends_;
  try {
    require_accepted(
        context_.graph.send(
            send_request(user_ + "/messages/" + http::percent_encode(record_.draft_id) + "/send", mailbox_), stop),
        mailbox_);
  } catch (const mail::FaultError& error) {
    const bool cancelled = error.fault().remedy == mail::Remedy::cancelled;
    if (may_be_done(error)) {
      if (cancelled) throw;
      return send_unclear(error);
    }
    if (is_draft_gone(error)) {
      // An earlier send of it that was given up may have come through meanwhile.
      if (before != Step::attached) return send_unclear(error);
      return draft_vanished();
    }
    record_.looks = looks_before;
    save_step(before);
    throw;
  }
  return left({});
}

std::string SubmissionRun::whole_mail_json(std::stop_token stop) {
  std::vector<std::string> attachments;
  std::size_t size = 0;
  for (const mail::Part* part : attachment_parts(mail_)) {
    if (size > largest_json) break;
    attachments.push_back(attachment_json(*part, PartReader(context_, *part, stop).read_up_to(largest_json)));
    size += attachments.back().size();
  }
  std::string json;
  if (size <= largest_json) json = send_mail_json(mail_, mailbox_, read_body(context_, mail_, stop), attachments);
  if (size > largest_json || json.size() > largest_json) {
    context_.limits.forget_refusal(mailbox_);  // by now drafts may be granted
    throw failure(mail::Cause::consent_missing, mail::Remedy::administrator,
                  mailbox_ +
                      ": the mail is larger than the 3.9 MB that can be sent in one call. Grant the app the "
                      "Microsoft Graph permission Mail.ReadWrite with admin consent: larger mail needs a draft.");
  }
  return json;
}

// Drafts are not permitted: one call, which leaves nothing to hold on to but the key. It is never repeated once its
// outcome is unclear.
SubmissionRun::Move SubmissionRun::send_at_once(std::stop_token stop) {
  GraphRequest request = send_request(user_ + "/sendMail", mailbox_);
  request.body = whole_mail_json(stop);
  if (const milliseconds full = context_.limits.take_send(mailbox_); full > milliseconds::zero())
    return NextMove{NextMove::Kind::mailbox_later, full, {}, {}};
  record_.draft_id.clear();
  record_.looks = 0;
  save_step(Step::send_wanted);
  try {
    require_accepted(context_.graph.send(request, stop), mailbox_);
  } catch (const mail::FaultError& error) {
    const auto* refusal = dynamic_cast<const GraphError*>(&error);
    if (refusal != nullptr && refusal->status() == 403) context_.limits.forget_refusal(mailbox_);
    if (may_be_done(error)) {
      if (error.fault().remedy == mail::Remedy::cancelled) throw;
      return send_unclear(error);
    }
    save_step(Step::taken);
    throw;
  }
  return left({});
}

SubmissionRun::Move SubmissionRun::left(const Sighting& seen) {
  context_.limits.accepted(mailbox_);
  record_.internet_message_id = seen.internet_message_id;
  record_.conversation_id = seen.conversation_id;
  conclude(mail::Verdict::accepted, {});
  confirm_looks_ = 0;
  return std::nullopt;
}

NextMove SubmissionRun::send_unclear(const mail::FaultError& error) {
  const mail::Fault& fault = error.fault();
  ++record_.tries;
  log_fault(fault, "it may have been sent all the same: looked for before anything else");
  return wait(std::max<milliseconds>(Patience::send_looks[0], fault.retry_after), &fault);
}

SubmissionRun::Move SubmissionRun::look(std::stop_token stop) {
  if (record_.draft_id.empty() && !may_read(context_.graph.tokens().permissions())) return nothing_left({}, stop);
  // After a restart: the looks whose time has passed count as one with this; before that, this one is extra.
  bool extra = false;
  if (resumed_) {
    auto passed = context_.clock.wall() - record_.changed;
    int due = 0;
    while (record_.looks + due < most_looks && passed >= Patience::send_looks[record_.looks + due]) {
      passed -= Patience::send_looks[record_.looks + due];
      ++due;
    }
    extra = due == 0 && record_.looks < most_looks;
    record_.looks += std::max(0, due - 1);
  }
  Look seen;
  try {
    seen = search_.look(record_.draft_id, stop);
  } catch (const GraphError& error) {
    // A look that is refused is one that found nothing; the others may be allowed. Trouble that passes is waited for.
    if (error.fault().remedy == mail::Remedy::wait || error.status() == 401) throw;
    log_fault(error.fault(), "this look found nothing");
  }
  resumed_ = false;
  if (seen.left) return left(*seen.left);
  if (!extra && record_.looks < most_looks) ++record_.looks;
  if (record_.looks >= most_looks) return nothing_left(seen, stop);
  save_step(Step::looking);
  return wait(Patience::send_looks[record_.looks]);
}

SubmissionRun::Move SubmissionRun::nothing_left(const Look& seen, std::stop_token stop) {
  if (seen.own_draft_stands) {
    save_step(Step::looking);
    if (sends_ < Patience::most_sends) return send_draft(stop);
    return give_back("Microsoft 365 does not say what becomes of this mail in " + mailbox_ +
                         "; it stands in Drafts and was not sent. Submit it again with the same key.",
                     Patience::offer_again);
  }
  return conclude(
      mail::Verdict::uncertain,
      "Microsoft 365 did not say whether it sent this mail, and it stands neither in Drafts nor in Outbox nor in "
      "Sent Items of " +
          mailbox_ +
          ", as far as these may be read. It may have left: ask the recipient before "
          "sending it again.");
}

SubmissionRun::Move SubmissionRun::confirm(std::stop_token stop) {
  const bool accepted = record_.verdict == static_cast<int>(mail::Verdict::accepted);
  const NextMove answer{NextMove::Kind::finished, {}, stored_outcome(), {}};
  if (!accepted) return answer;
  // A draft was made: Exchange lets this app read, whatever the token's roles say (RBAC for Applications).
  const bool readable = !record_.draft_id.empty() || may_read(context_.graph.tokens().permissions());
  if (record_.internet_message_id.empty() && readable) {
    std::optional<Sighting> seen;
    try {
      seen = search_.sent(record_.draft_id, stop);
    } catch (const mail::FaultError& error) {
      if (error.fault().remedy == mail::Remedy::cancelled) throw;
      log_fault(error.fault(), "it was accepted, only its Message-ID is not known yet");
    }
    if (seen && !seen->internet_message_id.empty()) {
      record_.internet_message_id = seen->internet_message_id;
      record_.conversation_id = seen->conversation_id;
      if (draft_in_doubt_ && !done_before_) remove_twins(stop);
      return conclude(mail::Verdict::accepted, {});
    }
    // In an earlier life it was waited for: one look now is enough.
    if (!done_before_ && confirm_looks_ < static_cast<int>(std::size(Patience::confirm_looks)))
      return wait(Patience::confirm_looks[confirm_looks_++]);
  }
  if (draft_in_doubt_ && !done_before_) remove_twins(stop);
  return answer;
}

void SubmissionRun::remove_twins(std::stop_token stop) {
  try {
    for (const Sighting& twin : search_.look({}, stop).drafts) {
      if (twin.id != record_.draft_id) search_.remove_draft(twin.id, stop);
    }
  } catch (const mail::FaultError&) {
    // Best effort: a draft that is left over is never sent by us, and looked for once more (late_drafts_due).
  }
}

}  // namespace m365
