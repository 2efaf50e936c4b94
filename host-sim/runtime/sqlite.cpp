#include "runtime/sqlite.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

namespace runtime {

namespace {
// Another process may look into the inbox while mails come in; its reads are short.
constexpr int kBusyMilliseconds = 5000;
}  // namespace

void prepare_sqlite() {
  sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

Statement::Statement(Database& database, std::string_view sql) : database_(database) {
  const int code =
      sqlite3_prepare_v2(database_.handle_, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
  if (code != SQLITE_OK) database_.fail(code, "read");
}

Statement::~Statement() {
  sqlite3_finalize(statement_);
}

Statement& Statement::bind(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  const int code = sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail(code, "use");
  return *this;
}

Statement& Statement::bind_borrowed(int index, std::string_view text) {
  const char* data = text.data() == nullptr ? "" : text.data();
  const int code = sqlite3_bind_text64(statement_, index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) database_.fail(code, "use");
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  const int code = sqlite3_bind_int64(statement_, index, number);
  if (code != SQLITE_OK) database_.fail(code, "use");
  return *this;
}

Statement& Statement::bind(int index, const std::optional<std::int64_t>& number) {
  if (number) return bind(index, *number);
  const int code = sqlite3_bind_null(statement_, index);
  if (code != SQLITE_OK) database_.fail(code, "use");
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_.fail(code, "use");
}

void Statement::run() {
  while (step()) {
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

std::string Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return data == nullptr ? std::string()
                         : std::string(data, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column)));
}

base::Json Statement::json(int column) const {
  try {
    return base::Json::parse(text(column));
  } catch (const base::JsonError& error) {
    // We wrote it whole, so what cannot be read is damage that SQLite does not see.
    throw StoreError(SQLITE_CORRUPT,
                     "cannot read " + database_.name_ + ": a row in it is damaged (" + error.what() + ")");
  }
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(const std::filesystem::path& path, Open open) : name_(path.string()) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
  if (open == Open::kCreate) {
    flags |= SQLITE_OPEN_CREATE;
    // SQLite would create it readable by others; the journal files take over the mode of this one.
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) ::close(fd);
  }
  const int code = sqlite3_open_v2(name_.c_str(), &handle_, flags, nullptr);
  if (code != SQLITE_OK) {
    const std::string reason = handle_ == nullptr ? "out of memory" : sqlite3_errmsg(handle_);
    sqlite3_close(handle_);
    throw StoreError(code, "cannot open " + name_ + ": " + reason);
  }
  sqlite3_extended_result_codes(handle_, 1);
  sqlite3_busy_timeout(handle_, kBusyMilliseconds);
}

Database::~Database() {
  sqlite3_close(handle_);
}

void Database::execute(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) fail(code, "use");
}

std::int64_t Database::last_row_id() const {
  return sqlite3_last_insert_rowid(handle_);
}

std::int64_t Database::changes() const {
  return sqlite3_changes64(handle_);
}

void Database::fail(int code, std::string_view doing) const {
  throw StoreError(code, "cannot " + std::string(doing) + " " + name_ + ": " + sqlite3_errmsg(handle_));
}

Transaction::~Transaction() {
  if (!open_) return;
  try {
    database_.execute("ROLLBACK");
  } catch (const StoreError&) {
    // SQLite has rolled back by itself already (disk full, I/O error).
  }
}

void Transaction::commit() {
  database_.execute("COMMIT");
  open_ = false;
}

}  // namespace runtime
