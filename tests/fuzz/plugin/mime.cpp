// Mails as MIME: headers, parts, encodings, charsets, reports. How the pieces of a mail are cut is mime_stream's
// concern.
#include <string>

#include "m365/message/message_row.h"
#include "m365/message/report_reader.h"
#include "mime/charset.h"
#include "mime/header.h"
#include "mime/outline.h"
#include "mime/report.h"
#include "mime/transfer.h"
#include "require.h"

namespace {

void require_text(const std::string& text) {
  require(mime::is_utf8(text), "texts are UTF-8");
}

void read_header_value(const std::string& value) {
  require_text(mime::decode_words(value));
  const mime::ParameterisedValue parameterised = mime::parse_parameterised(value);
  require_text(parameterised.value);
  for (const auto& [name, text] : parameterised.parameters) {
    require_text(name);
    require_text(text);
  }
  for (const std::string& id : mime::parse_message_ids(value)) {
    require(id.size() > 2 && id.front() == '<' && id.back() == '>', "ids keep their brackets");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  mime::Headers headers;
  mime::parse_headers(text, headers);
  for (const auto& [name, value] : headers.all()) {
    require(value.find_first_of("\r\n") == std::string::npos, "values are unfolded");
    read_header_value(value);
  }
  require_text(headers.text("Subject"));
  const auto parts = mime::read_outline(text, [](const mime::Entity&) { return mime::Keep{SIZE_MAX, false}; });
  require(!parts.empty() && parts.size() <= mime::Limits().entities, "bounded in parts");
  for (const mime::Entity& part : parts) {
    require_text(part.file_name());
    require_text(part.content_id);
    require_text(part.text());
    mime::parse_delivery_status(part.start);
    mime::parse_disposition(part.start);
  }
  mime::reported_message_id(parts);
  std::uint32_t flags = 0;
  m365::read_report(parts, flags);

  for (const char* charset : {"", "utf-7", "iso-2022-jp", "utf-16", "gb18030", "windows-1252", "nonsense"}) {
    require_text(mime::to_utf8(text, charset));
  }
  require_text(mime::repair_utf8(text));
  for (const char* encoding : {"base64", "quoted-printable", "x-uuencode", "binary"}) {
    mime::decode_transfer(text, encoding);
  }
  return 0;
}
