// The host's books: what was received and what is to be sent, in a SQLite file and a log of events beside it. Both
// survive kill -9 and power cuts.
#ifndef HOST_SIM_RUNTIME_HOST_STORE_H_
#define HOST_SIM_RUNTIME_HOST_STORE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "runtime/event_log.h"
#include "runtime/sqlite.h"

namespace runtime {

struct InboxRow {
  std::int64_t id = 0;
  std::string delivery_id;
  base::Json event;  // message_keys() of message_event.h
  std::int64_t stored_unix_ms = 0;
  std::vector<std::string> files;  // one name an attachment, in the event's order; empty when its bytes are closed
};

// A mail that comes in, its event as text.
struct NewMail {
  std::string delivery_id, event;
  std::optional<std::int64_t> priority;
  std::int64_t received_unix_ms = 0, stored_unix_ms = 0;
  std::vector<std::string> files;  // as in InboxRow
};

// What became of a submission; `verdict` in the contract's words.
struct Fate {
  std::string verdict, reason, internet_message_id, conversation_id;
  std::int64_t attempts = 0;
};

struct OutboxRow {
  std::string key;
  base::Json mail;  // outgoing_mail.h
  std::optional<Fate> fate;
};

// All functions throw StoreError; all may be called from any thread. What a function has written when it returns
// survives a power cut (WAL, synchronous FULL).
class HostStore {
 public:
  enum class Open { kCreate, kExisting };
  // The log of events stands beside `database`, with the suffix ".mails".
  HostStore(const std::filesystem::path& database, Open open);
  ~HostStore();

  // nullopt when this mail was never stored.
  std::optional<InboxRow> find_received(std::string_view delivery_id);
  // For people: the full id or its unique beginning (6 characters at least). Empty, one, or several rows.
  std::vector<InboxRow> find_by_beginning(std::string_view beginning);
  // All of them in one transaction. False for a mail that is there already (then nothing of it is changed).
  std::vector<bool> add_received(const std::vector<const NewMail*>& mails);
  // The same mail came again with other attachments.
  void replace_received(const InboxRow& row);
  // In the order contacts would be served: priority (none last), then time of arrival. One row in memory at a time.
  void each_received(const std::function<void(const InboxRow&)>& visit);
  std::int64_t count_received();

  std::optional<OutboxRow> find_outgoing(std::string_view key);
  // A new submission, or a refused one anew. One that is unanswered, sent or uncertain stays as it is: the plugin may
  // hold a draft of it, or it may have left.
  void put_outgoing(const std::string& key, const base::Json& mail, std::int64_t now_unix_ms);
  // Those without a final fate, oldest first.
  std::vector<OutboxRow> unanswered();
  // "retry_later" leaves it unanswered.
  void set_fate(const std::string& key, const Fate& fate, std::int64_t now_unix_ms);
  // The key of the reply we sent under this Message-ID.
  std::optional<std::string> key_of_reply(std::string_view internet_message_id);

 private:
  std::int64_t ask(std::string_view sql);
  void take_format(const std::filesystem::path& database, Open open);
  void require_whole_log(const std::filesystem::path& database, const std::filesystem::path& log);
  InboxRow row_of(const Statement& statement);
  std::vector<InboxRow> read_rows(Statement& statement);
  std::vector<std::string> files_of(std::int64_t id);
  void add_files(std::int64_t id, const std::vector<std::string>& files);

  std::mutex mutex_;
  // Guarded by mutex_.
  Database database_;
  std::optional<EventLog> log_;
  std::string inbox_columns_;  // as row_of() reads them
  std::optional<Statement> insert_mail_;
  // Look-ups do not wait for a writer's fsync.
  std::mutex look_up_mutex_;
  // Guarded by look_up_mutex_.
  std::optional<Database> look_up_;
  std::optional<Statement> key_of_reply_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_HOST_STORE_H_
