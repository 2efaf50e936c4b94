#include "runtime/data_folder.h"

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <string>

namespace runtime {

DataFolder::DataFolder(const std::filesystem::path& root) : root_(std::filesystem::absolute(root)) {
  base::make_private_directory(root_);
  const auto path = root_ / "host.lock";
  lock_ = base::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (lock_.get() < 0) throw base::FileError("create", path, errno);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) throw base::FileError("lock", path, errno);
    throw FolderInUse("another host-sim works with the data folder " + root_.string() +
                      "; stop it first, or name another folder with --data");
  }
  for (const auto& folder : {attachments(), unfinished(), outgoing(), plugins()}) base::make_private_directory(folder);
  for (const auto& left : std::filesystem::directory_iterator(unfinished())) std::filesystem::remove(left.path());
}

}  // namespace runtime
