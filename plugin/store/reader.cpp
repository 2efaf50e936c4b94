#include "store/reader.h"

#include <sqlite3.h>

#include <limits>

#include "store/state_file.h"

namespace store {
namespace {

struct Bind {
  sqlite3_stmt* statement;
  int place;
  int operator()(std::int64_t number) const { return sqlite3_bind_int64(statement, place, number); }
  // A null pointer would be NULL, not an empty text.
  int operator()(std::string_view text) const {
    return sqlite3_bind_text64(statement, place, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC,
                               SQLITE_UTF8);
  }
  int operator()(Blob blob) const {
    return sqlite3_bind_blob64(statement, place, blob.bytes.empty() ? "" : blob.bytes.data(), blob.bytes.size(),
                               SQLITE_STATIC);
  }
};

}  // namespace

Reader::Reader(const StateFile& file, std::chrono::milliseconds busy) : file_(file) {
  const int code =
      sqlite3_open_v2(file.path().c_str(), &connection_, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nullptr);
  if (code != SQLITE_OK) {
    const std::string message = connection_ != nullptr ? sqlite3_errmsg(connection_) : sqlite3_errstr(code);
    sqlite3_close(connection_);
    file.fail(code, message);
  }
  sqlite3_extended_result_codes(connection_, 1);
  sqlite3_busy_timeout(connection_, static_cast<int>(busy.count()));
  sqlite3_exec(connection_, "pragma cache_size = -4096", nullptr, nullptr, nullptr);  // KiB: the tops of the trees
}

Reader::~Reader() {
  sqlite3_close(connection_);
}

std::int64_t Row::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Row::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

Query::Query(Reader& reader, const char* sql) : reader_(reader) {
  const std::lock_guard lock(reader.mutex_);
  const int code = sqlite3_prepare_v3(reader.connection_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code == SQLITE_OK) return;
  // Our number on a file without our tables: somebody changed it.
  const int means = (code & 0xff) == SQLITE_ERROR ? SQLITE_CORRUPT : code;
  reader.file_.fail(means, sqlite3_errmsg(reader.connection_));
}

Query::~Query() {
  sqlite3_finalize(statement_);
}

Query::Run::Run(Query& query, Values values) : lock_(query.reader_.mutex_), statement_(query.statement_) {
  int place = 0;
  for (const Value& value : values) {
    const int code = std::visit(Bind{statement_, ++place}, value);
    if (code != SQLITE_OK) query.reader_.file_.fail(code, sqlite3_errmsg(query.reader_.connection_));
  }
}

Query::Run::~Run() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
}

bool Query::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  reader_.file_.fail(code, sqlite3_errmsg(reader_.connection_));
}

}  // namespace store
