#include "store/state_file.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <thread>

namespace store {
namespace {

namespace fs = std::filesystem;

constexpr mode_t private_file = S_IRUSR | S_IWUSR;
constexpr mode_t private_folder = S_IRWXU;

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

fs::path with_suffix(const fs::path& path, std::string_view suffix) {
  fs::path longer = path;
  longer += suffix;
  return longer;
}

// A name in a folder is on disk when the folder is.
void sync_folder(const fs::path& dir) {
  const Descriptor folder(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() >= 0) ::fsync(folder.get());
}

std::string stamp(mail::WallTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &utc)};
}

std::string start_of(int fd) {
  std::array<char, 24> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  return {text.data(), size > 0 ? static_cast<std::size_t>(size) : 0};
}

bool exists_with_content(const fs::path& path) {
  std::error_code error;
  const auto size = fs::file_size(path, error);
  return !error && size > 0;
}

}  // namespace

StateFile::StateFile(const fs::path& dir, std::chrono::milliseconds patience) {
  std::error_code error;
  fs::path absolute = fs::absolute(dir, error);
  if (error) absolute = dir;
  path_ = absolute / "m365.db";
  lock_path_ = absolute / "m365.lock";
  suspect_path_ = absolute / "m365.db.suspect";
  make_folder(absolute);
  lock(patience);
}

StateFile::~StateFile() {
  ::close(lock_);
}

void StateFile::make_folder(const fs::path& dir) const {
  std::error_code error;
  if (fs::is_directory(dir, error)) return;
  if (dir.has_parent_path() && dir.parent_path() != dir) make_folder(dir.parent_path());
  if (::mkdir(dir.c_str(), private_folder) != 0) {
    if (errno == EEXIST && fs::is_directory(dir, error)) return;
    fail_with_errno(dir, "cannot be made");
  }
  if (::chmod(dir.c_str(), private_folder) != 0) fail_with_errno(dir, "cannot be made private");
}

void StateFile::lock(std::chrono::milliseconds patience) {
  lock_ = ::open(lock_path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file);
  if (lock_ < 0) fail_with_errno(lock_path_, "cannot be opened");
  ::fchmod(lock_, private_file);
  constexpr std::chrono::milliseconds step(10);
  for (;; patience -= step) {
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0) break;
    const int why = errno;
    const std::string holder = start_of(lock_);
    if (why == EINTR || (why == EWOULDBLOCK && holder == std::to_string(::getpid()) && patience.count() > 0)) {
      std::this_thread::sleep_for(step);
      continue;
    }
    ::close(lock_);
    errno = why;
    if (why != EWOULDBLOCK) fail_with_errno(lock_path_, "cannot be locked");
    std::string text = " is in use";
    if (!holder.empty()) text.append(" by process ").append(holder);
    text += ": give each host that runs this plugin a state folder of its own";
    throw mail::FaultError(fault(mail::Remedy::administrator, text));
  }
  const std::string own = std::to_string(::getpid());
  if (::ftruncate(lock_, 0) != 0 || ::pwrite(lock_, own.data(), own.size(), 0) < 0) {
    // The number only makes the sentence above better; a full disk is told by the file itself.
  }
}

void StateFile::make_private() const {
  const Descriptor file(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file));
  struct stat now {};
  if (file.get() < 0 || ::fstat(file.get(), &now) != 0) fail_with_errno(path_, "cannot be opened");
  if (!S_ISREG(now.st_mode)) throw mail::FaultError(fault(mail::Remedy::administrator, " is not a file"));
  if ((now.st_mode & 07777) != private_file && ::fchmod(file.get(), private_file) != 0)
    fail_with_errno(path_, "cannot be made private");
  for (const char* suffix : {"-wal", "-shm"}) ::chmod(with_suffix(path_, suffix).c_str(), private_file);
  if (now.st_size == 0) sync_folder(path_.parent_path());
}

bool StateFile::orphaned_log() const {
  return !exists_with_content(path_) && exists_with_content(with_suffix(path_, "-wal"));
}

bool StateFile::left_open() const {
  return exists_with_content(with_suffix(path_, "-wal"));
}

void StateFile::suspect() const noexcept {
  const Descriptor mark(::open(suspect_path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, private_file));
}

bool StateFile::suspected() const {
  return ::access(suspect_path_.c_str(), F_OK) == 0;
}

void StateFile::clear_suspicion() const {
  ::unlink(suspect_path_.c_str());
}

fs::path StateFile::set_aside(mail::WallTime now) const {
  const fs::path wanted = with_suffix(path_, ".damaged-" + stamp(now));
  fs::path aside = wanted;
  std::error_code error;
  for (int again = 2; fs::exists(aside, error) || fs::exists(with_suffix(aside, "-wal"), error); ++again)
    aside = with_suffix(with_suffix(wanted, "."), std::to_string(again));
  // The log of changes first: killed in between, it is not taken for that of a new file.
  for (const char* suffix : {"-wal", "-shm", "-journal", ""}) {
    const fs::path from = with_suffix(path_, suffix);
    if (::rename(from.c_str(), with_suffix(aside, suffix).c_str()) != 0 && errno != ENOENT)
      fail_with_errno(from, "is damaged and cannot be set aside");
  }
  sync_folder(path_.parent_path());
  clear_suspicion();
  return aside;
}

bool StateFile::set_aside_within(std::chrono::hours age) const {
  const std::string prefix = path_.filename().string() + ".damaged-";
  const std::time_t since = std::time(nullptr) - std::chrono::duration_cast<std::chrono::seconds>(age).count();
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path_.parent_path(), error)) {
    struct stat status {};
    if (!entry.path().filename().string().starts_with(prefix)) continue;
    // The time of its renaming: what it holds may be older.
    if (::stat(entry.path().c_str(), &status) == 0 && status.st_ctime >= since) return true;
  }
  return false;
}

mail::Fault StateFile::fault(mail::Remedy remedy, std::string_view text) const {
  mail::Fault fault;
  fault.cause = mail::Cause::state_disk;
  fault.remedy = remedy;
  fault.text = "state file " + path_.string() + std::string(text);
  return fault;
}

void StateFile::fail_with_errno(const fs::path& path, std::string_view doing) const {
  const std::error_code why(errno, std::generic_category());
  mail::Fault fault;
  fault.cause = mail::Cause::state_disk;
  const bool passes = why.value() == ENOSPC || why.value() == EDQUOT || why.value() == EIO || why.value() == EMFILE ||
                      why.value() == ENFILE || why.value() == ENOMEM;
  fault.remedy = passes ? mail::Remedy::wait : mail::Remedy::administrator;
  fault.text = path.string() + " " + std::string(doing) + ": " + why.message();
  throw mail::FaultError(std::move(fault));
}

void StateFile::fail_damaged(const std::string& damage) const {
  throw DamagedError(
      fault(mail::Remedy::administrator, damage + ": restart the host, the file is then set aside and a new one begun"),
      "state file " + path_.string() + damage);
}

void StateFile::fail(int code, std::string_view message) const {
  const std::string reason = std::string(" (").append(message).append(")");
  switch (code & 0xff) {  // the low byte is the primary code, sqlite.org/rescode.html
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      suspect();
      fail_damaged(" is damaged" + reason);
    case SQLITE_FULL:
      throw mail::FaultError(fault(mail::Remedy::wait, " cannot grow" + reason + ": make room on the disk"));
    case SQLITE_IOERR:
      throw mail::FaultError(fault(
          mail::Remedy::wait, " cannot be read or written" + reason + ": see to the disk, its space and its quota"));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
      throw mail::FaultError(fault(mail::Remedy::wait, " is held by another program" + reason + ": end it"));
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      throw mail::FaultError(
          fault(mail::Remedy::administrator, " cannot be written" + reason + ": give the host's account its folder"));
    default:
      throw mail::FaultError(fault(mail::Remedy::wait, " cannot be used" + reason));
  }
}

}  // namespace store
