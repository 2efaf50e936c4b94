#include "runtime/host_store.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace runtime {
namespace {

using base::Json;

// The statements that lead from one format to the next.
constexpr const char* kFirstFormat = R"(
  CREATE TABLE inbox (
    id INTEGER PRIMARY KEY,
    delivery_id TEXT NOT NULL UNIQUE,
    priority INTEGER,
    received INTEGER NOT NULL,
    stored INTEGER NOT NULL,
    event TEXT NOT NULL);
  CREATE TABLE attachment (
    inbox_id INTEGER NOT NULL REFERENCES inbox(id),
    position INTEGER NOT NULL,
    file TEXT NOT NULL,
    PRIMARY KEY (inbox_id, position)) WITHOUT ROWID;
  CREATE TABLE outbox (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    mail TEXT NOT NULL,
    put INTEGER NOT NULL,
    decided INTEGER,
    verdict TEXT,
    reason TEXT,
    internet_message_id TEXT,
    conversation_id TEXT,
    attempts INTEGER);
  CREATE INDEX outbox_by_message_id ON outbox(internet_message_id) WHERE internet_message_id <> '';
  CREATE INDEX outbox_unanswered ON outbox(id) WHERE decided IS NULL;
  PRAGMA user_version = 1;
)";
// 2: an event stands in the log; `event` is empty then. A row of format 1 keeps its own.
constexpr const char* kSecondFormat = R"(
  ALTER TABLE inbox ADD COLUMN place INTEGER;
  ALTER TABLE inbox ADD COLUMN size INTEGER;
  PRAGMA user_version = 2;
)";
constexpr std::array kFormats{kFirstFormat, kSecondFormat};

constexpr std::string_view kOutboxColumns =
    "key, mail, verdict, reason, internet_message_id, conversation_id, attempts, decided";

OutboxRow outbox_row(const Statement& statement) {
  OutboxRow row;
  row.key = statement.text(0);
  row.mail = statement.json(1);
  if (!statement.is_null(7)) {
    row.fate = Fate{statement.text(2), statement.text(3), statement.text(4), statement.text(5), statement.number(6)};
  }
  return row;
}

}  // namespace

HostStore::HostStore(const std::filesystem::path& database, Open open)
    : database_(database, open == Open::kCreate ? Database::Open::kCreate : Database::Open::kExisting) {
  database_.execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  database_.execute("PRAGMA journal_size_limit = 33554432;");
  // Each time the log of changes is worked in costs two fsyncs. It is said in pages, which are larger in older files.
  constexpr std::int64_t kWorkedIn = 16 << 20, kSmallestPage = 512;
  const std::string every = std::to_string(kWorkedIn / std::max(ask("PRAGMA page_size"), kSmallestPage));
  database_.execute(("PRAGMA wal_autocheckpoint = " + every).c_str());
  take_format(database, open);
  const auto log = std::filesystem::path(database).replace_extension(".mails");
  log_.emplace(log, open == Open::kCreate ? EventLog::Open::kCreate : EventLog::Open::kExisting);
  if (open == Open::kCreate) {
    require_whole_log(database, log);
    insert_mail_.emplace(database_,
                         "INSERT INTO inbox (delivery_id, priority, received, event, stored, place, size) "
                         "VALUES (?1, ?2, ?3, '', ?4, ?5, ?6) ON CONFLICT (delivery_id) DO NOTHING");
  }
  look_up_.emplace(database, Database::Open::kExisting);
  key_of_reply_.emplace(*look_up_,
                        "SELECT key FROM outbox WHERE internet_message_id = ?1 AND internet_message_id <> ''");
}

std::int64_t HostStore::ask(std::string_view sql) {
  Statement statement(database_, sql);
  return statement.step() ? statement.number(0) : 0;
}

// Who only looks changes nothing: an older host-sim may be at work with this file.
void HostStore::take_format(const std::filesystem::path& database, Open open) {
  const auto newest = static_cast<std::int64_t>(kFormats.size());
  std::int64_t format = ask("PRAGMA user_version");
  if (format > newest || format < 0 || (format == 0 && open == Open::kExisting)) {
    throw StoreError(0, database.string() + " has the format " + std::to_string(format) + ", this host-sim knows " +
                            std::to_string(newest) + "; use the host-sim that wrote it, or another data folder");
  }
  if (format < newest && open == Open::kCreate) {
    Transaction transaction(database_);
    for (format = ask("PRAGMA user_version"); format < newest; ++format)
      database_.execute(kFormats[static_cast<std::size_t>(format)]);
    transaction.commit();
  }
  inbox_columns_ = std::string("id, delivery_id, event, stored, ") + (format < 2 ? "NULL, NULL" : "place, size");
}

// What is appended to a shorter one would stand where older mails are looked for.
void HostStore::require_whole_log(const std::filesystem::path& database, const std::filesystem::path& log) {
  if (ask("SELECT max(place + size) FROM inbox") <= log_->end()) return;
  throw StoreError(0, "cannot use " + database.string() + ": it names mails behind the end of " + log.string() +
                          "; put both back as they were together, or use another data folder");
}

HostStore::~HostStore() = default;

InboxRow HostStore::row_of(const Statement& statement) {
  constexpr int kEvent = 2, kPlace = 4, kSize = 5;
  InboxRow row;
  row.id = statement.number(0);
  row.delivery_id = statement.text(1);
  if (statement.is_null(kPlace)) {
    row.event = statement.json(kEvent);
  } else {
    row.event = log_->read({statement.number(kPlace), statement.number(kSize)}, row.delivery_id);
  }
  row.stored_unix_ms = statement.number(3);
  row.files = files_of(row.id);
  return row;
}

std::vector<InboxRow> HostStore::read_rows(Statement& statement) {
  std::vector<InboxRow> rows;
  while (statement.step()) rows.push_back(row_of(statement));
  return rows;
}

std::vector<std::string> HostStore::files_of(std::int64_t id) {
  std::vector<std::string> files;
  Statement statement(database_, "SELECT file FROM attachment WHERE inbox_id = ?1 ORDER BY position");
  statement.bind(1, id);
  while (statement.step()) files.push_back(statement.text(0));
  return files;
}

std::optional<InboxRow> HostStore::find_received(std::string_view delivery_id) {
  const std::lock_guard lock(mutex_);
  Statement statement(database_, "SELECT " + inbox_columns_ + " FROM inbox WHERE delivery_id = ?1");
  statement.bind(1, delivery_id);
  std::vector<InboxRow> rows = read_rows(statement);
  if (rows.empty()) return std::nullopt;
  return std::move(rows.front());
}

std::vector<InboxRow> HostStore::find_by_beginning(std::string_view beginning) {
  constexpr std::size_t kShortest = 6;
  if (beginning.size() < kShortest) return {};
  const std::lock_guard lock(mutex_);
  // Not LIKE: an id may hold its wildcards.
  Statement statement(database_, "SELECT " + inbox_columns_ +
                                     " FROM inbox WHERE delivery_id = ?1 OR substr(delivery_id, 1, ?2) = ?1 "
                                     "ORDER BY delivery_id <> ?1 LIMIT 2");
  statement.bind(1, beginning).bind(2, static_cast<std::int64_t>(beginning.size()));
  std::vector<InboxRow> rows = read_rows(statement);
  if (!rows.empty() && rows.front().delivery_id == beginning) rows.resize(1);
  return rows;
}

void HostStore::add_files(std::int64_t id, const std::vector<std::string>& files) {
  for (std::size_t i = 0; i < files.size(); ++i) {
    Statement statement(database_, "INSERT INTO attachment (inbox_id, position, file) VALUES (?1, ?2, ?3)");
    statement.bind(1, id).bind(2, static_cast<std::int64_t>(i)).bind(3, files[i]).run();
  }
}

std::vector<bool> HostStore::add_received(const std::vector<const NewMail*>& mails) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(database_);
  std::vector<bool> added;
  added.reserve(mails.size());
  std::vector<std::string_view> events;
  std::int64_t place = log_->end();
  for (const NewMail* mail : mails) {
    StatementUse insert(*insert_mail_);
    insert->bind_borrowed(1, mail->delivery_id)
        .bind(2, mail->priority)
        .bind(3, mail->received_unix_ms)
        .bind(4, mail->stored_unix_ms)
        .bind(5, place)
        .bind(6, static_cast<std::int64_t>(mail->event.size()))
        .run();
    added.push_back(database_.changes() > 0);
    if (!added.back()) continue;
    add_files(database_.last_row_id(), mail->files);
    events.emplace_back(mail->event);
    place += static_cast<std::int64_t>(mail->event.size()) + 1;  // and its line break
  }
  if (!events.empty()) log_->append(events);  // before a row on disk names it
  transaction.commit();
  return added;
}

void HostStore::replace_received(const InboxRow& row) {
  const std::string event = row.event.dump();
  const std::lock_guard lock(mutex_);
  Transaction transaction(database_);
  Statement(database_, "DELETE FROM attachment WHERE inbox_id = ?1").bind(1, row.id).run();
  Statement(database_, "UPDATE inbox SET event = '', place = ?2, size = ?3 WHERE id = ?1")
      .bind(1, row.id)
      .bind(2, log_->end())
      .bind(3, static_cast<std::int64_t>(event.size()))
      .run();
  log_->append({event});
  add_files(row.id, row.files);
  transaction.commit();
}

void HostStore::each_received(const std::function<void(const InboxRow&)>& visit) {
  const std::lock_guard lock(mutex_);
  Statement statement(database_,
                      "SELECT " + inbox_columns_ + " FROM inbox ORDER BY priority IS NULL, priority, received, id");
  while (statement.step()) visit(row_of(statement));
}

std::int64_t HostStore::count_received() {
  const std::lock_guard lock(mutex_);
  Statement statement(database_, "SELECT count(*) FROM inbox");
  statement.step();
  return statement.number(0);
}

std::optional<OutboxRow> HostStore::find_outgoing(std::string_view key) {
  const std::lock_guard lock(mutex_);
  Statement statement(database_, "SELECT " + std::string(kOutboxColumns) + " FROM outbox WHERE key = ?1");
  if (!statement.bind(1, key).step()) return std::nullopt;
  return outbox_row(statement);
}

void HostStore::put_outgoing(const std::string& key, const Json& mail, std::int64_t now_unix_ms) {
  const std::string text = mail.dump();
  const std::lock_guard lock(mutex_);
  Transaction transaction(database_);
  Statement(
      database_,
      "INSERT INTO outbox (key, mail, put) VALUES (?1, ?2, ?3) ON CONFLICT (key) DO UPDATE SET mail = ?2, put = ?3, "
      "decided = NULL, verdict = NULL, reason = NULL WHERE decided IS NOT NULL AND verdict = 'rejected'")
      .bind(1, key)
      .bind(2, text)
      .bind(3, now_unix_ms)
      .run();
  transaction.commit();
}

std::vector<OutboxRow> HostStore::unanswered() {
  const std::lock_guard lock(mutex_);
  std::vector<OutboxRow> rows;
  Statement statement(database_,
                      "SELECT " + std::string(kOutboxColumns) + " FROM outbox WHERE decided IS NULL ORDER BY id");
  while (statement.step()) rows.push_back(outbox_row(statement));
  return rows;
}

void HostStore::set_fate(const std::string& key, const Fate& fate, std::int64_t now_unix_ms) {
  const std::lock_guard lock(mutex_);
  Transaction transaction(database_);
  Statement statement(database_,
                      "UPDATE outbox SET verdict = ?2, reason = ?3, internet_message_id = ?4, conversation_id = ?5, "
                      "attempts = ?6, decided = ?7 WHERE key = ?1");
  statement.bind(1, key)
      .bind(2, fate.verdict)
      .bind(3, fate.reason)
      .bind(4, fate.internet_message_id)
      .bind(5, fate.conversation_id)
      .bind(6, fate.attempts)
      .bind(7, fate.verdict == "retry_later" ? std::optional<std::int64_t>() : std::optional<std::int64_t>(now_unix_ms))
      .run();
  transaction.commit();
}

std::optional<std::string> HostStore::key_of_reply(std::string_view internet_message_id) {
  if (internet_message_id.empty()) return std::nullopt;
  const std::lock_guard lock(look_up_mutex_);
  StatementUse look(*key_of_reply_);
  if (!look->bind(1, internet_message_id).step()) return std::nullopt;
  return look->text(0);
}

}  // namespace runtime
