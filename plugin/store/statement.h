// A statement of SQLite's C API, compiled once and run often. Poco Data compiles at every execution, which is two
// thirds of the work of a small write.
#pragma once

#include <cstdint>
#include <string>

#include "store/value.h"

struct sqlite3;
struct sqlite3_stmt;

namespace store {

class StateFile;

/// One row, valid until the next step. Columns count from 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t number(int column) const;
  std::string text(int column) const;  ///< bytes of a blob likewise
  bool flag(int column) const { return number(column) != 0; }

 private:
  sqlite3_stmt* statement_;
};

/// Guarded by what guards its connection, which outlives it, as `file` does. Throws mail::FaultError, or DamagedError.
class Statement {
 public:
  /// DamagedError when the tables are not those of the statement.
  Statement(const StateFile& file, sqlite3* connection, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// One run, from its values to the last row wanted. One at a time.
  class Run {
   public:
    Run(Statement& statement, Values values);  ///< `values` live as long as the run
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;
    bool step();  ///< false: there are no more rows
    Row row() const { return Row(statement_.handle_); }

   private:
    Statement& statement_;
  };

 private:
  [[noreturn]] void fail(int code) const;

  const StateFile& file_;
  sqlite3* const connection_;
  sqlite3_stmt* handle_ = nullptr;
};

}  // namespace store
