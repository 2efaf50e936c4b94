// A mail as Graph wants it in JSON (graph-mail.md, sections 10, 11, 13).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "m365/outgoing/submission_context.h"
#include "mail/mail.h"

namespace m365 {

/// The extended property that holds the key of a submission; the GUID is this product's own name space.
extern const char* const submission_property;
extern const char* const auto_response_suppress;  ///< "X-Auto-Response-Suppress"

/// Graph refuses write bodies above about 4 MB, base64 included (graph-mail.md, section 2).
constexpr std::size_t largest_json = 3'900'000;

struct DraftBody {
  bool html = false;
  std::string content;
};

/// The html part when there is one (Exchange makes the text of it), else the text, else an empty text. Throws
/// ContentError when the host cannot give it, FaultError (Remedy::item) when it is too large for Graph.
DraftBody read_body(const SubmissionContext& context, const mail::Mail& mail, std::stop_token stop);

/// The body of POST /messages: a whole new draft with key, headers and threading. Threading and X- headers can be given
/// only here: PATCH does not take them.
std::string new_draft_json(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body);
/// The body of createReply: the key alone, so that a draft whose answer was lost is found. All else follows by PATCH,
/// because createReply is known to lose a body given here (section 10.5).
std::string reply_draft_json(const mail::Mail& mail);
/// The body of PATCH that makes a draft ours: body, recipients, subject, key. Repeating it does no harm.
std::string draft_update_json(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body);

/// The id of the message that an answer to POST /messages or createReply shows; empty when it shows none.
std::string created_id(const std::string& json);

/// A fileAttachment with its bytes, for POST .../attachments.
std::string attachment_json(const mail::Part& part, std::string_view bytes);
/// The body of sendMail; `attachments` are those of attachment_json.
std::string send_mail_json(const mail::Mail& mail, const std::string& mailbox, const DraftBody& body,
                           const std::vector<std::string>& attachments);
/// The body of createUploadSession.
std::string upload_session_json(const mail::Part& part, std::uint64_t size);

/// A Message-ID with its angle brackets; empty stays empty.
std::string bracketed(const std::string& message_id);
/// The name an attachment gets: never empty, one line.
std::string attachment_name(const mail::Part& part);
/// The parts that become attachments, in the mail's order.
std::vector<const mail::Part*> attachment_parts(const mail::Mail& mail);

}  // namespace m365
