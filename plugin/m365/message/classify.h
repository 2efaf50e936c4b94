// What kind of mail this is: the detection ladder of exchange-admin.md, section 13, with what real mail shows
// (what-users-ask.md, section 3). From headers, @odata.type and the list of attachments alone: extended properties are
// not to be had with delta.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "m365/message/message_row.h"
#include "mail/mail.h"

namespace m365 {

struct Classification {
  std::uint32_t flags = 0;  ///< of mail::Flag
  /// Graph's JSON does not show what is inside: read the MIME form.
  bool clear_signed = false, report = false, meeting_details = false;
  /// The headers say "perhaps" and the message class (String 0x001A) would say yes or no: ask for it.
  bool ask_class = false;
};

/// Decides these flags:
///  - auto_submitted: a header says so (Auto-Submitted, X-Autoreply, ..., the marks of Exchange's out of office). A
///  bounce
///    has it too only when its own header says so.
///  - bounce: a delivery report that tells of a failure or delay, also without report MIME; not an abuse report (ARF).
///  - read_receipt, meeting
///  - bulk: List-Id or List-Unsubscribe; Precedence only where nothing of the above applies, for automatic replies and
///    bounces carry "Precedence: bulk" as well.
///  - encrypted (also an opaque-signed mail that does not say it is one), signed_mail, rights_protected, scan_pending,
///    read_receipt_requested
Classification classify(const MessageRow& row, const std::vector<AttachmentRow>& attachments);

/// Adds what a message class proves ("REPORT.IPM.Note.NDR", "IPM.Note.SMIME.MultipartSigned", ...).
void apply_message_class(std::string_view message_class, Classification& kind);

/// An enhanced status code (RFC 3463) in a text: "5.1.1"; empty when there is none.
std::string find_status_code(std::string_view text);

}  // namespace m365
