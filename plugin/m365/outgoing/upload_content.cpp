#include "m365/outgoing/upload_content.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

constexpr std::size_t gulp = 64 * 1024;  ///< asked of the host at a time

std::string name_of(const mail::Part& part) {
  return part.file_name.empty() ? "the text of the mail" : "the attachment '" + for_log(part.file_name) + "'";
}

// Everything the host's code throws becomes one kind of error; only a stop stays what it is.
template <typename Call>
auto ask_host(const SubmissionContext& context, const mail::Part& part, const std::stop_token& stop, Call call) {
  const auto cancelled = [] {
    return failure(mail::Cause::none, mail::Remedy::cancelled, "The server is being stopped.");
  };
  if (stop.stop_requested()) throw cancelled();
  const auto inside = context.in_host();
  try {
    return call();
  } catch (const mail::FaultError& error) {
    if (error.fault().remedy == mail::Remedy::cancelled || stop.stop_requested()) throw cancelled();
    throw ContentError("The host could not give " + name_of(part) + ": " + error.what());
  } catch (const std::exception& error) {
    throw ContentError("The host could not give " + name_of(part) + ": " + error.what());
  }
}

[[noreturn]] void disk_fault(const char* doing) {
  const int why = errno;
  throw failure(mail::Cause::state_disk, mail::Remedy::wait,
                std::string("An attachment of unknown size could not be ") + doing +
                    " in the state folder: " + std::strerror(why) + ". Make room there or repair its permissions.");
}

}  // namespace

PartReader::PartReader(const SubmissionContext& context, const mail::Part& part, std::stop_token stop)
    : context_(context), part_(part), stop_(std::move(stop)) {
  source_ = ask_host(context_, part_, stop_, [&] { return part_.open ? part_.open() : nullptr; });
  if (!source_) throw ContentError("The host could not open " + name_of(part) + ".");
}

std::size_t PartReader::read(char* buffer, std::size_t size) {
  std::size_t have = 0;
  while (have < size) {
    const std::size_t want = std::min(size - have, gulp);
    const std::size_t got = ask_host(context_, part_, stop_, [&] { return source_->read(buffer + have, want); });
    if (got == 0) break;
    have += std::min(got, want);
  }
  return have;
}

std::string PartReader::read_up_to(std::size_t most) {
  std::string out;
  while (out.size() < most) {
    const std::size_t have = out.size();
    const std::size_t want = std::min(most - have, gulp);
    out.resize(have + want);
    const std::size_t got = read(out.data() + have, want);
    out.resize(have + got);
    if (got < want) break;
  }
  return out;
}

void PartReader::skip(std::uint64_t bytes) {
  std::string scratch(gulp, '\0');
  while (bytes > 0) {
    const std::size_t want = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, gulp));
    const std::size_t got = read(scratch.data(), want);
    if (got < want) return;
    bytes -= got;
  }
}

SpoolFile::SpoolFile(const std::filesystem::path& dir) {
#ifdef O_TMPFILE
  descriptor_ = ::open(dir.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
#endif
  if (descriptor_ < 0) {  // not every file system has O_TMPFILE
    std::string name = (dir / "spool-XXXXXX").string();
    descriptor_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor_ < 0) disk_fault("stored");
    ::unlink(name.c_str());
  }
}

SpoolFile::~SpoolFile() {
  ::close(descriptor_);
}

void SpoolFile::append(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) disk_fault("stored");
    size_ += static_cast<std::uint64_t>(written);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

std::size_t SpoolFile::read_at(std::uint64_t offset, char* buffer, std::size_t size) const {
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(descriptor_, buffer + have, size - have, static_cast<off_t>(offset + have));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) disk_fault("read");
    if (got == 0) break;
    have += static_cast<std::size_t>(got);
  }
  return have;
}

PartContent::PartContent(const SubmissionContext& context, const mail::Part& part, std::stop_token stop)
    : context_(context), part_(part), stop_(std::move(stop)) {
  if (part_.size_hint < 0) spool();
}

std::uint64_t PartContent::size() const {
  return file_ ? file_->size() : static_cast<std::uint64_t>(part_.size_hint);
}

void PartContent::resume(std::stop_token stop) {
  stop_ = std::move(stop);
  reader_.reset();
}

std::optional<std::string> PartContent::piece(std::uint64_t offset, std::size_t size) {
  std::string out(size, '\0');
  if (file_) {
    out.resize(file_->read_at(offset, out.data(), size));
    return out;
  }
  if (!reader_ || offset < position_) {
    reader_ = std::make_unique<PartReader>(context_, part_, stop_);
    position_ = 0;
  }
  reader_->skip(offset - position_);
  const std::size_t got = reader_->read(out.data(), size);
  position_ = offset + got;
  if (got < size) return std::nullopt;
  char beyond = 0;
  if (position_ == this->size() && reader_->read(&beyond, 1) != 0) return std::nullopt;
  return out;
}

void PartContent::spool() {
  reader_.reset();
  file_.reset();
  auto file = std::make_unique<SpoolFile>(context_.spool_dir);
  PartReader reader(context_, part_, stop_);
  std::string buffer(gulp, '\0');
  while (const std::size_t got = reader.read(buffer.data(), buffer.size())) {
    file->append(std::string_view(buffer).substr(0, got));
  }
  file_ = std::move(file);
}

}  // namespace m365
