#include "store/sqlite_store.h"

#include <stdexcept>
#include <string>
#include <utility>

#include "mail/verdict.h"
#include "store/hash.h"
#include "store/queries.h"

namespace store {
namespace {

constexpr std::chrono::hours longest_window{24};  // of automatic answers

Submission submission_of(const Row& row) {
  Submission s;
  s.server = row.text(0);
  s.key = row.text(1);
  s.mailbox = row.text(2);
  s.draft_id = row.text(3);
  s.step = static_cast<Step>(row.number(4));
  s.tries = static_cast<int>(row.number(5));
  s.looks = static_cast<int>(row.number(6));
  s.attachments_done = static_cast<int>(row.number(7));
  s.taken = wall_time(row.number(8));
  s.changed = wall_time(row.number(9));
  s.verdict = static_cast<int>(row.number(10));
  s.internet_message_id = row.text(11);
  s.conversation_id = row.text(12);
  s.reason = row.text(13);
  s.late_drafts_due = wall_time(row.number(14));
  return s;
}

}  // namespace

SqliteStore::SqliteStore(std::shared_ptr<StateFile> file, std::unique_ptr<Writer> writer,
                         std::function<WallTime()> wall, const Options& options)
    : file_(std::move(file)),
      wall_(std::move(wall)),
      password_iterations_(options.password_iterations),
      submissions_lost_(file_->set_aside_within(std::chrono::hours(7 * 24))),
      writer_(std::move(writer)),
      reader_(*file_, options.busy),
      ids_(*writer_, reader_),
      queries_(std::make_unique<Queries>(reader_)) {}

SqliteStore::~SqliteStore() = default;

std::size_t SqliteStore::write(const char* sql, Values values, Writer::Durable durable) {
  Writer::Transaction transaction(*writer_, durable);
  const std::size_t changed = transaction.run(sql, values);
  transaction.commit();
  return changed;
}

StreamId SqliteStore::stream(const StreamKey& key) {
  StreamId id = 0;
  const auto look = [&] {
    return queries_->stream.one({key.tenant, key.folder_id}, [&](const Row& row) { id = row.number(0); });
  };
  if (look()) return id;
  write("insert into stream(tenant, folder) values(?, ?) on conflict do nothing", {key.tenant, key.folder_id},
        Writer::Durable::with_next);
  look();
  return id;
}

Cursor SqliteStore::cursor(StreamId stream) {
  Cursor cursor;
  const bool known = queries_->cursor.one({stream}, [&](const Row& row) {
    cursor.delta_link = row.text(0);
    cursor.next_link = row.text(1);
    cursor.opened = wall_time(row.number(2));
    cursor.start_from = row.text(3);
    cursor.first_fetch_decided = row.flag(4);
    cursor.reconciled = wall_time(row.number(5));
    cursor.reconciled_whole = wall_time(row.number(6));
  });
  if (!known) throw std::logic_error("the store knows no stream " + std::to_string(stream));
  return cursor;
}

void SqliteStore::save_cursor(StreamId stream, const Cursor& cursor) {
  const Cursor before = this->cursor(stream);
  if (before == cursor) return;
  // An older link leads here as well, by rows that the receipts absorb. How the folder was opened is not found out
  // twice.
  Cursor opened_alike = cursor;
  opened_alike.opened = before.opened;
  opened_alike.start_from = before.start_from;
  opened_alike.first_fetch_decided = before.first_fetch_decided;
  const auto durable = opened_alike == cursor ? Writer::Durable::with_next : Writer::Durable::at_commit;
  write(
      "update stream set delta_link = ?, next_link = ?, opened = ?, start_from = ?, first_fetch_decided = ?,"
      " reconciled = ?, reconciled_whole = ? where id = ?",
      {cursor.delta_link, cursor.next_link, milliseconds(cursor.opened), cursor.start_from, cursor.first_fetch_decided,
       milliseconds(cursor.reconciled), milliseconds(cursor.reconciled_whole), stream},
      durable);
}

std::optional<Submission> SqliteStore::submission(std::string_view server, std::string_view key) {
  std::optional<Submission> found;
  queries_->submission.one({server, key}, [&](const Row& row) { found = submission_of(row); });
  return found;
}

void SqliteStore::save_submission(const Submission& s) {
  write("insert or replace into submission(" STORE_SUBMISSION_COLUMNS
        ") values(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {s.server, s.key, s.mailbox, s.draft_id, static_cast<std::int64_t>(s.step), s.tries, s.looks,
         s.attachments_done, milliseconds(s.taken), milliseconds(s.changed), s.verdict, s.internet_message_id,
         s.conversation_id, s.reason, milliseconds(s.late_drafts_due)});
}

std::optional<Submission> SqliteStore::submission_sent_as(std::string_view internet_message_id) {
  std::optional<Submission> found;
  queries_->submission_sent_as.one(
      {internet_message_id, static_cast<std::int64_t>(Step::done), static_cast<std::int64_t>(mail::Verdict::accepted)},
      [&](const Row& row) { found = submission_of(row); });
  return found;
}

std::vector<Submission> SqliteStore::late_drafts(std::string_view server, WallTime now, std::size_t most) {
  std::vector<Submission> found;
  queries_->late_drafts.each({server, milliseconds(now), static_cast<std::int64_t>(most)},
                             [&](const Row& row) { found.push_back(submission_of(row)); });
  return found;
}

void SqliteStore::late_drafts_seen(const Submission& s) {
  write("update submission set late_drafts_due = 0 where server = ? and key = ? and late_drafts_due = ?",
        {s.server, s.key, milliseconds(s.late_drafts_due)});
}

void SqliteStore::forget_submissions(WallTime before) {
  write("delete from submission where step = ? and changed < ?",
        {static_cast<std::int64_t>(Step::done), milliseconds(before)});
}

std::optional<std::string> SqliteStore::note_automatic(const AutomaticAnswer& answer, unsigned limit,
                                                       std::chrono::milliseconds window) {
  const Hash128 key = hash_of(answer.server + '\0' + answer.key);
  const WallTime now = wall_();
  Writer::Transaction transaction(*writer_);  // nobody else notes between the look and the deed
  // What is noted in the future was noted before the machine's date was set back.
  transaction.run("delete from automatic_answer where noted <= ? or noted > ?",
                  {milliseconds(now - longest_window), milliseconds(now)});
  for (const std::string& to : answer.to) {
    const Hash128 pair = hash_of(lower_case(answer.from) + '\0' + lower_case(to));
    if (queries_->automatic_known.one({Blob{bytes_of(pair)}, Blob{bytes_of(key)}}, [](const Row&) {})) continue;
    std::int64_t noted = 0;
    queries_->automatic_count.one({Blob{bytes_of(pair)}, milliseconds(now - window), milliseconds(now)},
                                  [&](const Row& row) { noted = row.number(0); });
    if (noted >= static_cast<std::int64_t>(limit)) return to;
    transaction.run("insert or ignore into automatic_answer(pair, key, noted) values(?, ?, ?)",
                    {Blob{bytes_of(pair)}, Blob{bytes_of(key)}, milliseconds(now)});
  }
  transaction.commit();
  return std::nullopt;
}

bool SqliteStore::password_refused(std::string_view account, std::string_view password) {
  std::string salt, hash;
  int iterations = 0;
  const bool known = queries_->refused_password.one({lower_case(account)}, [&](const Row& row) {
    salt = row.text(0);
    iterations = static_cast<int>(row.number(1));
    hash = row.text(2);
  });
  return known && equal_in_constant_time(hash, slow_hash(password, salt, iterations));
}

void SqliteStore::remember_refused_password(std::string_view account, std::string_view password) {
  const std::string salt = new_salt();
  const std::string hash = slow_hash(password, salt, password_iterations_);
  write("insert or replace into refused_password(account, salt, iterations, hash) values(?, ?, ?, ?)",
        {lower_case(account), Blob{salt}, password_iterations_, Blob{hash}});
}

void SqliteStore::forget_refused_password(std::string_view account) {
  const std::string lower = lower_case(account);
  if (!queries_->refused_password.one({lower}, [](const Row&) {})) return;
  write("delete from refused_password where account = ?", {lower});
}

}  // namespace store
