#include "base/file.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace base {
namespace {

std::string to_hex(const unsigned char* bytes, std::size_t size) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out.push_back(digits[bytes[i] >> 4]);
    out.push_back(digits[bytes[i] & 0xf]);
  }
  return out;
}

Fd open_for_reading(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw FileError("read", path, errno);
  return Fd(fd);
}

// Bytes read, 0 at the end.
std::size_t read_some(int fd, char* buffer, std::size_t capacity, const std::filesystem::path& path) {
  while (true) {
    const ssize_t n = ::read(fd, buffer, capacity);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno != EINTR) throw FileError("read", path, errno);
  }
}

}  // namespace

FileError::FileError(std::string_view doing, const std::filesystem::path& path, int code)
    : std::runtime_error("cannot " + std::string(doing) + " " + path.string() + ": " + std::strerror(code)),
      code_(code) {}

Fd& Fd::operator=(Fd&& other) noexcept {
  if (this != &other) {
    reset();
    fd_ = other.release();
  }
  return *this;
}

int Fd::release() {
  const int fd = fd_;
  fd_ = -1;
  return fd;
}

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
  const Fd fd = open_for_reading(path);
  std::string text;
  std::vector<char> buffer(64 * 1024);
  while (const std::size_t n = read_some(fd.get(), buffer.data(), buffer.size(), path)) {
    text.append(buffer.data(), n);
    if (text.size() > limit) throw FileError("read", path, EFBIG);
  }
  return text;
}

Fd create_private(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) throw FileError("create", path, errno);
  return Fd(fd);
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0) {
      if (errno == EINTR) continue;
      throw FileError("write", path, errno);
    }
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void sync_file(int fd, const std::filesystem::path& path) {
  if (::fsync(fd) != 0) throw FileError("save", path, errno);
}

void sync_directory(const std::filesystem::path& path) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0) throw FileError("open", path, errno);
  sync_file(fd.get(), path);
}

void make_private_directory(const std::filesystem::path& path) {
  std::error_code error;
  const std::filesystem::path parent = path.parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (error) throw FileError("create", path, error.value());
  if (::mkdir(path.c_str(), 0700) != 0 && (errno != EEXIST || !std::filesystem::is_directory(path, error))) {
    throw FileError("create", path, errno);
  }
}

bool readable_by_others(const std::filesystem::path& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && (info.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

std::string random_name() {
  unsigned char bytes[16];
  // Up to 256 bytes are never cut short once the pool is ready (getrandom(2)).
  while (::getrandom(bytes, sizeof bytes, 0) != static_cast<ssize_t>(sizeof bytes)) {
  }
  return to_hex(bytes, sizeof bytes);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr || EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_), EVP_sha256(), nullptr) != 1) {
    throw std::runtime_error("SHA-256 is not available");
  }
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_));
}

void Sha256::add(std::string_view bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size());
}

std::string Sha256::hex() {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), digest, &size);
  return to_hex(digest, size);
}

Digest digest_file(const std::filesystem::path& path) {
  const Fd fd = open_for_reading(path);
  std::vector<char> buffer(64 * 1024);
  Sha256 sum;
  Digest digest;
  while (const std::size_t n = read_some(fd.get(), buffer.data(), buffer.size(), path)) {
    sum.add({buffer.data(), n});
    digest.size += n;
  }
  digest.sha256 = sum.hex();
  return digest;
}

ScratchFolder::ScratchFolder(std::string_view prefix) {
  std::string pattern = (std::filesystem::temp_directory_path() / prefix).string() + "-XXXXXX";
  if (::mkdtemp(pattern.data()) == nullptr) throw FileError("create", pattern, errno);
  path_ = pattern;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace base
