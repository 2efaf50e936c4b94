// Graph's answers about messages, attachments and folders, and everything that is read out of a message's properties.
#include <string>

#include "m365/graph/graph_client_batch.h"
#include "m365/message/classify.h"
#include "m365/message/delivered_to.h"
#include "m365/message/message_row.h"
#include "m365/message/page_salvage.h"
#include "m365/message/report_reader.h"
#include "m365/message/thread_headers.h"
#include "m365/outgoing/upload_attachment.h"
#include "mail/fault.h"
#include "mime/charset.h"
#include "require.h"

namespace {

void require_text(const std::optional<std::string>& text) {
  if (text) require(mime::is_utf8(*text), "texts of a row are UTF-8");
}

void require_address(const mail::Address& address) {
  require_text(address.name);
  require_text(address.address);
}

void look_at(const m365::MessageRow& row) {
  for (const auto* text : {&row.subject, &row.internet_message_id, &row.conversation_id, &row.body, &row.importance}) {
    require_text(*text);
  }
  for (const auto* list : {&row.to, &row.cc, &row.bcc, &row.reply_to}) {
    for (const mail::Address& address : *list) require_address(address);
  }
  for (const auto* one : {&row.from, &row.sender}) {
    if (*one) require_address(**one);
  }
  for (const auto& [name, value] : row.headers) {
    require_text(name);
    require_text(value);
  }
  if (row.received) require(m365::parse_time(m365::format_time(*row.received)) == row.received, "times survive");

  m365::AttachmentRow attachment;
  attachment.name = row.subject.value_or("");
  attachment.content_type = row.importance.value_or("");
  m365::Classification kind = m365::classify(row, {attachment});
  m365::apply_message_class(row.subject.value_or(""), kind);
  m365::delivered_to(row, "support@contoso.example", "Support@contoso.example");
  const std::string answered = m365::in_reply_to(row.headers);
  require(answered.empty() || (answered.front() == '<' && answered.back() == '>'), "ids keep their brackets");
  require(m365::references(row.headers).size() <= 1'000, "at most 1,000 references");
  m365::answered_message_id(row.headers);
  for (const bool html : {false, true}) {
    m365::read_report_text({row, "support@contoso.example", row.body ? std::string_view(*row.body) : "", html});
  }
}

// Every decoder reads every input: a service's answer to a question that was not asked is an answer too.
template <typename Decode>
void decoded(Decode decode) {
  try {
    decode();
  } catch (const mail::FaultError& error) {
    require(!error.fault().text.empty(), "a fault has a sentence");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string json(as_text(data, size));
  decoded([&] {
    const m365::MessagePage page = m365::decode_message_page(json);
    for (const m365::MessageRow& row : page.rows) look_at(row);
  });
  decoded([&] { look_at(m365::decode_message(json)); });
  decoded([&] {
    for (const m365::AttachmentRow& row : m365::decode_attachment_page(json).rows) {
      require_text(row.name);
      require(row.size >= -1, "a size is known or -1");
    }
  });
  decoded([&] { m365::decode_folder(json); });
  decoded([&] { m365::decode_folder_page(json); });
  decoded([&] { m365::decode_extended_property(json); });
  m365::next_expected(json);
  std::string batch = json;
  if (const auto answers = m365::parse_batch(batch, 3)) require(answers->size() == 3, "one answer a question");
  m365::salvage(json);
  if (const auto time = m365::parse_time(json)) {
    require(m365::parse_time(m365::format_time(*time)) == time, "times survive");
  }
  return 0;
}
