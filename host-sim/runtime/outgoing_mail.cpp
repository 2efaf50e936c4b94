#include "runtime/outgoing_mail.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/utf8.h"

namespace runtime {
namespace {

using base::Json;

struct MediaType {
  std::string_view ending, type;
};

constexpr std::array<MediaType, 34> kMediaTypes{{
    {"txt", "text/plain"},
    {"log", "text/plain"},
    {"md", "text/markdown"},
    {"csv", "text/csv"},
    {"html", "text/html"},
    {"htm", "text/html"},
    {"ics", "text/calendar"},
    {"vcf", "text/vcard"},
    {"xml", "application/xml"},
    {"json", "application/json"},
    {"pdf", "application/pdf"},
    {"rtf", "application/rtf"},
    {"zip", "application/zip"},
    {"gz", "application/gzip"},
    {"7z", "application/x-7z-compressed"},
    {"eml", "message/rfc822"},
    {"png", "image/png"},
    {"jpg", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"gif", "image/gif"},
    {"svg", "image/svg+xml"},
    {"webp", "image/webp"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"mp3", "audio/mpeg"},
    {"wav", "audio/wav"},
    {"mp4", "video/mp4"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"odt", "application/vnd.oasis.opendocument.text"},
}};

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front()))) text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.remove_suffix(1);
  return text;
}

// One "a@x" or "Name <a@x>".
Person parse_address(std::string_view text) {
  Person person;
  std::string_view address = text;
  if (const std::size_t open = text.rfind('<'); open != std::string_view::npos && text.ends_with('>')) {
    address = trimmed(text.substr(open + 1, text.size() - open - 2));
    std::string_view name = trimmed(text.substr(0, open));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    person.name = name;
  }
  const std::size_t at = address.rfind('@');
  const bool odd = std::any_of(address.begin(), address.end(), [](unsigned char c) {
    return c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == ',' || c == ';';
  });
  if (at == std::string_view::npos || at == 0 || at + 1 == address.size() || odd) {
    throw MessageError("\"" + base::for_one_line(text, 80) + "\" is not an e-mail address");
  }
  person.address = address;
  return person;
}

Json people_to_json(const std::vector<Person>& people) {
  Json list = Json::array();
  for (const Person& person : people) list.push(Json::object({{"name", person.name}, {"address", person.address}}));
  return list;
}

std::vector<Person> people_from(const Json* list) {
  std::vector<Person> people;
  if (list == nullptr || !list->is_array()) return people;
  for (const Json& one : list->items()) people.push_back({one.text("name"), one.text("address")});
  return people;
}

std::optional<std::string> text_from(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->as_string();
}

}  // namespace

std::vector<Person> parse_addresses(std::string_view list) {
  std::vector<Person> people;
  bool quoted = false;
  bool angled = false;
  std::size_t from = 0;
  for (std::size_t i = 0; i <= list.size(); ++i) {
    const char c = i < list.size() ? list[i] : ',';
    const bool end = i == list.size();
    if (c == '"') quoted = !quoted;
    if (!quoted && c == '<') angled = true;
    if (!quoted && c == '>') angled = false;
    if (end || (c == ',' && !quoted && !angled)) {
      const std::string_view one = trimmed(list.substr(from, i - from));
      if (!one.empty()) people.push_back(parse_address(one));
      from = i + 1;
    }
  }
  return people;
}

std::string media_type_of(std::string_view file_name) {
  const std::size_t dot = file_name.rfind('.');
  if (dot != std::string_view::npos) {
    std::string ending(file_name.substr(dot + 1));
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const MediaType& known : kMediaTypes) {
      if (known.ending == ending) return std::string(known.type);
    }
  }
  return "application/octet-stream";
}

void mark_inline(OutgoingMail& mail) {
  if (!mail.html) return;
  for (OutgoingAttachment& attachment : mail.attachments) {
    if (mail.html->find("cid:" + attachment.name) != std::string::npos) attachment.content_id = attachment.name;
  }
}

Json to_json(const OutgoingMail& mail) {
  Json references = Json::array();
  for (const std::string& one : mail.references) references.push(one);
  Json attachments = Json::array();
  for (const OutgoingAttachment& one : mail.attachments) {
    attachments.push(Json::object({{"name", one.name},
                                   {"media_type", one.media_type},
                                   {"content_id", one.content_id},
                                   {"file", one.file.string()}}));
  }
  return Json::object({{"from", mail.from},
                       {"mailbox", mail.mailbox},
                       {"to", people_to_json(mail.to)},
                       {"cc", people_to_json(mail.cc)},
                       {"bcc", people_to_json(mail.bcc)},
                       {"reply_to", people_to_json(mail.reply_to)},
                       {"subject", mail.subject},
                       {"text", mail.text},
                       {"html", mail.html},
                       {"in_reply_to", mail.in_reply_to},
                       {"references", references},
                       {"attachments", attachments},
                       {"automatic", mail.automatic}});
}

OutgoingMail outgoing_mail_from(const Json& json) {
  OutgoingMail mail;
  mail.from = json.text("from");
  mail.mailbox = json.text("mailbox");
  mail.to = people_from(json.find("to"));
  mail.cc = people_from(json.find("cc"));
  mail.bcc = people_from(json.find("bcc"));
  mail.reply_to = people_from(json.find("reply_to"));
  mail.subject = json.text("subject");
  mail.text = text_from(json, "text");
  mail.html = text_from(json, "html");
  mail.in_reply_to = json.text("in_reply_to");
  if (const Json* references = json.find("references")) {
    for (const Json& one : references->items()) mail.references.push_back(one.as_string());
  }
  if (const Json* attachments = json.find("attachments")) {
    for (const Json& one : attachments->items()) {
      mail.attachments.push_back({one.text("name"), one.text("media_type"), one.text("content_id"), one.text("file")});
    }
  }
  const Json* automatic = json.find("automatic");
  mail.automatic = automatic != nullptr && automatic->is_bool() && automatic->as_bool();
  return mail;
}

}  // namespace runtime
