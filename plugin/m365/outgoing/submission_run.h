// One submission from its key to its fate, exactly once under every fault (architecture, section 4; graph-mail.md,
// section 10.7).
//
// Every step is recorded in the store before it is taken, so that whoever continues - this object after a pause, or
// another one after the process died - knows what may have happened:
//
//   taken         nothing is in the mailbox
//   draft_wanted  a draft may have been made (draft_id empty: look for it by key) or was made and not yet filled
//   drafted       the draft is whole but for its attachments, of which attachments_done stand in it
//   attached      the draft is whole and was not sent
//   send_wanted   it may have been sent: look before anything else
//   looking       as send_wanted, and `looks` looks did not find it sent
//   done          the fate is known
//
// Only a draft that is known to stand in Drafts is ever sent, and it is the only draft of its key that is: that is what
// makes the reply leave once. Where neither the draft nor a sent mail can be found the fate is UNCERTAIN.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "m365/outgoing/draft_message.h"
#include "m365/outgoing/draft_search.h"
#include "m365/outgoing/submission_context.h"
#include "m365/outgoing/upload_attachment.h"
#include "mail/mail.h"
#include "mail/servers.h"
#include "store/store.h"

namespace m365 {

/// What a submission needs next.
struct NextMove {
  enum class Kind {
    finished,       ///< `outcome` is its fate
    later,          ///< call advance() again after `wait`; others of the mailbox go on
    mailbox_later,  ///< the same, but the whole mailbox has to wait: nobody is answered, or it sends too fast
    interrupted,    ///< stop was requested
  };
  Kind kind = Kind::finished;
  std::chrono::milliseconds wait{0};
  mail::Outcome outcome;
  std::optional<mail::Fault> fault;  ///< why it waits or failed, for the server's health
};

/// How patient a submission is.
struct Patience {
  /// The pauses before each look after a send whose outcome is unclear: work has been seen to complete minutes after a
  /// 504, and search lags. So they spread over ten minutes; a positive finding ends them at once, which is why there is
  /// an early one.
  static constexpr std::chrono::seconds send_looks[] = {std::chrono::seconds(3), std::chrono::seconds(17),
                                                        std::chrono::seconds(160), std::chrono::seconds(420)};
  /// The same after a draft or attachment whose making is unclear. Making it a second time does no harm to the customer
  /// (only one draft is sent, a surplus attachment is removed), but can leave a draft behind: over as long as late work
  /// and a lagging search usually take. After a plain refusal for load the first is enough.
  static constexpr std::chrono::seconds making_looks[] = {std::chrono::seconds(3), std::chrono::seconds(42),
                                                          std::chrono::seconds(105)};
  /// Looks for the Message-ID of an accepted mail in Sent Items; it is accepted all the same.
  static constexpr std::chrono::seconds confirm_looks[] = {std::chrono::seconds(1), std::chrono::seconds(4),
                                                           std::chrono::seconds(15)};
  /// Transient trouble is retried, from `first_backoff` doubling to `longest_backoff`, this long after submit; then the
  /// host is answered retry_later and decides. What was begun stays recorded and is continued when it submits again.
  static constexpr std::chrono::hours transient{2};
  static constexpr std::chrono::seconds first_backoff{2};
  static constexpr std::chrono::minutes longest_backoff{5};
  /// Trouble that needs an administrator (secret, consent, policy) is seen twice, this far apart, before the host is
  /// answered retry_later: long enough to rule out a hiccup, short enough that nobody waits for hours without a word.
  static constexpr std::chrono::seconds confirm_trouble{5};
  static constexpr std::chrono::minutes offer_again{5};  ///< retry_after of what is given back to the host
  /// After a submission of which a second draft may have been made: Drafts is looked at once more, so much later, and
  /// what stands there of it is removed. Longer than all looks above, for who waits less finds less: work has been done
  /// minutes after its refusal, and search lags behind that.
  static constexpr std::chrono::minutes late_drafts{15};
  static constexpr std::chrono::hours late_drafts_given_up{24};  ///< after so long a time of failing to look
  /// How far back a submission is looked for of which the store has lost the record.
  static constexpr std::chrono::hours memory_lost{72};
  static constexpr int most_sends = 3;   ///< of one draft, each after looks that found it still standing
  static constexpr int most_drafts = 3;  ///< when the draft vanishes before it was sent
};

/// One thread at a time. `context` and `mail` outlive it.
class SubmissionRun {
 public:
  /// Reads the submission's record, or writes one (Step::taken). Throws FaultError (Cause::state_disk).
  SubmissionRun(const SubmissionContext& context, const mail::Mail& mail, std::string mailbox);

  /// Goes on until the fate is known or there is nothing to do but wait. Does not throw.
  NextMove advance(std::stop_token stop);
  /// The fate is known already, from an earlier life of this key.
  bool done_before() const { return done_before_; }
  /// The answer when stop() cuts it short: accepted when it is known to have left, else retry_later.
  mail::Outcome cut_short() const;
  const std::string& mailbox() const { return mailbox_; }

 private:
  using Move = std::optional<NextMove>;  ///< nullopt: take the next step at once

  // submission_run.cpp
  Move step(std::stop_token stop);
  NextMove after(const mail::FaultError& error, std::stop_token stop);
  NextMove after_transient(const mail::Fault& fault);
  bool patience_ended() const;
  void save();
  void save_step(store::Step step);
  NextMove wait(std::chrono::milliseconds time, const mail::Fault* why = nullptr);
  NextMove give_back(std::string reason, std::chrono::milliseconds retry_after, const mail::Fault* why = nullptr);
  NextMove conclude(mail::Verdict verdict, std::string reason);
  NextMove conclude_refused(const mail::Fault& fault, std::stop_token stop);
  mail::Outcome stored_outcome() const;
  void log_fault(const mail::Fault& fault, const std::string& what_now) const;

  Move guard_loops();

  // submission_draft.cpp
  Move make_draft(std::stop_token stop);
  bool make_reply(std::stop_token stop);
  void make_new(const DraftBody& body, std::stop_token stop);
  void take_draft(const http::Response& response);
  Move find_draft(std::stop_token stop);
  Move fill_draft(std::stop_token stop);
  Move attach(std::stop_token stop);
  Move find_attachment(const std::vector<const mail::Part*>& parts, std::stop_token stop);
  void remove_surplus(const std::vector<const mail::Part*>& parts, std::stop_token stop);
  NextMove draft_vanished();
  NextMove making_unclear(const mail::FaultError& error);
  bool is_draft_gone(const mail::FaultError& error) const;

  // submission_send.cpp
  Move send_draft(std::stop_token stop);
  Move send_at_once(std::stop_token stop);
  std::string whole_mail_json(std::stop_token stop);
  Move left(const Sighting& seen);
  NextMove send_unclear(const mail::FaultError& error);
  Move look(std::stop_token stop);
  Move nothing_left(const Look& seen, std::stop_token stop);
  Move confirm(std::stop_token stop);
  void remove_twins(std::stop_token stop);

  const SubmissionContext& context_;
  const mail::Mail& mail_;
  const std::string mailbox_, user_;
  store::Submission record_;
  const mail::SteadyTime begun_;
  DraftSearch search_;
  bool done_before_ = false;
  bool resumed_ = false;              ///< the record is of an earlier life: what was in flight then is not known
  bool draft_in_doubt_ = false;       ///< more than one draft of the key may have been made
  bool attachment_in_doubt_ = false;  ///< the one that is next may stand in the draft already
  bool attachments_may_repeat_ = false;
  bool administrator_seen_ = false;
  int looks_wanted_ = 0;  ///< of making: how often to look before making anew
  int drafts_lost_ = 0, failures_ = 0, confirm_looks_ = 0, sends_ = 0;
  std::unique_ptr<AttachmentUpload> upload_;
};

}  // namespace m365
