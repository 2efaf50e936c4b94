// Adds one attachment to a draft, whatever its size (graph-mail.md, section 11).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "m365/outgoing/submission_context.h"
#include "m365/outgoing/upload_content.h"
#include "mail/mail.h"

namespace m365 {

/// From here on by upload session. Below 3 MB by the sheet; less by so much that the JSON of a POST, base64 and names
/// included, stays below 3.9 MB.
constexpr std::size_t session_border = 2'900'000;
/// Fits the 4 MB of the Outlook pages and the 320 KiB multiples of the others (section 20).
constexpr std::size_t session_piece = 3'932'160;

/// What an upload URL's answer says of the next byte wanted: "nextExpectedRanges" in any case, first entry, as "0-",
/// "2097152" or "a-b". nullopt when it says nothing.
std::optional<std::uint64_t> next_expected(const std::string& json);

/// Where to put the pieces of a large attachment.
struct UploadSession {
  std::string url;  ///< a secret: never logged
  std::uint64_t offset = 0;
  std::optional<mail::WallTime> expires;
};
/// The answer to createUploadSession; nullopt when it names no URL.
std::optional<UploadSession> read_upload_session(const std::string& json);

/// One attachment on its way. Kept between calls of run(), so that a session that was cut is resumed where the service
/// stands. One thread at a time.
class AttachmentUpload {
 public:
  AttachmentUpload(const SubmissionContext& context, std::string mailbox, std::string draft_id, const mail::Part& part);
  ~AttachmentUpload();
  /// Returns when the attachment stands in the draft. Throws GraphError, FaultError, ContentError; in_doubt() then says
  /// whether it may stand there all the same. To be called again for a transient failure that left no doubt.
  void run(std::stop_token stop);
  bool in_doubt() const { return in_doubt_; }
  /// The last run() brought pieces over before it failed.
  bool progressed() const { return progressed_; }

 private:
  void post(std::string_view bytes, std::stop_token stop);
  void upload(std::stop_token stop);
  void open_session(std::stop_token stop);
  void put_piece(std::stop_token stop);
  void answered(const http::Response& response, bool last);
  void lose_session(const mail::FaultError& why);

  const SubmissionContext& context_;
  const std::string mailbox_, path_;
  const mail::Part& part_;
  std::unique_ptr<PartContent> content_;  ///< of a large one
  std::optional<UploadSession> session_;
  bool in_doubt_ = false;
  bool finished_ = false;
  bool progressed_ = false;
  bool too_small_ = false;      ///< the service wants it by POST
  bool too_large_ = false;      ///< the service wants it by session
  bool piece_unclear_ = false;  ///< the answer to the piece at the present offset was lost
  bool last_unclear_ = false;   ///< the answer to the last piece was lost
  int stalled_ = 0;
};

}  // namespace m365
