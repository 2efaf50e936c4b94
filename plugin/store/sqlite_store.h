// The store on its file. Seen by the tests of this room only; others include store/store.h.
#pragma once

#include <chrono>
#include <memory>

#include "store/reader.h"
#include "store/short_ids.h"
#include "store/state_file.h"
#include "store/store.h"
#include "store/writer.h"

namespace store {

struct Options {
  std::chrono::milliseconds busy{5'000};           ///< how long another program may hold the file (a copy being made)
  std::chrono::milliseconds lock_patience{2'000};  ///< how long a store of this process may take to close
  int password_iterations = 210'000;
  std::int64_t most_pages = 0;  ///< of 4 KiB; the file is full beyond. 0: no limit
};

/// Store::open, with options.
std::shared_ptr<Store> open_store(const std::filesystem::path& dir, mail::Log& log, std::function<WallTime()> wall,
                                  const Options& options);

class SqliteStore final : public Store {
 public:
  /// `file` is locked and of the newest version.
  SqliteStore(std::shared_ptr<StateFile> file, std::unique_ptr<Writer> writer, std::function<WallTime()> wall,
              const Options& options);
  ~SqliteStore() override;

  StreamId stream(const StreamKey& key) override;
  Cursor cursor(StreamId stream) override;
  void save_cursor(StreamId stream, const Cursor& cursor) override;

  std::optional<Receipt> receipt(StreamId stream, std::string_view message_id) override;
  std::optional<Receipt> receipt_like(const Fingerprint& fingerprint) override;
  std::vector<std::optional<Receipt>> receipts_like(const std::vector<Fingerprint>& fingerprints) override;
  std::vector<bool> receipts_known(StreamId stream, const std::vector<std::string>& message_ids) override;
  void decide(const Receipt& receipt) override;
  void decide_all(const std::vector<Receipt>& receipts) override;
  void marked(StreamId stream, const std::vector<Mark>& marks) override;
  void set_gone(StreamId stream, std::string_view message_id, bool gone) override;
  std::vector<Mark> to_mark(StreamId stream, std::size_t most) override;
  std::size_t to_mark_count(StreamId stream, std::size_t most) override;
  std::vector<Receipt> receipts_after(StreamId stream, std::string_view after, std::size_t most) override;
  std::string receipt_somewhere(StreamId stream, std::uint64_t random) override;
  bool seen_missing(StreamId stream, std::string_view message_id) override;

  void set_aside(const SetAside& mail) override;
  void set_aside_all(const std::vector<SetAside>& mails) override;
  std::optional<SetAside> aside(StreamId stream, std::string_view message_id) override;
  std::vector<std::optional<SetAside>> asides_of(StreamId stream, const std::vector<std::string>& message_ids) override;
  std::vector<SetAside> asides(StreamId stream) override;
  void drop_aside(StreamId stream, std::string_view message_id) override;

  std::optional<Submission> submission(std::string_view server, std::string_view key) override;
  void save_submission(const Submission& submission) override;
  bool submissions_lost() override { return submissions_lost_; }
  std::optional<Submission> submission_sent_as(std::string_view internet_message_id) override;
  std::vector<Submission> late_drafts(std::string_view server, WallTime now, std::size_t most) override;
  void late_drafts_seen(const Submission& submission) override;
  void forget_submissions(WallTime before) override;

  std::optional<std::string> note_automatic(const AutomaticAnswer& answer, unsigned limit,
                                            std::chrono::milliseconds window) override;

  bool password_refused(std::string_view account, std::string_view password) override;
  void remember_refused_password(std::string_view account, std::string_view password) override;
  void forget_refused_password(std::string_view account) override;

 private:
  struct Queries;
  /// A look-up with these values: shows the first row; false: there is none.
  using One = std::function<bool(Query&, Values, const std::function<void(const Row&)>&)>;
  /// Calls `work` with a way to look up, all at one state of the file.
  void look_up(const std::function<void(const One&)>& work);
  /// One statement in a transaction of its own; how many rows it changed.
  std::size_t write(const char* sql, Values values, Writer::Durable durable = Writer::Durable::at_commit);

  const std::shared_ptr<StateFile> file_;
  const std::function<WallTime()> wall_;
  const int password_iterations_;
  const bool submissions_lost_;
  // In the order of closing, last first: the writer's connection is the last, it works the log into the file.
  const std::unique_ptr<Writer> writer_;
  Reader reader_;
  ShortIds ids_;
  const std::unique_ptr<Queries> queries_;
};

}  // namespace store
