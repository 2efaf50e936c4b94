// The bytes of one part of a mail that shall leave, pulled from the host piece by piece. Nothing is held whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "m365/outgoing/submission_context.h"
#include "mail/mail.h"

namespace m365 {

/// The host could not give a part. The text names the part, for an administrator.
class ContentError : public std::exception {
 public:
  explicit ContentError(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

/// Reads one part from its start. One thread at a time. Throws ContentError, and FaultError (Remedy::cancelled) on
/// stop.
class PartReader {
 public:
  PartReader(const SubmissionContext& context, const mail::Part& part, std::stop_token stop);
  /// Fills `buffer` as far as there is content; fewer bytes only at the end.
  std::size_t read(char* buffer, std::size_t size);
  std::string read_up_to(std::size_t most);
  void skip(std::uint64_t bytes);

 private:
  const SubmissionContext& context_;
  const mail::Part& part_;
  std::stop_token stop_;
  std::unique_ptr<mail::ByteSource> source_;
};

/// A file without a name: 0600, gone with its descriptor. Throws FaultError (Cause::state_disk).
class SpoolFile {
 public:
  explicit SpoolFile(const std::filesystem::path& dir);
  ~SpoolFile();
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  void append(std::string_view bytes);
  std::size_t read_at(std::uint64_t offset, char* buffer, std::size_t size) const;
  std::uint64_t size() const { return size_; }

 private:
  int descriptor_ = -1;
  std::uint64_t size_ = 0;
};

/// One large part, readable at any offset; going back opens the part anew. One thread at a time. Throws as PartReader.
class PartContent {
 public:
  /// Trusts the part's size_hint where it has one; else, or after spool(), counts by writing to a file.
  PartContent(const SubmissionContext& context, const mail::Part& part, std::stop_token stop);
  std::uint64_t size() const;
  /// Exactly the `size` bytes at `offset`; nullopt when the part turns out to be shorter or longer than size() says.
  std::optional<std::string> piece(std::uint64_t offset, std::size_t size);
  /// Copies the part to a file, whose size is then the size.
  void spool();
  /// A later call runs under another stop token.
  void resume(std::stop_token stop);

 private:
  const SubmissionContext& context_;
  const mail::Part& part_;
  std::stop_token stop_;
  std::unique_ptr<PartReader> reader_;
  std::uint64_t position_ = 0;  ///< of reader_
  std::unique_ptr<SpoolFile> file_;
};

}  // namespace m365
