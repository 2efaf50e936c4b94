// The one connection that writes. Poco Data opens it, sets it up and makes the tables; the few statements that every
// mail needs are kept compiled (statement.h).
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "store/statement.h"
#include "store/value.h"

namespace store {

class StateFile;

/// Any thread; one transaction at a time. `file` outlives it. Every function throws mail::FaultError, or DamagedError.
class Writer {
  struct State;

 public:
  /// Opens the file as it is and changes nothing yet.
  Writer(const StateFile& file, std::chrono::milliseconds busy);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// The first column of the first row, as text; for pragmas and checks.
  std::string ask(const std::string& sql);
  std::int64_t ask_number(const std::string& sql);
  /// From here on each commit is on disk when it returns, unless its transaction says otherwise.
  void make_durable();
  /// For daily work, once the tables are there: what is only for a moment stays in memory, and memory stays small.
  void settle();
  /// The file shall stay as it is: the log of changes is not worked into it at the end.
  void leave_untouched();

  enum class Durable {
    at_commit,  ///< on disk when commit() returns
    /// Seen by everybody at once and kept when this process dies, but on disk only with the next commit of the other
    /// kind: for what may be done once more after a loss of power. The order of commits is kept.
    with_next,
  };

  /// Begins with a lock on the file, so that it cannot fail for want of one in the middle (feasibility, section 4:
  /// Poco's own begin() can). Undone by the destructor unless committed.
  class Transaction {
   public:
    explicit Transaction(Writer& writer, Durable durable = Durable::at_commit);
    ~Transaction();
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;

    /// How many rows it changed. `sql` is a literal: its statement is kept.
    std::size_t run(const char* sql, Values values);
    /// One that comes once.
    void execute(const std::string& sql);
    void commit();

   private:
    State& state_;
    const std::lock_guard<std::mutex> lock_;
    bool open_ = true;
  };

  /// Look-ups on this connection while nobody writes: it knows most of the file, while a reader's memory of it ends
  /// with each commit. Not usable, and at no cost, when somebody writes. At one state of the file; short.
  class Look {
   public:
    explicit Look(Writer& writer);
    ~Look();
    Look(const Look&) = delete;
    Look& operator=(const Look&) = delete;
    explicit operator bool() const { return lock_.owns_lock(); }

    /// Shows the first row; false: there is none. `sql` is a literal: its statement is kept.
    bool one(const char* sql, Values values, const std::function<void(const Row&)>& show);

   private:
    State& state_;
    const std::unique_lock<std::mutex> lock_;
  };

 private:
  std::unique_ptr<State> state_;
};

}  // namespace store
