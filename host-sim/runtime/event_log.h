// The events of the mails that came in, one behind the other in a file that only grows: written once, where SQLite
// would write each twice, to its log and to its file.
#ifndef HOST_SIM_RUNTIME_EVENT_LOG_H_
#define HOST_SIM_RUNTIME_EVENT_LOG_H_

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "base/json.h"

namespace runtime {

// Where an event stands in the log, in bytes.
struct Place {
  std::int64_t from = 0, size = 0;
};

// Use from one thread at a time. All functions throw StoreError with the file's name.
class EventLog {
 public:
  enum class Open { kCreate, kExisting /* to read; it may be missing */ };
  // Private (0600) when created.
  EventLog(const std::filesystem::path& path, Open open);

  // Where the next one will stand. What a killed process began to write and never named stays where it is.
  std::int64_t end() const { return end_; }
  // Each of `events` and a line break. On disk when it returns; when it throws, the next one stands in its place.
  void append(const std::vector<std::string_view>& events);
  // The event that stands there, which is that of `delivery_id`.
  base::Json read(const Place& place, std::string_view delivery_id) const;

 private:
  [[noreturn]] void fail(std::string_view doing, std::string_view reason) const;

  const std::filesystem::path path_;
  base::Fd file_;
  std::int64_t end_ = 0;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_EVENT_LOG_H_
