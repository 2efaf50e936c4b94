// One part of a mail, out of its MIME form as it flows by: for what is too large to be held.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "m365/message/attachment_source.h"
#include "m365/message/mail_builder.h"

namespace m365 {

/// The part, as the first reading found it.
struct MimePart {
  std::size_t index = 0;  ///< in mime::OutlineReader::entities()
  std::string media_type, file_name;
  std::uint64_t size = 0;
};

/// Opens a source that reads /$value at its first read, passes over what stands before the part, and gives the part's
/// bytes, transfer encoding undone. It holds two network blocks at most. Breaks and places at the gate as open_graph()
/// has them. When the mail has another part there, or one of another size, the read ends as a FaultError
/// (Remedy::item). The graph of `context` must outlive the sources.
OpenPart open_mime_part(const MailContext& context, const std::string& message_id, MimePart part);

}  // namespace m365
