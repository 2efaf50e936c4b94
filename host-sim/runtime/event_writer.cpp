#include "runtime/event_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace runtime {

EventWriter::EventWriter(const std::optional<std::filesystem::path>& where) {
  if (!where) return;
  if (*where == "-") {
    path_ = "standard output";
    fd_ = STDOUT_FILENO;
    return;
  }
  path_ = *where;
  file_ = base::Fd(::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600));
  if (file_.get() < 0) throw base::FileError("open", path_, errno);
  fd_ = file_.get();
  const off_t size = ::lseek(fd_, 0, SEEK_END);
  char last = '\n';
  if (size > 0 && ::pread(fd_, &last, 1, size - 1) == 1 && last != '\n') base::write_all(fd_, "\n", path_);
}

void EventWriter::write(const base::Json& event) {
  if (fd_ < 0 && !observer_) return;
  const std::string line = fd_ < 0 ? std::string() : event.dump() + "\n";
  const std::lock_guard lock(mutex_);
  if (observer_) observer_(event);
  if (fd_ < 0) return;
  try {
    base::write_all(fd_, line, path_);
  } catch (const base::FileError&) {
    ++lost_;
    throw;
  }
}

}  // namespace runtime
