#include "runtime/received_mail.h"

namespace runtime {
namespace {

Person person(const mailplugin_address& address) {
  return {to_string(address.name), to_string(address.address)};
}

std::vector<Person> people(const mailplugin_address* first, uint32_t count) {
  std::vector<Person> all;
  for (uint32_t i = 0; first != nullptr && i < count; ++i) all.push_back(person(first[i]));
  return all;
}

std::vector<std::pair<std::string, std::string>> pairs(const mailplugin_pair* first, uint32_t count) {
  std::vector<std::pair<std::string, std::string>> all;
  for (uint32_t i = 0; first != nullptr && i < count; ++i) {
    all.emplace_back(to_string(first[i].name), to_string(first[i].value));
  }
  return all;
}

}  // namespace

std::string to_string(const mailplugin_text& text) {
  return text.data == nullptr ? std::string() : std::string(text.data, static_cast<std::size_t>(text.size));
}

ReceivedMail copy_of(const mailplugin_message& mail) {
  ReceivedMail copy;
  copy.flags = mail.flags;
  copy.stable_id = to_string(mail.stable_id);
  copy.service_id = to_string(mail.service_id);
  copy.mailbox = to_string(mail.mailbox);
  copy.folder = to_string(mail.folder);
  copy.delivered_to = to_string(mail.delivered_to);
  copy.internet_message_id = to_string(mail.internet_message_id);
  copy.in_reply_to = to_string(mail.in_reply_to);
  copy.conversation_id = to_string(mail.conversation_id);
  copy.subject = to_string(mail.subject);
  copy.from = person(mail.from);
  copy.sender = person(mail.sender);
  copy.reply_to = people(mail.reply_to, mail.reply_to_count);
  copy.to = people(mail.to, mail.to_count);
  copy.cc = people(mail.cc, mail.cc_count);
  copy.bcc = people(mail.bcc, mail.bcc_count);
  copy.received_unix_ms = mail.received_unix_ms;
  copy.sent_unix_ms = mail.sent_unix_ms;
  copy.size_bytes = mail.size_bytes;
  for (uint32_t i = 0; mail.references != nullptr && i < mail.reference_count; ++i) {
    copy.references.push_back(to_string(mail.references[i]));
  }
  copy.links = pairs(mail.links, mail.link_count);
  copy.headers = pairs(mail.headers, mail.header_count);
  if (mail.report != nullptr) {
    copy.report = Report{mail.report->kind, to_string(mail.report->recipient), to_string(mail.report->status),
                         to_string(mail.report->original_message_id), to_string(mail.report->key)};
  }
  copy.importance = mail.importance;
  return copy;
}

}  // namespace runtime
