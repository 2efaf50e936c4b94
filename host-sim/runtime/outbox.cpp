#include "runtime/outbox.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "runtime/known.h"
#include "runtime/text.h"
#include "runtime/wakeup.h"

namespace runtime {
namespace {

using base::Json;

constexpr std::int64_t kLeastWait = 1000;
constexpr std::int64_t kDefaultWait = 30'000;

std::string name_of_verdict(mailplugin_verdict verdict) {
  switch (verdict) {
    case MAILPLUGIN_ACCEPTED:
      return "accepted";
    case MAILPLUGIN_REJECTED:
      return "rejected";
    case MAILPLUGIN_UNCERTAIN:
      return "uncertain";
    default:
      return "retry_later";
  }
}

std::string recipients(const OutgoingMail& mail) {
  std::string all;
  for (const auto* list : {&mail.to, &mail.cc, &mail.bcc}) {
    for (const Person& one : *list) all += (all.empty() ? "" : ", ") + one.address;
  }
  return all;
}

}  // namespace

struct Outbox::Submission {
  Submission(Outbox& box, std::string its_key, OutgoingMail mail)
      : outbox(box), key(std::move(its_key)), leaving(std::move(mail), key) {
    abi.struct_size = sizeof abi;
    abi.ctx = this;
    abi.on_sent = &Outbox::on_sent;
  }
  Outbox& outbox;
  const std::string key;
  const LeavingMail leaving;
  mailplugin_submission abi{};
};

Json sent_event(const std::string& key, const OutgoingMail& mail, const Fate& fate, std::int64_t now_unix_ms) {
  return Json::object({{"event", "sent"},
                       {"time", base::to_rfc3339(now_unix_ms)},
                       {"key", key},
                       {"verdict", fate.verdict},
                       {"reason", known(fate.reason)},
                       {"internet_message_id", known(fate.internet_message_id)},
                       {"conversation_id", known(fate.conversation_id)},
                       {"mailbox", known(mail.mailbox)},
                       {"in_reply_to", known(mail.in_reply_to)},
                       {"attempts", fate.attempts}});
}

Outbox::Outbox(const DataFolder& folder, HostStore& store, EventWriter& events, base::Log& log,
               std::function<void(bool)> changed)
    : folder_(folder), store_(store), events_(events), log_(log), changed_(std::move(changed)) {}

Outbox::~Outbox() = default;

OutgoingMail Outbox::with_copies(OutgoingMail mail) {
  for (OutgoingAttachment& attachment : mail.attachments) {
    const base::Fd from(::open(attachment.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (from.get() < 0) throw MessageError(base::FileError("read the attachment", attachment.file, errno).what());
    const auto path = folder_.outgoing() / base::random_name();
    const base::Fd to = base::create_private(path);
    std::string buffer(64 * 1024, '\0');
    while (true) {
      const ssize_t n = ::read(from.get(), buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) throw MessageError(base::FileError("read the attachment", attachment.file, errno).what());
      if (n == 0) break;
      base::write_all(to.get(), {buffer.data(), static_cast<std::size_t>(n)}, path);
    }
    base::sync_file(to.get(), path);
    attachment.file = path;
  }
  if (!mail.attachments.empty()) base::sync_directory(folder_.outgoing());
  return mail;
}

void Outbox::remove_copies(const OutgoingMail& mail) {
  std::error_code ignored;
  for (const OutgoingAttachment& attachment : mail.attachments) {
    if (attachment.file.parent_path() == folder_.outgoing()) std::filesystem::remove(attachment.file, ignored);
  }
}

void Outbox::keep(const std::string& key, OutgoingMail mail) {
  const auto before = store_.find_outgoing(key);
  if (before && (!before->fate || before->fate->verdict != "rejected")) return;
  store_.put_outgoing(key, to_json(with_copies(std::move(mail))), base::now_unix_ms());
}

std::optional<Fate> Outbox::last_answer(const std::string& key) {
  const auto row = store_.find_outgoing(key);
  if (row && row->fate) return row->fate;
  const std::lock_guard lock(mutex_);
  const auto it = waiting_.find(key);
  return it == waiting_.end() ? std::nullopt : std::optional<Fate>(it->second.answer);
}

void Outbox::submit(PluginServer& server, const std::string& key) {
  const auto row = store_.find_outgoing(key);
  if (row && !row->fate) hand_over(server, *row);
}

void Outbox::submit_unanswered(PluginServer& server) {
  for (const OutboxRow& row : store_.unanswered()) hand_over(server, row);
}

void Outbox::submit_due(PluginServer& server, std::int64_t now_ms) {
  std::vector<std::string> due;
  {
    const std::lock_guard lock(mutex_);
    answered_.clear();
    for (const auto& [key, waiting] : waiting_) {
      if (waiting.due <= now_ms) due.push_back(key);
    }
  }
  for (const std::string& key : due) submit(server, key);
}

void Outbox::hand_over(PluginServer& server, const OutboxRow& row) {
  auto owned = std::make_unique<Submission>(*this, row.key, outgoing_mail_from(row.mail));
  Submission& submission = *owned;
  {
    const std::lock_guard lock(mutex_);
    waiting_.erase(row.key);
    under_way_[row.key] = std::move(owned);
  }
  const mailplugin_status status = server.submit(submission.leaving.view(), submission.abi);
  if (status == MAILPLUGIN_OK) return;
  Fate fate;
  fate.verdict = status == MAILPLUGIN_E_ARGUMENT ? "rejected" : "retry_later";
  fate.reason = "the plugin did not take the message (status " + std::to_string(status) + "); its log line says why";
  answered(submission, fate, 0);
}

void Outbox::on_sent(const mailplugin_submission* abi, const mailplugin_outcome* outcome) noexcept {
  auto* submission = static_cast<Submission*>(abi->ctx);
  Outbox& outbox = submission->outbox;
  try {
    Fate fate;
    fate.verdict = name_of_verdict(outcome->verdict);
    fate.reason = outcome->reason == nullptr ? "" : outcome->reason;
    fate.internet_message_id = as_view(outcome->internet_message_id);
    fate.conversation_id = as_view(outcome->conversation_id);
    fate.attempts = outcome->attempts;
    outbox.answered(*submission, fate, outcome->retry_after_ms);
  } catch (const std::exception& error) {
    // Asked again at the next start; the plugin remembers its answer by the key.
    outbox.log_.error(submission->key + ": the answer to a message could not be kept: " + error.what());
  }
}

void Outbox::answered(Submission& submission, const Fate& fate, std::uint32_t retry_after_ms) {
  const std::string key = submission.key;
  std::string trouble;
  try {
    store_.set_fate(key, fate, base::now_unix_ms());
    if (fate.verdict == "accepted" || fate.verdict == "rejected") remove_copies(submission.leaving.mail());
    events_.write(sent_event(key, submission.leaving.mail(), fate, base::now_unix_ms()));
  } catch (const std::exception& error) {
    trouble = error.what();
  }
  const std::string name = key + " to " + recipients(submission.leaving.mail());
  if (!trouble.empty()) log_.error(name + ": its fate (" + fate.verdict + ") could not be written down: " + trouble);
  if (fate.verdict != "accepted") {
    log_.write(fate.verdict == "retry_later" ? base::Level::kWarning : base::Level::kError, "host",
               name + ": " + fate.verdict + ": " + fate.reason);
  }
  {
    const std::lock_guard lock(mutex_);
    if (fate.verdict == "accepted") ++sent_;
    if (fate.verdict == "rejected" || fate.verdict == "uncertain") {
      failures_.push_back(name + ": " + fate.verdict + ": " + fate.reason);
    }
    if (fate.verdict == "retry_later") {
      waiting_[key] = {
          steady_ms() + (retry_after_ms == 0 ? kDefaultWait : std::max<std::int64_t>(retry_after_ms, kLeastWait)),
          fate};
    }
    const auto it = under_way_.find(key);
    if (it != under_way_.end()) {
      answered_.push_back(std::move(it->second));
      under_way_.erase(it);
    }
  }
  changed_(fate.verdict == "accepted");
}

std::size_t Outbox::open_count() const {
  const std::lock_guard lock(mutex_);
  return under_way_.size() + waiting_.size();
}

bool Outbox::under_way(const std::string& key) const {
  const std::lock_guard lock(mutex_);
  return under_way_.count(key) > 0;
}

std::optional<std::int64_t> Outbox::next_due() const {
  const std::lock_guard lock(mutex_);
  std::optional<std::int64_t> next;
  for (const auto& [key, one] : waiting_) next = std::min(next.value_or(one.due), one.due);
  return next;
}

std::int64_t Outbox::sent_count() const {
  const std::lock_guard lock(mutex_);
  return sent_;
}

std::vector<std::string> Outbox::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

}  // namespace runtime
