// The steps until the draft is whole.
#include <algorithm>
#include <iterator>

#include "m365/outgoing/submission_run.h"
#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

using std::chrono::milliseconds;
using store::Step;

mail::FaultError unclear(const std::string& mailbox, const std::string& doing, const http::Response& response) {
  return failure(mail::Cause::service_fault, mail::Remedy::wait,
                 mailbox + ": " + doing + " was answered with status " + std::to_string(response.status) +
                     " and not as documented.",
                 response.request_id(), true);
}

bool cancelled(const mail::FaultError& error) {
  return error.fault().remedy == mail::Remedy::cancelled;
}

// A refusal of this request as such, which another way to the same end may not meet.
bool refuses_this_way(const mail::FaultError& error) {
  const auto* refusal = dynamic_cast<const GraphError*>(&error);
  if (refusal == nullptr) return false;
  const int status = refusal->status();
  return status == 400 || status == 403 || status == 404 || status == 405 || status == 501;
}

bool same_attachment(const AttachmentRow& row, const mail::Part& part) {
  return equal_without_case(row.name, attachment_name(part));
}

// After a plain refusal for load one look is enough; else the work may still be under way (graph-mail.md,
// section 10.7).
int looks_after(const mail::FaultError& error) {
  const auto* refusal = dynamic_cast<const GraphError*>(&error);
  return refusal != nullptr && (refusal->status() == 429 || refusal->status() == 503)
             ? 1
             : static_cast<int>(std::size(Patience::making_looks));
}

}  // namespace

SubmissionRun::Move SubmissionRun::make_draft(std::stop_token stop) {
  const DraftBody body = read_body(context_, mail_, stop);
  try {
    if (!make_reply(stop)) make_new(body, stop);
  } catch (const mail::FaultError& error) {
    if (record_.step != Step::draft_wanted) throw;  // nothing was asked for yet
    if (may_be_done(error)) {
      if (cancelled(error)) throw;
      return making_unclear(error);
    }
    save_step(Step::taken);
    const auto* refusal = dynamic_cast<const GraphError*>(&error);
    const std::string granted = context_.graph.tokens().permissions();
    // Sending without drafts is worth a try unless drafts are granted: then another reason forbids both. (Grants
    // through Exchange's RBAC do not show in the token, so an empty list decides nothing.)
    if (refusal != nullptr && refusal->status() == 403 && refusal->fault().remedy == mail::Remedy::administrator &&
        granted.find("Mail.ReadWrite") == std::string::npos) {
      context_.limits.refuse_drafts(mailbox_);
      context_.log.write(
          mail::Level::info, context_.source,
          "drafts are not permitted in " + mailbox_ + "; mail is sent by sendMail, which takes 3.9 MB at most");
      return std::nullopt;
    }
    throw;
  }
  return std::nullopt;
}

// Exchange then sets In-Reply-To, References and the conversation (section 10.5). X- headers can be given only while
// creating (section 10.4) and whether createReply takes them is not documented, so mail with headers of its own goes
// the other way. False: to be made as new mail.
bool SubmissionRun::make_reply(std::stop_token stop) {
  if (mail_.in_reply_to.empty() || !mail_.headers.empty() || (mail_.flags & mail::auto_submitted) != 0) return false;
  std::string answered;
  try {
    answered = search_.answered_mail(bracketed(mail_.in_reply_to), stop);
  } catch (const GraphError& error) {
    if (!refuses_this_way(error)) throw;
  }
  if (answered.empty()) return false;
  GraphRequest request = sending_request("POST", user_ + "/messages/" + http::percent_encode(answered) + "/createReply",
                                         mailbox_, "create a reply");
  request.body = reply_draft_json(mail_);
  request.repeatable = false;
  save_step(Step::draft_wanted);
  try {
    take_draft(context_.graph.send(request, stop));
  } catch (const GraphError& error) {
    if (!refuses_this_way(error)) throw;
    return false;  // it went away meanwhile, or cannot be answered
  }
  save();  // still draft_wanted: whose draft it is, but not yet filled
  return true;
}

void SubmissionRun::make_new(const DraftBody& body, std::stop_token stop) {
  GraphRequest request = sending_request("POST", user_ + "/messages", mailbox_, "create a draft");
  request.body = new_draft_json(mail_, mailbox_, body);
  request.repeatable = false;
  if (request.body.size() > largest_json) {
    throw failure(mail::Cause::none, mail::Remedy::item,
                  "The text of the mail has more than 3.9 MB, which Microsoft 365 does not take; send it as "
                  "an attachment.");
  }
  save_step(Step::draft_wanted);
  take_draft(context_.graph.send(request, stop));
  record_.attachments_done = 0;
  save_step(Step::drafted);
}

void SubmissionRun::take_draft(const http::Response& response) {
  // 201 is success, and one sample of createReply has 200; but a body that was too large has been answered with 200 and
  // nothing done (section 10.2). A draft that exists has an id.
  record_.draft_id = response.status == 201 || response.status == 200 ? created_id(response.body) : std::string();
  if (record_.draft_id.empty()) throw unclear(mailbox_, "creating a draft", response);
  failures_ = 0;
}

NextMove SubmissionRun::making_unclear(const mail::FaultError& error) {
  const mail::Fault& fault = error.fault();
  ++record_.tries;
  if (patience_ended()) return give_back(fault.text, Patience::offer_again, &fault);
  looks_wanted_ = looks_after(error);
  record_.looks = 0;
  log_fault(fault, "looked for before it is repeated");
  return wait(std::max<milliseconds>(Patience::making_looks[0], fault.retry_after), &fault);
}

SubmissionRun::Move SubmissionRun::find_draft(std::stop_token stop) {
  const Look seen = search_.look({}, stop);
  if (seen.left) return left(*seen.left);
  if (!seen.drafts.empty()) {
    record_.draft_id = seen.drafts.front().id;
    record_.attachments_done = 0;
    for (std::size_t i = 1; i < seen.drafts.size(); ++i) search_.remove_draft(seen.drafts[i].id, stop);
    save();
    return std::nullopt;
  }
  if (++record_.looks < looks_wanted_) return wait(Patience::making_looks[record_.looks]);
  draft_in_doubt_ = true;  // it may still appear: only one of them will be sent, the other is removed
  record_.looks = 0;
  save_step(Step::taken);
  return std::nullopt;
}

SubmissionRun::Move SubmissionRun::fill_draft(std::stop_token stop) {
  try {
    const DraftBody body = read_body(context_, mail_, stop);
    GraphRequest request = sending_request("PATCH", user_ + "/messages/" + http::percent_encode(record_.draft_id),
                                           mailbox_, "fill a draft");
    request.body = draft_update_json(mail_, mailbox_, body);
    context_.graph.send(request, stop);
    // A reply can come with the inline pictures of the mail it quotes; the quotation is gone.
    for (const AttachmentRow& row : search_.attachments(record_.draft_id, stop))
      search_.remove_attachment(record_.draft_id, row.id, stop);
  } catch (const GraphError& error) {
    if (is_draft_gone(error)) return draft_vanished();
    throw;
  }
  record_.attachments_done = 0;
  save_step(Step::drafted);
  return std::nullopt;
}

SubmissionRun::Move SubmissionRun::attach(std::stop_token stop) {
  const std::vector<const mail::Part*> parts = attachment_parts(mail_);
  try {
    while (static_cast<std::size_t>(record_.attachments_done) < parts.size()) {
      if (attachment_in_doubt_) {
        if (Move move = find_attachment(parts, stop)) return move;
        continue;
      }
      if (!upload_) {
        const mail::Part& part = *parts[static_cast<std::size_t>(record_.attachments_done)];
        upload_ = std::make_unique<AttachmentUpload>(context_, mailbox_, record_.draft_id, part);
      }
      try {
        upload_->run(stop);
      } catch (const mail::FaultError& error) {
        if (upload_->progressed()) failures_ = 0;
        if (cancelled(error) || !upload_->in_doubt()) throw;
        upload_.reset();
        attachment_in_doubt_ = attachments_may_repeat_ = true;
        return making_unclear(error);
      }
      upload_.reset();
      failures_ = 0;
      ++record_.attachments_done;
      save_step(Step::drafted);
    }
    if (attachments_may_repeat_) remove_surplus(parts, stop);
  } catch (const GraphError& error) {
    if (is_draft_gone(error)) return draft_vanished();
    throw;
  }
  save_step(Step::attached);
  return std::nullopt;
}

SubmissionRun::Move SubmissionRun::find_attachment(const std::vector<const mail::Part*>& parts, std::stop_token stop) {
  const auto next = static_cast<std::size_t>(record_.attachments_done);
  const mail::Part& wanted = *parts[next];
  const std::vector<AttachmentRow> rows = search_.attachments(record_.draft_id, stop);
  const auto have =
      std::count_if(rows.begin(), rows.end(), [&](const auto& row) { return same_attachment(row, wanted); });
  const auto need = std::count_if(
      parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(next) + 1,
      [&](const auto* part) { return equal_without_case(attachment_name(*part), attachment_name(wanted)); });
  if (have < need && ++record_.looks < looks_wanted_) return wait(Patience::making_looks[record_.looks]);
  attachment_in_doubt_ = false;
  record_.looks = 0;
  if (have >= need) {
    ++record_.attachments_done;
    save_step(Step::drafted);
  }
  return std::nullopt;
}

// An attachment whose POST was repeated after its answer was lost can have arrived both times.
void SubmissionRun::remove_surplus(const std::vector<const mail::Part*>& parts, std::stop_token stop) {
  std::vector<const mail::Part*> open = parts;
  for (const AttachmentRow& row : search_.attachments(record_.draft_id, stop)) {
    const auto match =
        std::find_if(open.begin(), open.end(), [&](const auto* part) { return same_attachment(row, *part); });
    if (match != open.end()) {
      open.erase(match);
      continue;
    }
    // Exchange may have changed a name: what resembles none of ours stays.
    const bool ours =
        std::any_of(parts.begin(), parts.end(), [&](const auto* part) { return same_attachment(row, *part); });
    if (ours) search_.remove_attachment(record_.draft_id, row.id, stop);
  }
}

bool SubmissionRun::is_draft_gone(const mail::FaultError& error) const {
  const auto* refusal = dynamic_cast<const GraphError*>(&error);
  return refusal != nullptr && refusal->not_found() && refusal->fault().remedy == mail::Remedy::item;
}

// Somebody took the draft away before it was sent. It may be that a person has sent it: so a look comes first.
NextMove SubmissionRun::draft_vanished() {
  ++record_.tries;
  upload_.reset();
  attachment_in_doubt_ = attachments_may_repeat_ = false;
  record_.draft_id.clear();
  record_.attachments_done = 0;
  record_.looks = 0;
  looks_wanted_ = 1;
  save_step(Step::draft_wanted);
  context_.log.write(mail::Level::warning, context_.source,
                     "the draft of submission '" + for_log(record_.key) + "' is gone from " + mailbox_);
  if (++drafts_lost_ >= Patience::most_drafts) {
    return give_back("Its draft in " + mailbox_ + " was removed " + std::to_string(drafts_lost_) +
                         " times before it could be sent. Leave mail in Drafts that the contact center made.",
                     Patience::offer_again);
  }
  return wait(Patience::first_backoff);
}

}  // namespace m365
