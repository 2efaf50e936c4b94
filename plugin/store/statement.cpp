#include "store/statement.h"

#include <sqlite3.h>

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

std::int64_t Row::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::string Row::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const int size = sqlite3_column_bytes(statement_, column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<std::size_t>(size));
}

Statement::Statement(const StateFile& file, sqlite3* connection, const char* sql)
    : file_(file), connection_(connection) {
  const int code = sqlite3_prepare_v3(connection, sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr);
  // SQLITE_ERROR is our number on a file without our tables: somebody changed it.
  if (code != SQLITE_OK) fail((code & 0xff) == SQLITE_ERROR ? SQLITE_CORRUPT : code);
}

Statement::~Statement() {
  sqlite3_finalize(handle_);
}

void Statement::fail(int code) const {
  file_.fail(code, sqlite3_errmsg(connection_));
}

Statement::Run::Run(Statement& statement, Values values) : statement_(statement) {
  int place = 0;
  for (const Value& value : values) {
    const int code = std::visit(Bind{statement.handle_, ++place}, value);
    if (code != SQLITE_OK) statement.fail(code);
  }
}

Statement::Run::~Run() {
  sqlite3_reset(statement_.handle_);
  sqlite3_clear_bindings(statement_.handle_);
}

bool Statement::Run::step() {
  const int code = sqlite3_step(statement_.handle_);
  if (code != SQLITE_ROW && code != SQLITE_DONE) statement_.fail(code);
  return code == SQLITE_ROW;
}

}  // namespace store
