#include "store/writer.h"

#include <Poco/AutoPtr.h>
#include <Poco/Data/SQLite/SessionImpl.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Data/Session.h>
#include <Poco/Data/Statement.h>
#include <Poco/Exception.h>
#include <sqlite3.h>

#include <map>
#include <optional>
#include <string_view>

#include "store/state_file.h"
#include "store/statement.h"

namespace store {
namespace {

using Poco::Data::Keywords::into;
using Poco::Data::Keywords::now;

}  // namespace

struct Writer::State {
  explicit State(const StateFile& the_file) : file(the_file) {}

  const StateFile& file;
  std::mutex mutex;
  // Guarded by mutex.
  std::optional<Poco::Data::Session> session;
  sqlite3* handle = nullptr;

  std::optional<Durable> durable;              ///< what the connection is set to
  std::map<std::string_view, Statement> kept;  ///< by their text; gone before the session

  /// Runs `action`, which has let go of its statement when it fails; says what went wrong in our words.
  template <typename Action>
  void guarded(Action action) {
    try {
      action();
    } catch (const Poco::Exception& error) {
      // Poco's classes are coarser than SQLite's codes, which the connection still knows (feasibility, section 4).
      const int code = handle != nullptr ? sqlite3_extended_errcode(handle) : SQLITE_CANTOPEN;
      const bool known = code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE;
      if (known && handle != nullptr) file.fail(code, sqlite3_errmsg(handle));
      file.fail(known ? code : SQLITE_ERROR, error.displayText());
    }
  }

  Statement& statement(const char* sql) {
    const auto place = kept.find(sql);
    return place != kept.end() ? place->second : kept.try_emplace(sql, file, handle, sql).first->second;
  }

  void run(const char* sql, Values values) {
    Statement::Run run(statement(sql), values);
    while (run.step()) {
    }
  }

  void execute(const std::string& sql) {
    guarded([&] { *session << sql, now; });
  }

  /// Not inside a transaction. In WAL mode "normal" leaves out the fsync of a commit, and nothing else
  /// (https://www.sqlite.org/pragma.html#pragma_synchronous).
  void set(Durable wanted) {
    if (durable == wanted) return;
    durable.reset();
    const char* const sql = wanted == Durable::at_commit ? "pragma synchronous = full" : "pragma synchronous = normal";
    const int code = sqlite3_exec(handle, sql, nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) file.fail(code, sqlite3_errmsg(handle));
    durable = wanted;
  }
};

// The session is made without Poco's registry of connectors, which is the host's too.
Writer::Writer(const StateFile& file, std::chrono::milliseconds busy) : state_(std::make_unique<State>(file)) {
  State& state = *state_;
  state.guarded([&] {
    const Poco::AutoPtr<Poco::Data::SessionImpl> opened(new Poco::Data::SQLite::SessionImpl(file.path().string()));
    state.session.emplace(opened);
    state.handle = Poco::Data::SQLite::Utility::dbHandle(*state.session);
  });
  sqlite3_extended_result_codes(state.handle, 1);
  sqlite3_busy_timeout(state.handle, static_cast<int>(busy.count()));  // Poco's own is a minute
}

Writer::~Writer() = default;

std::string Writer::ask(const std::string& sql) {
  const std::lock_guard lock(state_->mutex);
  std::string answer;
  state_->guarded([&] { *state_->session << sql, into(answer), now; });
  return answer;
}

std::int64_t Writer::ask_number(const std::string& sql) {
  const std::lock_guard lock(state_->mutex);
  Poco::Int64 answer = 0;
  state_->guarded([&] { *state_->session << sql, into(answer), now; });
  return answer;
}

void Writer::make_durable() {
  if (const std::string mode = ask("pragma journal_mode = wal"); mode != "wal") {
    throw mail::FaultError(state_->file.fault(
        mail::Remedy::administrator, " cannot have a write-ahead log: its folder must be on a disk of this machine"));
  }
  const std::lock_guard lock(state_->mutex);
  state_->set(Durable::at_commit);
  state_->execute("pragma foreign_keys = on");
  state_->execute("pragma journal_size_limit = 16777216");  // bytes the log keeps when a burst is over
}

void Writer::settle() {
  const std::lock_guard lock(state_->mutex);
  state_->execute("pragma temp_store = memory");
  state_->execute("pragma cache_size = -1024");  // KiB, full within minutes: a host's memory shall not grow for an hour
}

void Writer::leave_untouched() {
  const std::lock_guard lock(state_->mutex);
  sqlite3_db_config(state_->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Writer::Transaction::Transaction(Writer& writer, Durable durable) : state_(*writer.state_), lock_(state_.mutex) {
  state_.set(durable);
  state_.run("begin immediate", {});
}

Writer::Transaction::~Transaction() {
  // SQLite has undone some by itself, after a full disk for one.
  if (open_ && sqlite3_get_autocommit(state_.handle) == 0)
    sqlite3_exec(state_.handle, "rollback", nullptr, nullptr, nullptr);
}

std::size_t Writer::Transaction::run(const char* sql, Values values) {
  const auto before = sqlite3_total_changes64(state_.handle);
  state_.run(sql, values);
  return static_cast<std::size_t>(sqlite3_total_changes64(state_.handle) - before);
}

void Writer::Transaction::execute(const std::string& sql) {
  state_.execute(sql);
}

Writer::Look::Look(Writer& writer) : state_(*writer.state_), lock_(state_.mutex, std::try_to_lock) {
  if (lock_) state_.run("begin", {});
}

Writer::Look::~Look() {
  if (lock_ && sqlite3_get_autocommit(state_.handle) == 0)
    sqlite3_exec(state_.handle, "rollback", nullptr, nullptr, nullptr);
}

bool Writer::Look::one(const char* sql, Values values, const std::function<void(const Row&)>& show) {
  Statement::Run run(state_.statement(sql), values);
  if (!run.step()) return false;
  show(run.row());
  return true;
}

void Writer::Transaction::commit() {
  state_.run("commit", {});
  open_ = false;
}

}  // namespace store
