#include "m365/world/synthetic.h"

#include "m365/mime/mime_header.h"
#include "m365/mime/mime_read.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

// What stands for the number in the model. Same width for every mail, so that the MIME is patched and not written anew.
constexpr std::string_view kMark = "#00000000#";

std::string padded(std::size_t number) {
  std::string text = std::to_string(number);
  return std::string(8 - std::min<std::size_t>(text.size(), 8), '0') + text;
}

std::string fill(std::string_view sentence, std::size_t size) {
  std::string out;
  while (out.size() < size) out += sentence;
  out.resize(size);
  return out;
}

std::string lines_of(const std::string& base64) {
  std::string out;
  for (std::size_t at = 0; at < base64.size(); at += 76) out.append(base64, at, 76).append("\r\n");
  return out;
}

std::string numbered(const std::string& text, const std::string& number) {
  return replace_all(text, kMark, number);
}

}  // namespace

FloodMaker::FloodMaker(const FloodOptions& options) : options_(options), run_(new_guid().substr(0, 8)) {
  const std::string mark(kMark);
  std::string mime;
  for (std::size_t i = 0; mime.size() < options.headers; ++i) {
    mime += "Received: from mx" + std::to_string(i) +
            ".fabrikam.example (203.0.113.7) by AM0PR08MB0001.eurprd08.prod.outlook.com "
            "(2603:10a6:20b::2) with Microsoft SMTP Server (version=TLS1_2) id 15.20.8000.1; Thu, 01 Jan 2026 00:00:00 "
            "+0000\r\n";
  }
  mime += "From: Customer " + mark + " <customer" + mark + "@fabrikam.example>\r\nTo: " + options.to +
          "\r\nSubject: " + options.subject + " " + mark + "\r\nMessage-ID: <" + run_ + "." + mark +
          "@fabrikam.example>\r\nMIME-Version: 1.0\r\n";
  // The mark must survive as plain text: 8bit, no folding inside it.
  const std::string html =
      "<html><body><p>Mail " + mark + "</p><p>\r\n" +
      fill("The order has not arrived yet; where is it? Tilaus ei ole saapunut.<br>\r\n", options.size) +
      "</p></body></html>\r\n";
  const std::string text = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + html;
  if (options.attachment_size == 0) {
    mime += text;
  } else {
    const std::string content = lines_of(base64_encode(random_bytes(options.attachment_size)));
    mime += "Content-Type: multipart/mixed; boundary=\"flood\"\r\n\r\n--flood\r\n" + text +
            "\r\n--flood\r\nContent-Type: application/pdf; name=\"order.pdf\"\r\nContent-Disposition: attachment; "
            "filename=\"order.pdf\"\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
            content + "\r\n--flood--\r\n";
  }
  static_cast<Content&>(model_) = read_mime(mime);
}

Message FloodMaker::next() {
  const std::string number = padded(++number_);
  Message message = model_;
  message.received = options_.first + options_.step * static_cast<int>(number_);
  message.sent = message.received;
  message.subject = numbered(*message.subject, number);
  message.thread_topic = *message.subject;
  message.internet_message_id = numbered(message.internet_message_id, number);
  message.from->name = numbered(message.from->name, number);
  message.from->address = numbered(message.from->address, number);
  message.sender = message.from;
  if (message.html) message.html = numbered(*message.html, number);
  for (auto& attachment : message.attachments) attachment.modified = message.received;
  message.mime = std::make_shared<const std::string>(numbered(*message.mime, number));
  return message;
}

std::string with_numbered_message_id(std::string_view mime, std::size_t number) {
  const auto block = read_header_block(mime);
  const std::string* present = block.find("Message-ID");
  const std::string suffix = std::to_string(number);
  if (present == nullptr)
    return "Message-ID: <" + suffix + "." + new_guid() + "@fabrikam.example>\r\n" + std::string(mime);
  const auto at = mime.find(*present);
  const auto bracket = at == std::string_view::npos ? at : mime.find('<', at);
  if (bracket == std::string_view::npos || bracket > at + present->size()) return std::string(mime);
  std::string out(mime);
  out.insert(bracket + 1, suffix + ".");
  return out;
}

}  // namespace embedded
