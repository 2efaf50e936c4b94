// The files in the state folder: made private, locked against a second user, and set aside rather than overwritten.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

#include "mail/fault.h"
#include "mail/health.h"

namespace store {

/// The file is damaged or is not ours. Only open() can help: it sets the file aside.
class DamagedError : public mail::FaultError {
 public:
  DamagedError(mail::Fault fault, std::string damage) : FaultError(std::move(fault)), damage_(std::move(damage)) {}
  const std::string& damage() const { return damage_; }  ///< what is wrong with which file, without what to do

 private:
  std::string damage_;
};

/// Any thread, except where it says open().
class StateFile {
 public:
  /// Makes the folder (0700) if missing and locks it. A lock held by this process itself is waited for as long as
  /// `patience`, since a store may just be closing. Throws mail::FaultError, also when somebody else holds the lock.
  StateFile(const std::filesystem::path& dir, std::chrono::milliseconds patience);
  ~StateFile();  ///< lets go of the lock
  StateFile(const StateFile&) = delete;
  StateFile& operator=(const StateFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

  /// Makes the file (0600, whatever the umask) if it is missing, and takes from others what they may do with one that
  /// is there. SQLite gives its -wal and -shm the mode of the file. open() only: closing any descriptor of the file
  /// drops SQLite's locks.
  void make_private() const;
  /// A log of changes is there without the file it belongs to. open() only.
  bool orphaned_log() const;
  /// Was not closed by its last user. open() only, before SQLite has opened it.
  bool left_open() const;

  /// Damage was met while running; remembered until the next open().
  void suspect() const noexcept;
  bool suspected() const;
  void clear_suspicion() const;

  /// Moves the file with its -wal and -shm out of the way, to a name that is not taken; that name. open() only.
  std::filesystem::path set_aside(mail::WallTime now) const;

  /// A file was set aside here less than `age` ago, by the machine's clock.
  bool set_aside_within(std::chrono::hours age) const;

  /// Throws what SQLite's (extended) code means: DamagedError, or mail::FaultError of Cause::state_disk.
  [[noreturn]] void fail(int code, std::string_view message) const;
  /// Throws DamagedError; `damage` goes on after the file's name.
  [[noreturn]] void fail_damaged(const std::string& damage) const;
  /// A fault of this file; `text` goes on after the file's name.
  mail::Fault fault(mail::Remedy remedy, std::string_view text) const;

 private:
  void make_folder(const std::filesystem::path& dir) const;
  void lock(std::chrono::milliseconds patience);
  [[noreturn]] void fail_with_errno(const std::filesystem::path& path, std::string_view doing) const;

  std::filesystem::path path_, lock_path_, suspect_path_;
  int lock_ = -1;
};

}  // namespace store
