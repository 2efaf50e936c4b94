// Messages on their way out: kept until their fate is known, handed over again after a crash.
#ifndef HOST_SIM_RUNTIME_OUTBOX_H_
#define HOST_SIM_RUNTIME_OUTBOX_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/log.h"
#include "runtime/data_folder.h"
#include "runtime/event_writer.h"
#include "runtime/host_store.h"
#include "runtime/outgoing_mail.h"
#include "runtime/plugin_server.h"

namespace runtime {

// The `sent` event of the contract.
base::Json sent_event(const std::string& key, const OutgoingMail& mail, const Fate& fate, std::int64_t now_unix_ms);

class Outbox {
 public:
  // `changed` is called on the plugin's threads after every answer; `left`: the message is on its way.
  Outbox(const DataFolder& folder, HostStore& store, EventWriter& events, base::Log& log,
         std::function<void(bool left)> changed);
  // The server must be stopped before.
  ~Outbox();

  // Keeps the message and copies of its attachments on the disk under this key; from here on it leaves exactly once.
  // A key that is unanswered or answered already keeps its first content. Throws MessageError (an attachment cannot be
  // read), StoreError, base::FileError.
  void keep(const std::string& key, OutgoingMail mail);

  // The last answer to a key: its final fate, or "retry_later" of this run. nullopt when there was none.
  std::optional<Fate> last_answer(const std::string& key);

  // Hands one kept message over. Its answer may be there before this returns.
  void submit(PluginServer& server, const std::string& key);
  // All that an earlier run left unanswered.
  void submit_unanswered(PluginServer& server);
  // Those told to wait whose time is there.
  void submit_due(PluginServer& server, std::int64_t now_ms);
  // Messages without a final fate that this run knows of.
  std::size_t open_count() const;
  bool under_way(const std::string& key) const;
  // When the next one told to wait is due.
  std::optional<std::int64_t> next_due() const;

  std::int64_t sent_count() const;
  // "KEY to ADDRESS: refused: reason" of those that were refused or are uncertain.
  std::vector<std::string> failures() const;

 private:
  struct Submission;
  static void MAILPLUGIN_CALL on_sent(const mailplugin_submission*, const mailplugin_outcome*) noexcept;
  void answered(Submission& submission, const Fate& fate, std::uint32_t retry_after_ms);
  OutgoingMail with_copies(OutgoingMail mail);
  void remove_copies(const OutgoingMail& mail);
  void hand_over(PluginServer& server, const OutboxRow& row);

  const DataFolder& folder_;
  HostStore& store_;
  EventWriter& events_;
  base::Log& log_;
  const std::function<void(bool left)> changed_;

  mutable std::mutex mutex_;
  // Guarded by mutex_.
  std::map<std::string, std::unique_ptr<Submission>> under_way_;
  std::vector<std::unique_ptr<Submission>> answered_;  // freed outside of the plugin's callback
  struct Waiting {
    std::int64_t due = 0;
    Fate answer;
  };
  std::map<std::string, Waiting> waiting_;  // told to wait
  std::int64_t sent_ = 0;
  std::vector<std::string> failures_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_OUTBOX_H_
