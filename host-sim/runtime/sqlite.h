// SQLite's C interface with owners and exceptions; no more than the host's tables need.
#ifndef HOST_SIM_RUNTIME_SQLITE_H_
#define HOST_SIM_RUNTIME_SQLITE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/json.h"

struct sqlite3;
struct sqlite3_stmt;

namespace runtime {

// What SQLite refused, with the file's name.
class StoreError : public std::runtime_error {
 public:
  StoreError(int code, const std::string& what) : std::runtime_error(what), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

// Once in this process, before anybody opens a database: without statistics of its memory, for which each piece that
// SQLite takes or gives back, here and in plugins, would pass one lock of the whole process.
void prepare_sqlite();

class Database;

// One prepared statement; parameters and columns count from 1 and 0, as SQLite has it. Use from one thread at a time.
class Statement {
 public:
  Statement(Database& database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(int index, std::string_view text);
  // A text that stays where it is until the statement has run.
  Statement& bind_borrowed(int index, std::string_view text);
  Statement& bind(int index, std::int64_t number);
  Statement& bind(int index, const std::optional<std::int64_t>& number);
  // True while there is a row. Throws StoreError.
  bool step();
  // For a statement without rows.
  void run();
  // Ready to be bound and run again. A statement that is kept is reset when it is through, or it holds on to its rows.
  void reset();
  std::string text(int column) const;
  // Of a column that holds JSON of our own. Throws StoreError when it is damaged.
  base::Json json(int column) const;
  std::int64_t number(int column) const;
  bool is_null(int column) const;

 private:
  Database& database_;
  sqlite3_stmt* statement_ = nullptr;
};

// Resets a kept statement at the end.
class StatementUse {
 public:
  explicit StatementUse(Statement& statement) : statement_(statement) {}
  ~StatementUse() { statement_.reset(); }
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;
  Statement* operator->() const { return &statement_; }

 private:
  Statement& statement_;
};

// Used from one thread at a time, with its statements.
class Database {
 public:
  enum class Open { kCreate, kExisting };
  // Private (0600) when created. Throws StoreError.
  Database(const std::filesystem::path& path, Open open);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  void execute(const char* sql);
  std::int64_t last_row_id() const;
  // How many rows the last statement changed.
  std::int64_t changes() const;
  [[noreturn]] void fail(int code, std::string_view doing) const;

 private:
  friend class Statement;
  const std::string name_;
  sqlite3* handle_ = nullptr;
};

// begin immediate ... commit; rolls back when not committed.
class Transaction {
 public:
  explicit Transaction(Database& database) : database_(database) { database_.execute("BEGIN IMMEDIATE"); }
  ~Transaction();
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_SQLITE_H_
