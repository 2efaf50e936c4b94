// Look-ups on a connection of their own. In WAL mode they see every commit that has returned and never wait for a
// writer's fsync.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>

#include "store/statement.h"

namespace store {

/// The connection. `file` outlives it.
class Reader {
 public:
  Reader(const StateFile& file, std::chrono::milliseconds busy);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// Many look-ups at one state of the file, for one lock of it and one look at what has changed. Nobody else looks
  /// anything up meanwhile: short. Throws like a look-up.
  class Snapshot {
   public:
    explicit Snapshot(Reader& reader);
    ~Snapshot();
    Snapshot(const Snapshot&) = delete;
    Snapshot& operator=(const Snapshot&) = delete;

   private:
    Reader& reader_;
    const std::lock_guard<std::mutex> lock_;
  };

 private:
  friend class Query;
  const StateFile& file_;
  std::mutex mutex_;
  sqlite3* connection_ = nullptr;  // guarded by mutex_, with all its statements
};

/// One look-up. `reader` outlives it. Any thread. Throws mail::FaultError, or DamagedError.
class Query {
 public:
  /// `sql` is a literal.
  Query(Reader& reader, const char* sql)
      : sql(sql), reader_(reader), statement_(reader.file_, reader.connection_, sql) {}

  const char* const sql;

  /// Shows each row to `show`, which must not use this reader.
  template <typename RowFunction>
  void each(Values values, RowFunction show) {
    const std::lock_guard lock(reader_.mutex_);
    Statement::Run run(statement_, values);
    while (run.step()) show(run.row());
  }
  /// Shows the first row; false: there is none.
  template <typename RowFunction>
  bool one(Values values, RowFunction show) {
    const std::lock_guard lock(reader_.mutex_);
    return first(values, show);
  }
  template <typename RowFunction>
  bool one(const Reader::Snapshot&, Values values, RowFunction show) {
    return first(values, show);
  }

 private:
  template <typename RowFunction>
  bool first(Values values, RowFunction show) {
    Statement::Run run(statement_, values);
    if (!run.step()) return false;
    show(run.row());
    return true;
  }

  Reader& reader_;
  Statement statement_;
};

}  // namespace store
