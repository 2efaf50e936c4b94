// --events: one JSON object a line.
#ifndef HOST_SIM_RUNTIME_EVENT_WRITER_H_
#define HOST_SIM_RUNTIME_EVENT_WRITER_H_

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/json.h"

namespace runtime {

// Thread-safe; a line is written whole or, when the disk is full, told by an exception.
class EventWriter {
 public:
  // nullopt: events go nowhere. "-": standard output. Else a file that is appended to (0600 when created); a line that
  // a killed process left half-written is ended first. Throws base::FileError.
  explicit EventWriter(const std::optional<std::filesystem::path>& where);

  // Shows every event to `observer` too, or as much of it as the writer has; of one write at a time. Before the first
  // event.
  using Observer = std::function<void(std::span<const base::Json>)>;
  void observe(Observer observer) { observer_ = std::move(observer); }
  bool observed() const { return observer_ != nullptr; }
  // False: nobody reads what is written as text.
  bool writes_text() const { return fd_ >= 0; }

  // How many events could not be written, and where to.
  std::size_t lost() const { return lost_; }
  std::string where() const { return path_.string(); }

  // Throws base::FileError.
  void write(const base::Json& event);
  // Several together: `lines` as text, each with its end, and what an observer is shown of each. Throws
  // base::FileError; those that are not whole in the file then count as lost.
  void write_lines(std::string_view lines, std::span<const base::Json> shown);

 private:
  void append(std::string_view lines);

  std::filesystem::path path_;
  base::Fd file_;
  int fd_ = -1;
  Observer observer_;
  std::atomic<std::size_t> lost_{0};
  std::mutex mutex_;
  bool torn_ = false;  // guarded by mutex_: the last line has no end
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_EVENT_WRITER_H_
