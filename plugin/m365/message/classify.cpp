#include "m365/message/classify.h"

#include <algorithm>

#include "m365/message/classify_signs.h"
#include "m365/message/classify_text.h"
#include "m365/message/thread_headers.h"
#include "mime/header.h"

namespace m365 {
namespace {

using mime::ParameterisedValue;

ParameterisedValue content_type_of(const MessageRow& row) {
  const std::string* value = find_header(row.headers, "Content-Type");
  return value ? mime::parse_parameterised(*value) : ParameterisedValue{};
}

bool pkcs7_mime(std::string_view type) {
  return type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
}
bool pkcs7_signature(std::string_view type) {
  return type == "application/pkcs7-signature" || type == "application/x-pkcs7-signature";
}

// exchange-admin.md, section 12. A p7m that does not say what it holds counts as encrypted.
void classify_pkcs7(const ParameterisedValue& type, Classification& kind) {
  const std::string content = mime::lower(type.parameter("smime-type"));
  if (content == "signed-data") {
    kind.flags |= mail::signed_mail;
  } else if (content.empty() || content == "enveloped-data" || content == "authenveloped-data") {
    kind.flags |= mail::encrypted;
  }
}

void classify_smime(const ParameterisedValue& type, const std::vector<AttachmentRow>& attachments,
                    Classification& kind) {
  if (type.value == "multipart/encrypted") kind.flags |= mail::encrypted;
  if (pkcs7_mime(type.value)) classify_pkcs7(type, kind);
  if (type.value == "multipart/signed") {
    kind.flags |= mail::signed_mail;
    // Of a PGP-signed mail Exchange shows the parts; of an S/MIME one it shows one smime.p7m (graph-mail.md, section
    // 8).
    kind.clear_signed = type.parameter("protocol").find("pgp") == std::string::npos;
  }
  for (const AttachmentRow& attachment : attachments) {
    const ParameterisedValue attached = mime::parse_parameterised(attachment.content_type);
    const std::string name = mime::lower(attachment.name);
    if (pkcs7_signature(attached.value) || name == "smime.p7s") kind.flags |= mail::signed_mail;
    if (attachments.size() != 1 || (name != "smime.p7m" && !pkcs7_mime(attached.value))) continue;
    if (attached.value == "multipart/signed") {
      kind.flags |= mail::signed_mail;
      kind.clear_signed = true;
    } else if ((kind.flags & (mail::encrypted | mail::signed_mail)) == 0) {
      classify_pkcs7(attached, kind);
      // Some versions of the service name every S/MIME mail's attachment alike.
      kind.ask_class = attached.parameter("smime-type").empty() && type.value.empty();
    }
  }
}

bool rights_protected(const MessageRow& row, const std::vector<AttachmentRow>& attachments) {
  const std::string* content_class = find_header(row.headers, "Content-Class");
  if (content_class && mime::lower(mime::trim(*content_class)).starts_with("rpmsg.")) return true;
  return std::any_of(attachments.begin(), attachments.end(), [](const AttachmentRow& attachment) {
    return mime::same_name(attachment.name, "message.rpmsg") || mime::same_name(attachment.name, "message_v2.rpmsg") ||
           mime::lower(attachment.content_type).starts_with("application/x-microsoft-rpmsg-message");
  });
}

// exchange-admin.md, section 10: "ATP Scan In Progress", "Safe Attachments Scan In Progress".
bool scan_sentence(std::string_view text) {
  for (const std::string_view words : {std::string_view(" Scan In Progress"), std::string_view(" scan in progress")}) {
    for (std::size_t at = find_fast(text, words); at != std::string_view::npos; at = find_fast(text, words, at + 1)) {
      const std::string_view before = text.substr(0, at);
      if (before.ends_with("ATP") || before.ends_with("Safe Attachments")) return true;
    }
  }
  return false;
}

bool scan_pending(const MessageRow& row, const std::vector<AttachmentRow>& attachments) {
  return (row.body && scan_sentence(*row.body)) ||
         std::any_of(attachments.begin(), attachments.end(),
                     [](const AttachmentRow& a) { return scan_sentence(a.name); });
}

bool meeting(const MessageRow& row, const ParameterisedValue& type) {
  if (row.odata_type.find("eventMessage") != std::string::npos) return true;
  if (type.value == "text/calendar") return true;
  const std::string* content_class = find_header(row.headers, "Content-Class");
  return content_class && mime::same_name(mime::trim(*content_class), "urn:content-classes:calendarmessage");
}

void classify_report(const MessageRow& row, const ParameterisedValue& type, Classification& kind) {
  const std::string report_type = type.value == "multipart/report" ? mime::lower(type.parameter("report-type")) : "";
  if (report_type == "disposition-notification") {
    kind.flags |= mail::read_receipt;
    kind.report = true;
  } else if (report_type == "feedback-report") {
    // ARF (RFC 5965) tells of a complaint; the mail it tells of had arrived.
  } else if (report_type == "delivery-status" || looks_like_bounce(row)) {
    kind.flags |= mail::bounce;
    kind.report = true;
  } else if (type.value == "multipart/report") {
    kind.report = true;  // of which kind its parts say
  }
}

}  // namespace

Classification classify(const MessageRow& row, const std::vector<AttachmentRow>& attachments) {
  Classification kind;
  const ParameterisedValue type = content_type_of(row);
  classify_report(row, type, kind);
  if (says_automatic(row.headers)) kind.flags |= mail::auto_submitted;
  if (meeting(row, type)) {
    kind.flags |= mail::meeting;
    kind.meeting_details = true;
  }
  constexpr std::uint32_t decided = mail::bounce | mail::read_receipt | mail::auto_submitted | mail::meeting;
  if (says_mass_mail(row.headers) || ((kind.flags & decided) == 0 && says_precedence(row.headers))) {
    kind.flags |= mail::bulk;
  }
  classify_smime(type, attachments, kind);
  if (rights_protected(row, attachments)) kind.flags |= mail::rights_protected;
  if (scan_pending(row, attachments)) kind.flags |= mail::scan_pending;
  const bool receipt_wanted =
      row.read_receipt_requested.value_or(false) || find_header(row.headers, "Disposition-Notification-To") != nullptr;
  if (receipt_wanted && (kind.flags & mail::read_receipt) == 0) kind.flags |= mail::read_receipt_requested;
  // Without headers, as of reports that were made inside the organisation, nothing else tells.
  if ((kind.flags & decided) == 0 && !kind.report && (has_null_return_path(row.headers) || !row.has_headers))
    kind.ask_class = true;
  return kind;
}

void apply_message_class(std::string_view message_class, Classification& kind) {
  const std::string name = mime::lower(message_class);
  if (name.starts_with("report.")) {
    kind.report = true;
    if (name.ends_with(".ndr")) kind.flags |= mail::bounce;
    if (name.ends_with(".ipnrn") || name.ends_with(".ipnnrn")) kind.flags |= mail::read_receipt;
  } else if (name == "ipm.note.rules.ooftemplate.microsoft" || name == "ipm.note.rules.replytemplate.microsoft") {
    kind.flags |= mail::auto_submitted;
  } else if (name.starts_with("ipm.schedule.meeting.")) {
    kind.flags |= mail::meeting;
    kind.meeting_details = true;
  } else if (name == "ipm.note.smime.multipartsigned") {
    kind.flags = (kind.flags & ~static_cast<std::uint32_t>(mail::encrypted)) | mail::signed_mail;
    kind.clear_signed = true;
  } else if (name == "ipm.note.smime") {
    kind.flags |= mail::encrypted;
  }
  kind.ask_class = false;
}

}  // namespace m365
