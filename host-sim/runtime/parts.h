// The bodies and attachments of a mail, pulled from the plugin: bodies into memory, attachments onto the disk.
#ifndef HOST_SIM_RUNTIME_PARTS_H_
#define HOST_SIM_RUNTIME_PARTS_H_

#include <atomic>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "mailplugin/mailplugin.h"

namespace runtime {

// A part could not be read to its end; the mail has to be offered again.
class PartError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct StoredAttachment {
  std::string name;  // as the mail says it: data, never a path
  std::string media_type, content_id;
  bool is_inline = false;
  std::string kind;  // "file", "message", "link"
  std::int64_t size = -1;
  std::string sha256;  // empty when its bytes are closed (OVERSIZE)
  std::string file;    // the generated name below attachments/, empty likewise
};

struct StoredParts {
  std::optional<std::string> text, html;
  std::vector<StoredAttachment> attachments;
};

// Pulls the parts of one mail. Files are written below `unfinished` and carried to `attachments` by keep(); what was
// not kept is removed by the destructor. Memory: the bodies (64 MiB at most) and one buffer.
class PartReader {
 public:
  PartReader(std::filesystem::path unfinished, std::filesystem::path attachments, const std::atomic<bool>& stopping);
  ~PartReader();
  PartReader(const PartReader&) = delete;
  PartReader& operator=(const PartReader&) = delete;

  // Throws PartError (the plugin's side), base::FileError (the disk's side).
  StoredParts read(const mailplugin_message& mail);
  // Every file is whole and safe on the disk under its final name. Throws base::FileError.
  void keep();
  // The files belong to a row of the inbox now.
  void commit() { files_.clear(); }

 private:
  std::string read_body(const mailplugin_part& part);
  void read_to_file(const mailplugin_part& part, StoredAttachment& attachment);

  const std::filesystem::path unfinished_, attachments_;
  const std::atomic<bool>& stopping_;
  std::vector<std::string> files_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_PARTS_H_
