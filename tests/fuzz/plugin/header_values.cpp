// One header's value: what came with a mail (encoded words, parameters, message ids, the marks of automatic mail), and
// what is to leave, in a mail or on the wire.
#include <stdexcept>
#include <string>

#include "http/http1.h"
#include "m365/message/classify.h"
#include "m365/message/delivered_to.h"
#include "m365/message/thread_headers.h"
#include "m365/outgoing/draft_message.h"
#include "m365/outgoing/submission_check.h"
#include "mime/charset.h"
#include "mime/header.h"
#include "require.h"

namespace {

void require_text(const std::string& text) {
  require(mime::is_utf8(text), "texts are UTF-8");
}

void require_id(const std::string& id) {
  require(id.size() > 2 && id.front() == '<' && id.back() == '>', "ids keep their brackets");
  require(id.find_first_of(" \t\r\n") == std::string::npos, "ids have no blanks");
}

void came(const std::string& value) {
  require_text(mime::decode_words(value));
  const mime::ParameterisedValue parameterised = mime::parse_parameterised(value);
  require_text(parameterised.value);
  for (const auto& [name, text] : parameterised.parameters) {
    require_text(name);
    require_text(text);
    require(parameterised.parameter(name) == text, "each parameter stands there once");
  }
  for (const std::string& id : mime::parse_message_ids(value)) require_id(id);
  mime::Headers headers;
  const std::size_t body = mime::parse_headers(value, headers, 50);
  require(body <= value.size() && headers.all().size() <= 50, "headers end, and are bounded");

  m365::MessageRow row;
  for (const char* name : {"In-Reply-To", "References", "Content-Type", "Auto-Submitted", "Precedence", "List-Id",
                           "Return-Path", "X-Auto-Response-Suppress", "X-MS-Exchange-Generated-Message-Source",
                           "Disposition-Notification-To", "Delivered-To", "To", "X-Failed-Recipients"}) {
    row.headers.emplace_back(name, value);
  }
  row.subject = value;
  m365::Classification kind = m365::classify(row, {});
  m365::apply_message_class(value, kind);
  m365::find_status_code(value);
  m365::delivered_to(row, "support@contoso.example", "Support@contoso.example");
  if (const std::string answered = m365::in_reply_to(row.headers); !answered.empty()) require_id(answered);
  const auto references = m365::references(row.headers);
  require(references.size() <= 1'000, "at most 1,000 references");
  for (const std::string& id : references) require_id(id);
}

void leaves(const std::string& value) {
  mail::Mail mail;
  mail.stable_id = "key";
  mail.from.address = "support@contoso.example";
  mail.to = {{value, "customer@fabrikam.example"}};
  mail.subject = value;
  mail.in_reply_to = value;
  mail.headers = {{"X-Value", value}};
  const bool sound = m365::submission_problem(mail, "support@contoso.example").empty();
  if (sound) {
    for (const char c : value) require(static_cast<unsigned char>(c) >= 0x20 && c != 0x7f, "a header is one line");
    require_text(value);
  }
  mail.headers = {{value, "1"}};
  if (m365::submission_problem(mail, "support@contoso.example").empty()) {
    require(value.size() > 2 && (value[0] | 0x20) == 'x' && value[1] == '-', "only X- headers leave");
  }
  mail.headers.clear();
  const std::string json = m365::new_draft_json(mail, "support@contoso.example", {});
  require(mime::is_utf8(json) && json.find('\n') == std::string::npos, "what is asked of Graph is JSON in one line");

  http::Request request;
  request.headers.set("X-Value", value);
  const http::Url url{true, "graph.example", false, 443, "", "/v1.0"};
  try {
    const std::string head = http::write_head(request, url);
    std::size_t lines = 0;
    for (std::size_t at = head.find("\r\n"); at != std::string::npos; at = head.find("\r\n", at + 2)) ++lines;
    require(lines == 4, "a value never becomes a line of its own");
  } catch (const std::invalid_argument& error) {
    require(value.size() < 4 || std::string_view(error.what()).find(value) == std::string_view::npos,
            "a value is not repeated: it may be a secret");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string value(as_text(data, size));
  came(value);
  leaves(value);
  return 0;
}
