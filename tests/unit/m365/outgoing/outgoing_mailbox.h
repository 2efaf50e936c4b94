// A mailbox behind a GraphClient, as far as sending uses it, with faults on request: so that a test can say what stands
// in Sent Items in the end, not only what was asked for.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "m365/environment.h"
#include "m365/graph/graph_client.h"
#include "mail/mail.h"
#include "store/store.h"
#include "support/capturing_log.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"
#include "support/scripted_transport.h"

namespace outgoing {

/// How a request breaks. "done" is whether the service carried it out all the same.
enum class Break {
  refused,     ///< nobody listens: certainly not done
  cut_before,  ///< reset, not done, but nobody can know
  cut_after,   ///< reset, done
  s503,
  s504_done,
  s504_late,
  s429,
  s500_done,
  s401,
  s504_lagging,  ///< done, and searches do not show it for two minutes
  garbage,       ///< done, and the answer's body is not JSON
  kill_before,
  kill_after,  ///< the process dies
};
const std::vector<Break>& all_breaks();
const char* name_of(Break how);

/// Thrown through everything: the process is dead. No std::exception, so nobody mistakes it for a failure.
struct Killed {};

struct Attachment {
  std::string id, name, type, content_id, bytes;
  bool is_inline = false;
};

struct Message {
  std::string id, folder = "drafts", message_id, json_text, body, body_type, subject, key, in_reply_to, references;
  std::vector<std::string> to, cc, bcc, reply_to;
  std::map<std::string, std::string> headers;
  std::string from, importance;
  bool is_draft = true, read_receipt = false, reply = false;
  mail::WallTime received{}, visible{};
  std::vector<Attachment> attachments;
};

class FakeTokens final : public m365::TokenSource {
 public:
  mail::Secret current(std::stop_token) override;
  void forget(std::string_view) override {}
  std::chrono::milliseconds refresh_if_due(std::stop_token) override { return std::chrono::minutes(10); }
  void set_credential(const mail::Secret& secret, const mail::Secret&) override;
  bool wants_credential() const override;
  std::optional<mail::Fault> fault() const override { return refusal_; }
  std::string permissions() const override { return granted; }

  std::string granted = "Mail.ReadWrite Mail.Send";
  std::string good_secret, secret;  ///< refused while they differ

 private:
  mutable std::mutex mutex_;
  std::optional<mail::Fault> refusal_;
};

/// Any thread.
class Mailbox final : public m365::GraphClient {
 public:
  Mailbox(m365::Environment& environment, support::ManualClock& clock, std::shared_ptr<FakeTokens> tokens);

  http::Response send(const m365::GraphRequest& request, std::stop_token stop) override;
  http::Response upload(const std::string& url, std::string_view bytes, std::uint64_t offset, std::uint64_t total,
                        const std::string& mailbox, std::stop_token stop) override;

  /// Breaks the n-th exchange from now (1 is the next) in this way.
  void break_exchange(int n, Break how);
  bool broke() const;
  /// Asked before each exchange; an answer stands in for the service's.
  std::function<std::optional<http::Response>(const std::string& method, const std::string& path)> answer;
  /// Called without the mailbox's lock before each exchange.
  std::function<void(const std::string& mailbox)> hold;
  std::function<void(std::stop_token)> hold_until_stop;
  /// What is received, to be answered.
  std::string receive(const std::string& message_id);
  /// What was sent, also by somebody else.
  std::vector<Message> in(const std::string& folder) const;
  std::vector<std::string> asked() const;  ///< "POST /messages", ids as {id}, without query
  std::vector<std::string> asked_for(const std::string& what) const;
  void remove(const std::string& folder);
  void file_sent(const std::string& key);

  bool ids_change_on_send = false;
  bool drafts_forbidden = false, sending_forbidden = false, reading_forbidden = false;
  bool heeds_filters = true;     ///< of the key: else every search finds all that stands in the folder
  bool shows_properties = true;  ///< $expand is heeded
  bool shows_drafts = true;      ///< isDraft is told
  bool flags_as_text = false;
  int status_of_reply = 201;     ///< createReply; from 400 on it is refused
  bool says_ranges = true;       ///< a refused piece is told which one is wanted
  bool quotes_pictures = false;  ///< createReply brings an inline attachment of the answered mail
  std::size_t smallest_session = 2'097'152;
  std::chrono::milliseconds late{90'000};

 private:
  struct Session {
    std::string message, name, type, content_id, bytes;
    std::uint64_t total = 0;
    bool is_inline = false;
  };

  http::Response exchange(const std::string& method, const std::string& path, const std::string& operation,
                          const std::function<http::Response()>& work);
  http::Response handle(const m365::GraphRequest& request, const std::string& path);
  http::Response handle_upload(const std::string& url, std::string_view bytes, std::uint64_t offset,
                               std::uint64_t total);
  Message* find(const std::string& id);
  void fill(Message& message, const std::string& json);
  http::Response show(const Message& message, int status) const;
  http::Response list(const std::string& path, const std::string& folder) const;
  void send_out(Message& message);
  std::string fresh_id(const char* prefix);

  support::ManualClock& clock_;
  mutable std::recursive_mutex mutex_;
  std::vector<Message> messages_;
  std::map<std::string, Session> sessions_;
  std::vector<std::string> asked_;
  std::vector<std::pair<mail::SteadyTime, std::function<void()>>> late_work_;
  int countdown_ = 0, next_id_ = 0;
  Break how_ = Break::refused;
  bool broke_ = false;
  std::chrono::milliseconds lag_{0};
};

/// Submissions in memory; nothing else is asked of it here.
class MemoryStore final : public store::Store {
 public:
  explicit MemoryStore(const support::ManualClock& clock) : clock_(clock) {}
  std::optional<store::Submission> submission(std::string_view server, std::string_view key) override;
  void save_submission(const store::Submission& submission) override;
  std::optional<store::Submission> submission_sent_as(std::string_view) override { return std::nullopt; }
  std::vector<store::Submission> late_drafts(std::string_view server, mail::WallTime now, std::size_t most) override;
  void late_drafts_seen(const store::Submission& submission) override;
  void forget_submissions(mail::WallTime) override {}
  bool submissions_lost() override { return lost; }
  void lose() {
    const std::lock_guard lock(mutex_);
    submissions_.clear();
    lost = true;
  }

  bool lost = false;

  bool broken = false;  ///< the disk is full
  std::vector<store::Step> steps;

  store::StreamId stream(const store::StreamKey&) override { return 0; }
  store::Cursor cursor(store::StreamId) override { return {}; }
  void save_cursor(store::StreamId, const store::Cursor&) override {}
  std::optional<store::Receipt> receipt(store::StreamId, std::string_view) override { return std::nullopt; }
  std::optional<store::Receipt> receipt_like(const store::Fingerprint&) override { return std::nullopt; }
  std::vector<std::optional<store::Receipt>> receipts_like(const std::vector<store::Fingerprint>& f) override {
    return std::vector<std::optional<store::Receipt>>(f.size());
  }
  std::vector<bool> receipts_known(store::StreamId, const std::vector<std::string>&) override { return {}; }
  void decide(const store::Receipt&) override {}
  void decide_all(const std::vector<store::Receipt>&) override {}
  void marked(store::StreamId, const std::vector<store::Mark>&) override {}
  void set_gone(store::StreamId, std::string_view, bool) override {}
  std::vector<store::Mark> to_mark(store::StreamId, std::size_t) override { return {}; }
  std::size_t to_mark_count(store::StreamId, std::size_t) override { return 0; }
  std::vector<store::Receipt> receipts_after(store::StreamId, std::string_view, std::size_t) override { return {}; }
  std::string receipt_somewhere(store::StreamId, std::uint64_t) override { return {}; }
  bool seen_missing(store::StreamId, std::string_view) override { return false; }
  void set_aside(const store::SetAside&) override {}
  void set_aside_all(const std::vector<store::SetAside>&) override {}
  std::optional<store::SetAside> aside(store::StreamId, std::string_view) override { return std::nullopt; }
  std::vector<std::optional<store::SetAside>> asides_of(store::StreamId, const std::vector<std::string>& m) override {
    return std::vector<std::optional<store::SetAside>>(m.size());
  }
  std::vector<store::SetAside> asides(store::StreamId) override { return {}; }
  void drop_aside(store::StreamId, std::string_view) override {}
  std::optional<std::string> note_automatic(const store::AutomaticAnswer& answer, unsigned limit,
                                            std::chrono::milliseconds window) override;
  bool password_refused(std::string_view, std::string_view) override { return false; }
  void remember_refused_password(std::string_view, std::string_view) override {}
  void forget_refused_password(std::string_view) override {}

 private:
  struct Answer {
    std::string key, from, to;
    mail::WallTime noted;
  };
  void require_disk() const;  ///< throws where it is broken

  const support::ManualClock& clock_;
  std::mutex mutex_;
  std::map<std::string, store::Submission> submissions_;
  std::vector<Answer> answers_;
};

/// A part whose bytes are these; opened as often as wanted.
mail::Part part(mail::PartKind kind, std::string name, std::string bytes, bool size_known = true);
/// Bytes in which every place is recognisable.
std::string pattern(std::size_t size, unsigned seed = 1);
/// A plain reply to one customer.
mail::Mail simple_mail(const std::string& key = "out-1");

}  // namespace outgoing
