// Files that must survive a power cut, and files that must stay private.
#ifndef HOST_SIM_BASE_FILE_H_
#define HOST_SIM_BASE_FILE_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace base {

// What the operating system refused: a sentence with the path and the reason.
class FileError : public std::runtime_error {
 public:
  // `doing`: "write", "open", ...; `code` an errno.
  FileError(std::string_view doing, const std::filesystem::path& path, int code);
  int code() const { return code_; }

 private:
  int code_;
};

// Owns a file descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  int release();
  void reset();

 private:
  int fd_ = -1;
};

// The whole file. Throws FileError; EFBIG when it is larger than `limit` bytes.
std::string read_file(const std::filesystem::path& path, std::uint64_t limit = 64u << 20);

// Creates a new private file (0600), never following or replacing what is there. Throws FileError.
Fd create_private(const std::filesystem::path& path);

// Writes all bytes. `path` is for the error only. Throws FileError.
void write_all(int fd, std::string_view bytes, const std::filesystem::path& path);

// fsync of a file or, opened by its path, of a directory (so that a new name in it survives). Throws FileError.
void sync_file(int fd, const std::filesystem::path& path);
void sync_directory(const std::filesystem::path& path);

// Creates the folder and its parents, the last one private (0700). An existing one is left as it is. Throws FileError.
void make_private_directory(const std::filesystem::path& path);

// True when group or others may read the file. False when it does not exist.
bool readable_by_others(const std::filesystem::path& path);

// A name of 32 random hexadecimal digits.
std::string random_name();

// SHA-256 as bytes flow by. Not copyable; use from one thread.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;
  void add(std::string_view bytes);
  // 64 lower-case hexadecimal digits; nothing may be added afterwards.
  std::string hex();

 private:
  void* context_;
};

// Size and SHA-256 of a file, read in pieces. Throws FileError.
struct Digest {
  std::uint64_t size = 0;
  std::string sha256;
};
Digest digest_file(const std::filesystem::path& path);

// A folder that is removed with all it holds at the end of its life.
class ScratchFolder {
 public:
  // Below the system's folder for temporary files, private. Throws FileError.
  explicit ScratchFolder(std::string_view prefix);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace base

#endif  // HOST_SIM_BASE_FILE_H_
