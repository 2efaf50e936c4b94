#include "scenarios/state_file.h"

#include <sqlite3.h>

#include <algorithm>
#include <ctime>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace bench {
namespace {

struct Close {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, Close>;

class Database {
 public:
  explicit Database(const std::filesystem::path& file) {
    sqlite3* db = nullptr;
    const int code = sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READWRITE, nullptr);
    db_.reset(db);
    if (code != SQLITE_OK) fail();
  }

  void execute(const std::string& sql) {
    if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) fail();
  }

  Statement prepare(const std::string& sql) {
    sqlite3_stmt* statement = nullptr;
    if (sqlite3_prepare_v2(db_.get(), sql.c_str(), -1, &statement, nullptr) != SQLITE_OK) fail();
    return Statement(statement);
  }

  std::uint64_t number(const std::string& sql) {
    const Statement statement = prepare(sql);
    if (sqlite3_step(statement.get()) != SQLITE_ROW) fail();
    return static_cast<std::uint64_t>(sqlite3_column_int64(statement.get(), 0));
  }

 private:
  [[noreturn]] void fail() { throw std::runtime_error(std::string("the state file: ") + sqlite3_errmsg(db_.get())); }

  std::unique_ptr<sqlite3, Close> db_;
};

/// Of this thread: others share the machine.
double cpu_us() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

bool has_receipts(const std::filesystem::path& file) {
  try {
    return Database(file).number("select count(*) from sqlite_schema where name = 'receipt'") == 1;
  } catch (const std::runtime_error&) {
    return false;  // another file
  }
}

}  // namespace

std::filesystem::path find_state_file(const std::filesystem::path& folder) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && has_receipts(entry.path())) return entry.path();
  }
  throw std::runtime_error("no file with receipts below " + folder.string() + ": the plugin keeps them in another way");
}

std::uint64_t receipts_in(const std::filesystem::path& file) {
  return Database(file).number("select count(*) from receipt");
}

void fill_receipts(const std::filesystem::path& file, std::uint64_t count) {
  Database db(file);
  const std::uint64_t streams = db.number("select count(distinct stream) from receipt");
  const std::uint64_t have = db.number("select count(*) from receipt");
  if (streams == 0 || have >= count) return;
  // What makes a receipt that of another mail; all else is copied from the first one of its stream.
  std::string columns, values;
  const Statement names = db.prepare("select name from pragma_table_info('receipt')");
  while (sqlite3_step(names.get()) == SQLITE_ROW) {
    const std::string name = reinterpret_cast<const char*>(sqlite3_column_text(names.get(), 0));
    columns += (columns.empty() ? "" : ", ") + name;
    const std::string other = name == "likeness" ? "randomblob(16)"
                              : name == "near"   ? "r.near + abs(random() % 100000000)"
                              : name == "mail"   ? "'+' || hex(randomblob(12))"
                                                 : "r." + name;
    values += (values.empty() ? "" : ", ") + other;
  }
  const std::uint64_t each = (count - have + streams - 1) / streams;
  db.execute("pragma journal_mode = off; pragma synchronous = off; begin");
  db.execute("create temp table model as select * from receipt group by stream");
  db.execute("with recursive n(i) as (select 1 union all select i + 1 from n where i < " + std::to_string(each) +
             ") insert into receipt(" + columns + ") select " + values + " from n cross join model r");
  db.execute("commit; pragma journal_mode = wal");
}

double lookup_us(const std::filesystem::path& file, int looks) {
  Database db(file);
  std::vector<std::pair<sqlite3_int64, std::string>> keys;
  // Rows from all over the file, half of them with an id that is not there.
  const Statement sample = db.prepare("select stream, mail from receipt where abs(random()) % 100 < 2 limit ?");
  sqlite3_bind_int(sample.get(), 1, looks);
  while (sqlite3_step(sample.get()) == SQLITE_ROW) {
    std::string id(reinterpret_cast<const char*>(sqlite3_column_text(sample.get(), 1)),
                   static_cast<std::size_t>(sqlite3_column_bytes(sample.get(), 1)));
    if (keys.size() % 2 == 1) id.back() = '-';
    keys.emplace_back(sqlite3_column_int64(sample.get(), 0), std::move(id));
  }
  if (keys.empty()) throw std::runtime_error("the state file: no receipts");
  std::shuffle(keys.begin(), keys.end(), std::mt19937(1));
  db.execute("pragma cache_size = -1024");  // as much as the plugin gives it
  const Statement look = db.prepare("select decision from receipt where stream = ? and mail = ?");
  const double begun = cpu_us();
  for (const auto& [stream, id] : keys) {
    sqlite3_bind_int64(look.get(), 1, stream);
    sqlite3_bind_text(look.get(), 2, id.data(), static_cast<int>(id.size()), SQLITE_STATIC);
    sqlite3_step(look.get());
    sqlite3_reset(look.get());
  }
  return (cpu_us() - begun) / static_cast<double>(keys.size());
}

std::uint64_t log_size(const std::filesystem::path& file) {
  std::error_code none;
  const std::uint64_t size = std::filesystem::file_size(file.string() + "-wal", none);
  return none ? 0 : size;
}

std::uint64_t size_of(const std::filesystem::path& file) {
  return std::filesystem::file_size(file) + log_size(file);
}

}  // namespace bench
