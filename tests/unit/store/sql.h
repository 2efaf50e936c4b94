// The file as others see it: by SQLite's own hands, and as bytes (only while no store has it open: closing a descriptor
// of the file would drop SQLite's locks).
#pragma once

#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

namespace sql {

/// Every column of every row, one after the other.
inline std::vector<std::string> rows(const std::filesystem::path& file, const std::string& script) {
  sqlite3* connection = nullptr;
  std::vector<std::string> values;
  const auto collect = [](void* to, int count, char** texts, char**) {
    for (int i = 0; i < count; ++i)
      static_cast<std::vector<std::string>*>(to)->emplace_back(texts[i] == nullptr ? "" : texts[i]);
    return 0;
  };
  int code = sqlite3_open(file.c_str(), &connection);
  if (code == SQLITE_OK) code = sqlite3_exec(connection, script.c_str(), collect, &values, nullptr);
  const std::string message = sqlite3_errmsg(connection);
  sqlite3_close(connection);
  if (code != SQLITE_OK) throw std::runtime_error(message);
  return values;
}

inline void run(const std::filesystem::path& file, const std::string& script) {
  rows(file, script);
}

inline std::string contents(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

inline void overwrite(const std::filesystem::path& file, std::size_t offset, const std::string& bytes) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(offset));
  stream << bytes;
  if (!stream.flush()) throw std::runtime_error("cannot overwrite");
}

}  // namespace sql
