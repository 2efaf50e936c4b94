#include "store/reader.h"

#include <sqlite3.h>

#include <string>

#include "store/state_file.h"

namespace store {

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
  // In KiB: the tops of the trees. More is of no use, for each commit of the writer empties it.
  sqlite3_exec(connection_, "pragma cache_size = -1024", nullptr, nullptr, nullptr);
}

Reader::~Reader() {
  sqlite3_close(connection_);
}

Reader::Snapshot::Snapshot(Reader& reader) : reader_(reader), lock_(reader.mutex_) {
  const int code = sqlite3_exec(reader_.connection_, "begin", nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) reader_.file_.fail(code, sqlite3_errmsg(reader_.connection_));
}

Reader::Snapshot::~Snapshot() {
  if (sqlite3_get_autocommit(reader_.connection_) == 0)
    sqlite3_exec(reader_.connection_, "rollback", nullptr, nullptr, nullptr);
}

}  // namespace store
