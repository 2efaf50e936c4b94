#include "runtime/event_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <span>
#include <string>
#include <system_error>

#include "base/utf8.h"
#include "runtime/sqlite.h"

namespace runtime {
namespace {

std::string reason_of(int code) {
  return std::generic_category().message(code);
}

}  // namespace

EventLog::EventLog(const std::filesystem::path& path, Open open) : path_(path) {
  const int flags = open == Open::kCreate ? O_RDWR | O_CREAT : O_RDONLY;
  file_ = base::Fd(::open(path_.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (file_.get() < 0) {
    if (open == Open::kExisting && errno == ENOENT) return;
    fail("open", reason_of(errno));
  }
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) fail("open", reason_of(errno));
  end_ = info.st_size;
  if (open == Open::kExisting || end_ > 0) return;
  try {
    base::sync_directory(path_.has_parent_path() ? path_.parent_path() : std::filesystem::path("."));
  } catch (const base::FileError& error) {
    throw StoreError(0, error.what());
  }
}

void EventLog::append(const std::vector<std::string_view>& events) {
  static char line_break = '\n';
  std::vector<iovec> pieces;
  pieces.reserve(2 * events.size());
  for (const std::string_view event : events) {
    pieces.push_back({const_cast<char*>(event.data()), event.size()});  // the kernel only reads them
    pieces.push_back({&line_break, 1});
  }
  std::int64_t at = end_;
  for (std::span<iovec> rest = pieces; !rest.empty();) {
    const std::size_t count = std::min<std::size_t>(rest.size(), IOV_MAX);
    ssize_t n = ::pwritev(file_.get(), rest.data(), static_cast<int>(count), at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const std::string reason = reason_of(errno);
      // What was written of it takes room that others need, on a full disk first of all.
      [[maybe_unused]] const int ignored = ::ftruncate(file_.get(), end_);
      fail("write", reason);
    }
    at += n;
    for (; !rest.empty() && n >= static_cast<ssize_t>(rest.front().iov_len); rest = rest.subspan(1))
      n -= static_cast<ssize_t>(rest.front().iov_len);
    if (n > 0) {  // within this one
      rest.front().iov_base = static_cast<char*>(rest.front().iov_base) + n;
      rest.front().iov_len -= static_cast<std::size_t>(n);
    }
  }
  if (::fdatasync(file_.get()) != 0) fail("write", reason_of(errno));
  end_ = at;
}

base::Json EventLog::read(const Place& place, std::string_view delivery_id) const {
  if (file_.get() < 0) fail("read", "it is missing");
  if (place.from < 0 || place.size < 0 || place.size > INT64_MAX - place.from)
    fail("read", "a row names no place in it");
  struct stat info {};
  if (::fstat(file_.get(), &info) != 0) fail("read", reason_of(errno));
  if (place.from + place.size > info.st_size) fail("read", "its end is missing");
  std::string bytes(static_cast<std::size_t>(place.size), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t n =
        ::pread(file_.get(), bytes.data() + done, bytes.size() - done, place.from + static_cast<std::int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) fail("read", n < 0 ? reason_of(errno) : "its end is missing");
    done += static_cast<std::size_t>(n);
  }
  try {
    base::Json event = base::Json::parse(bytes);
    // An id that is not UTF-8 stands in the event as JSON can have it.
    if (event.text("delivery_id") != base::to_valid_utf8(delivery_id))
      fail("read", "another mail stands where one is looked for");
    return event;
  } catch (const base::JsonError& error) {
    fail("read", std::string("it is damaged (") + error.what() + ")");  // we wrote it whole
  }
}

void EventLog::fail(std::string_view doing, std::string_view reason) const {
  throw StoreError(0, "cannot " + std::string(doing) + " " + path_.string() + ": " + std::string(reason));
}

}  // namespace runtime
