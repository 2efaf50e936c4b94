// Mails that arrive at the embedded Microsoft 365, and what it makes of them: JSON for the client, MIME that leaves.
#include <string>

#include "m365/graph/render.h"
#include "m365/json.h"
#include "m365/mime/html.h"
#include "m365/mime/mime_header.h"
#include "m365/mime/mime_read.h"
#include "m365/mime/mime_write.h"
#include "m365/mime/text.h"
#include "m365/world/mailbox.h"
#include "require.h"

namespace {

constexpr const char* guid = "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10";

void require_text(const std::string& text) {
  require(embedded::is_utf8(text), "texts are UTF-8");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = as_text(data, size);
  embedded::Message message;
  static_cast<embedded::Content&>(message) = embedded::read_mime(text);
  require(message.mime != nullptr, "the mail is kept as it came");
  embedded::transport_headers(message);
  message.travelled = true;
  embedded::transport_headers(message);

  const embedded::Clock clock;
  embedded::Mailbox mailbox(guid, clock, "en");
  const auto lock = mailbox.lock();
  embedded::Message& kept = mailbox.add(mailbox.well_known("inbox"), message);
  embedded::View view;
  const std::string json = embedded::message_json(mailbox, kept, view, "");
  embedded::parse_json(json);  // throws when it is not JSON, or not UTF-8
  view.properties = embedded::select_properties({"internetMessageHeaders", "uniqueBody", "body"});
  view.text_body = true;
  embedded::parse_json(embedded::message_json(mailbox, kept, view, ""));
  for (const embedded::Attachment& attachment : kept.attachments) {
    embedded::AttachmentView attachment_view;
    attachment_view.item = true;
    embedded::parse_json(embedded::attachment_json(mailbox, kept, attachment, attachment_view, ""));
  }
  message.from = embedded::Address{"Support", "support@contoso.example"};
  message.internet_message_id = "<a@b.example>";
  const std::string leaving = embedded::leaving_mime(text, message);
  embedded::read_mime(leaving);
  embedded::read_mime(embedded::write_mime(message));

  for (const auto& [name, value] : embedded::read_header_block(text).fields) {
    require_text(embedded::decode_words(value));
    for (const embedded::Address& address : embedded::parse_addresses(value)) {
      require(embedded::format_address(address).find_first_of("\r\n") == std::string::npos ||
                  embedded::format_address(address).find("\r\n ") != std::string::npos,
              "an address injects no line");
    }
    embedded::parse_parameters(value);
    embedded::message_ids(value);
    embedded::parse_rfc5322_date(value);
  }
  embedded::html_to_text(text);
  embedded::safe_html(text);
  embedded::text_to_html(text);
  embedded::preview(text);
  return 0;
}
