#include "runtime/event_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
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
  torn_ = size > 0 && ::pread(fd_, &last, 1, size - 1) == 1 && last != '\n';
}

void EventWriter::write(const base::Json& event) {
  write_lines(writes_text() ? event.dump() + "\n" : std::string(), {&event, 1});
}

void EventWriter::write_lines(std::string_view lines, std::span<const base::Json> shown) {
  const std::lock_guard lock(mutex_);
  if (observer_ && !shown.empty()) observer_(shown);
  if (writes_text()) append(lines);
}

void EventWriter::append(std::string_view lines) {
  // A line that was not written whole is ended first: it must not spoil the next one.
  std::string ended;
  if (torn_) lines = ended.append("\n").append(lines);
  while (!lines.empty()) {
    const ssize_t n = ::write(fd_, lines.data(), lines.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int code = errno;
      const bool nothing_written =
          !ended.empty() && lines.data() == ended.data();  // the first end is of an earlier line
      lost_ += static_cast<std::size_t>(std::count(lines.begin(), lines.end(), '\n') - (nothing_written ? 1 : 0));
      throw base::FileError("write", path_, code);
    }
    const auto written = static_cast<std::size_t>(n);
    if (written > 0) torn_ = lines[written - 1] != '\n';
    lines.remove_prefix(written);
  }
}

}  // namespace runtime
