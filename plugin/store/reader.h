// Prepared look-ups on a connection of their own. In WAL mode they see every commit that has returned and never wait
// for a writer's fsync. SQLite's C API: a look-up costs a quarter of Poco's (feasibility, section 4).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "store/value.h"

struct sqlite3;
struct sqlite3_stmt;

namespace store {

class StateFile;

/// The connection. `file` outlives it.
class Reader {
 public:
  Reader(const StateFile& file, std::chrono::milliseconds busy);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

 private:
  friend class Query;
  const StateFile& file_;
  std::mutex mutex_;
  sqlite3* connection_ = nullptr;  // guarded by mutex_, with all its statements
};

/// One row, valid inside the call that shows it. Columns count from 0.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  std::int64_t number(int column) const;
  std::string text(int column) const;  ///< bytes of a blob likewise
  bool flag(int column) const { return number(column) != 0; }

 private:
  sqlite3_stmt* statement_;
};

/// One statement, compiled once. `reader` outlives it. Any thread.
class Query {
 public:
  /// DamagedError when the tables are not those of the statement.
  Query(Reader& reader, const char* sql);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  /// Shows each row to `row`, which must not use this reader. Throws mail::FaultError.
  template <typename RowFunction>
  void each(Values values, RowFunction row) {
    const Run run(*this, values);
    while (step()) row(Row(statement_));
  }
  /// The first row, through `row`; false: there is none.
  template <typename RowFunction>
  bool one(Values values, RowFunction row) {
    const Run run(*this, values);
    if (!step()) return false;
    row(Row(statement_));
    return true;
  }

 private:
  class Run {  // holds the connection; leaves the statement ready for the next
   public:
    Run(Query& query, Values values);
    ~Run();
    Run(const Run&) = delete;
    Run& operator=(const Run&) = delete;

   private:
    std::unique_lock<std::mutex> lock_;
    sqlite3_stmt* statement_;
  };
  bool step();

  Reader& reader_;
  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace store
