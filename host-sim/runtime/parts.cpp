#include "runtime/parts.h"

#include <algorithm>
#include <cctype>

#include "base/file.h"
#include "runtime/text.h"

namespace runtime {
namespace {

constexpr std::size_t kBuffer = 64 * 1024;
constexpr std::size_t kLargestBody = 64u << 20;
constexpr std::int64_t kLargestHint = 1 << 20;

// An open stream of a part, closed exactly once.
class Stream {
 public:
  Stream(const mailplugin_part& part, const std::string& what, const std::atomic<bool>& stopping)
      : what_(what), stopping_(stopping), stream_(part.open == nullptr ? nullptr : part.open(&part)) {
    if (stream_ == nullptr) throw PartError("the plugin cannot open " + what_);
  }
  ~Stream() { stream_->close(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Bytes read, 0 at the end.
  std::size_t read(char* buffer, std::size_t capacity) {
    if (stopping_) throw PartError("the host is stopping");
    const int64_t n = stream_->read(stream_, buffer, capacity);
    if (n < 0 || static_cast<uint64_t>(n) > capacity) {
      throw PartError("the plugin cannot read " + what_ + " (status " + std::to_string(n) + ")");
    }
    return static_cast<std::size_t>(n);
  }

 private:
  const std::string what_;
  const std::atomic<bool>& stopping_;
  const mailplugin_stream* stream_;
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

std::string kind_of(const mailplugin_part& part) {
  if (part.kind == MAILPLUGIN_PART_LINK) return "link";
  return lower(std::string(as_view(part.media_type))).starts_with("message/rfc822") ? "message" : "file";
}

}  // namespace

PartReader::PartReader(std::filesystem::path unfinished, std::filesystem::path attachments,
                       const std::atomic<bool>& stopping)
    : unfinished_(std::move(unfinished)), attachments_(std::move(attachments)), stopping_(stopping) {}

PartReader::~PartReader() {
  std::error_code ignored;
  for (const std::string& file : files_) {
    std::filesystem::remove(unfinished_ / file, ignored);
    std::filesystem::remove(attachments_ / file, ignored);
  }
}

StoredParts PartReader::read(const mailplugin_message& mail) {
  StoredParts parts;
  const bool closed = (mail.flags & MAILPLUGIN_OVERSIZE) != 0;
  for (uint32_t i = 0; mail.parts != nullptr && i < mail.part_count; ++i) {
    const mailplugin_part& part = *mail.parts[i];
    switch (part.kind) {
      case MAILPLUGIN_PART_TEXT:
        if (!parts.text) parts.text = read_body(part);
        break;
      case MAILPLUGIN_PART_HTML:
        if (!parts.html) parts.html = read_body(part);
        break;
      case MAILPLUGIN_PART_INLINE:
      case MAILPLUGIN_PART_ATTACHMENT:
      case MAILPLUGIN_PART_LINK: {
        StoredAttachment attachment;
        attachment.name = as_view(part.file_name);
        attachment.media_type = as_view(part.media_type);
        attachment.content_id = as_view(part.content_id);
        attachment.is_inline = part.kind == MAILPLUGIN_PART_INLINE;
        attachment.kind = kind_of(part);
        attachment.size = part.size_hint;
        if (!closed) read_to_file(part, attachment);
        parts.attachments.push_back(std::move(attachment));
        break;
      }
      default:
        break;  // ORIGINAL costs a request and nobody asked for it; later kinds are not known here
    }
  }
  return parts;
}

std::string PartReader::read_body(const mailplugin_part& part) {
  Stream stream(part, "the body", stopping_);
  // What the plugin says of the size is a hint. With room for one byte more, the read that finds the end needs no more.
  const auto hint = static_cast<std::size_t>(std::clamp<std::int64_t>(part.size_hint, 0, kLargestHint));
  std::string body(hint > 0 ? hint + 1 : kBuffer, '\0');
  std::size_t size = 0;
  while (const std::size_t n = stream.read(body.data() + size, body.size() - size)) {
    size += n;
    if (size > kLargestBody) throw PartError("the body is larger than 64 MiB");
    if (size == body.size()) body.resize(2 * size);
  }
  body.resize(size);
  return body;
}

void PartReader::read_to_file(const mailplugin_part& part, StoredAttachment& attachment) {
  Stream stream(part, "an attachment", stopping_);
  attachment.file = base::random_name();
  const auto path = unfinished_ / attachment.file;
  const base::Fd fd = base::create_private(path);
  files_.push_back(attachment.file);
  base::Sha256 sum;
  attachment.size = 0;
  std::string buffer(kBuffer, '\0');
  while (const std::size_t n = stream.read(buffer.data(), buffer.size())) {
    const std::string_view bytes(buffer.data(), n);
    base::write_all(fd.get(), bytes, path);
    sum.add(bytes);
    attachment.size += static_cast<std::int64_t>(n);
  }
  base::sync_file(fd.get(), path);
  attachment.sha256 = sum.hex();
}

void PartReader::keep() {
  if (files_.empty()) return;
  for (const std::string& file : files_) {
    std::error_code error;
    std::filesystem::rename(unfinished_ / file, attachments_ / file, error);
    if (error) throw base::FileError("move", unfinished_ / file, error.value());
  }
  base::sync_directory(attachments_);
}

}  // namespace runtime
