// The folder --data: everything the host keeps.
#ifndef HOST_SIM_RUNTIME_DATA_FOLDER_H_
#define HOST_SIM_RUNTIME_DATA_FOLDER_H_

#include <filesystem>
#include <stdexcept>

#include "base/file.h"

namespace runtime {

// Another process works with this folder.
class FolderInUse : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The folder and its lock, held for the life of the object and given back by the kernel when the process dies.
class DataFolder {
 public:
  // Creates the folder (0700) when missing, removes what a killed process left half-written.
  // Throws FolderInUse, base::FileError.
  explicit DataFolder(const std::filesystem::path& root);

  const std::filesystem::path& root() const { return root_; }
  std::filesystem::path database() const { return database_of(root_); }
  // Files of mails, under generated names only.
  std::filesystem::path attachments() const { return attachments_of(root_); }
  // Half-written files; renamed into attachments() when whole.
  std::filesystem::path unfinished() const { return root_ / "unfinished"; }
  // Files of messages that wait to be sent.
  std::filesystem::path outgoing() const { return root_ / "outgoing"; }
  std::filesystem::path plugins() const { return root_ / "plugins"; }

  // For those who only look.
  static std::filesystem::path database_of(const std::filesystem::path& root) { return root / "host.db"; }
  static std::filesystem::path attachments_of(const std::filesystem::path& root) { return root / "attachments"; }

 private:
  std::filesystem::path root_;
  base::Fd lock_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_DATA_FOLDER_H_
