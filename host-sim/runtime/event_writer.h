// --events: one JSON object a line.
#ifndef HOST_SIM_RUNTIME_EVENT_WRITER_H_
#define HOST_SIM_RUNTIME_EVENT_WRITER_H_

#include <atomic>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "base/file.h"
#include "base/json.h"

namespace runtime {

// Thread-safe; a line is written whole or, when the disk is full, told by an exception.
class EventWriter {
 public:
  // nullopt: events go nowhere. "-": standard output. Else a file that is appended to (0600 when created); a line that
  // a killed process left half-written is ended first. Throws base::FileError.
  explicit EventWriter(const std::optional<std::filesystem::path>& where);

  // Shows every event to `observer` too, one at a time. Before the first event.
  void observe(std::function<void(const base::Json&)> observer) { observer_ = std::move(observer); }

  // How many events could not be written, and where to.
  std::size_t lost() const { return lost_; }
  std::string where() const { return path_.string(); }

  // Throws base::FileError.
  void write(const base::Json& event);

 private:
  std::filesystem::path path_;
  base::Fd file_;
  int fd_ = -1;
  std::function<void(const base::Json&)> observer_;
  std::atomic<std::size_t> lost_{0};
  std::mutex mutex_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_EVENT_WRITER_H_
