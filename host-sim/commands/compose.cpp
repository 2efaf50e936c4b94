#include "commands/compose.h"

#include <unistd.h>

#include <iostream>
#include <iterator>

#include "base/file.h"
#include "base/nearest.h"
#include "base/utf8.h"

namespace commands {
namespace {

using base::Json;
using runtime::MessageError;

constexpr std::uint64_t kLargestBody = 64u << 20;
constexpr std::size_t kLongestKey = 200;  // mailplugin.h, stable_id

std::string body_from(const std::string& file, const std::string& option) {
  std::string text;
  if (file == "-") {
    text.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    try {
      text = base::read_file(file, kLargestBody);
    } catch (const base::FileError& error) {
      throw MessageError(option + ": " + error.what());
    }
  }
  if (!base::is_utf8(text)) throw MessageError(option + ": " + file + " is not UTF-8; save it as UTF-8");
  return text;
}

std::string text_of(const Json& value, const std::string& key) {
  if (!value.is_string()) throw MessageError(key + ": a text is expected, not " + std::string(value.kind()));
  return value.as_string();
}

std::vector<std::string> texts_of(const Json& value, const std::string& key) {
  if (value.is_string()) return {value.as_string()};
  if (!value.is_array()) {
    throw MessageError(key + ": a text or a list of texts is expected, not " + std::string(value.kind()));
  }
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < value.items().size(); ++i) {
    texts.push_back(text_of(value.items()[i], key + "[" + std::to_string(i) + "]"));
  }
  return texts;
}

std::vector<runtime::Person> people_of(const std::vector<std::string>& lists, const std::string& name) {
  std::vector<runtime::Person> people;
  for (const std::string& list : lists) {
    try {
      for (runtime::Person& one : runtime::parse_addresses(list)) people.push_back(std::move(one));
    } catch (const MessageError& error) {
      throw MessageError(name + ": " + error.what());
    }
  }
  return people;
}

void set_sender(const std::string& from, const configurator::Configuration& configuration,
                runtime::OutgoingMail& mail) {
  const configurator::Address* address = configuration.find_address(from);
  if (address == nullptr) {
    std::vector<std::string> senders;
    for (const auto& queue : configuration.queues) {
      for (const auto& one : queue.addresses) {
        if (one.sender) senders.push_back(one.address);
      }
    }
    throw MessageError("from: no queue has the address \"" + base::for_one_line(from, 80) + "\"" +
                       base::did_you_mean(from, senders));
  }
  if (!address->sender) {
    throw MessageError("from: " + address->address + " of the queue \"" + address->queue +
                       "\" is not a sender; set \"sender\": true at " + address->settings.path());
  }
  mail.from = address->address;
  mail.mailbox = address->mailbox;
}

void set_answered(const std::string& delivery_id, runtime::HostStore& store, runtime::OutgoingMail& mail) {
  const auto rows = store.find_by_beginning(delivery_id);
  if (rows.empty()) {
    throw MessageError("in_reply_to: no mail in the inbox has the delivery id \"" +
                       base::for_one_line(delivery_id, 80) + "\"; host-sim inbox lists them");
  }
  if (rows.size() > 1) {
    throw MessageError("in_reply_to: several mails begin with \"" + base::for_one_line(delivery_id, 80) +
                       "\"; give the whole delivery id");
  }
  // RFC 5322, 3.6.4: the answered mail's references, then its own id.
  const Json& event = rows.front().event;
  const std::string message_id = event.text("internet_message_id");
  mail.in_reply_to = message_id;
  for (const Json& reference : event.find("references")->items()) mail.references.push_back(reference.as_string());
  if (mail.references.empty() && !event.text("in_reply_to").empty())
    mail.references.push_back(event.text("in_reply_to"));
  if (!message_id.empty()) mail.references.push_back(message_id);
}

void add_attachments(const std::vector<std::string>& files, runtime::OutgoingMail& mail) {
  for (const std::string& file : files) {
    if (::access(file.c_str(), R_OK) != 0)
      throw MessageError("attach: " + std::string(base::FileError("read", file, errno).what()));
    std::error_code error;
    if (!std::filesystem::is_regular_file(file, error)) throw MessageError("attach: " + file + " is not a file");
    const std::string name = std::filesystem::path(file).filename().string();
    mail.attachments.push_back(
        {base::to_valid_utf8(name), runtime::media_type_of(name), "", std::filesystem::absolute(file)});
  }
  runtime::mark_inline(mail);
}

}  // namespace

Draft draft_of(const base::Options& options) {
  Draft draft;
  draft.from = options.value("--from").value_or("");
  draft.to = options.values("--to");
  draft.cc = options.values("--cc");
  draft.bcc = options.values("--bcc");
  draft.reply_to = options.values("--reply-to");
  draft.subject = options.value("--subject");
  if (const auto file = options.value("--text")) draft.text = body_from(*file, "--text");
  if (const auto file = options.value("--html")) draft.html = body_from(*file, "--html");
  draft.in_reply_to = options.value("--in-reply-to");
  draft.key = options.value("--key");
  draft.attach = options.values("--attach");
  draft.automatic = options.has("--automatic");
  return draft;
}

Draft draft_of(const Json& line) {
  if (!line.is_object()) throw MessageError("an object is expected, not " + std::string(line.kind()));
  Draft draft;
  const std::vector<std::string> known{"from",    "to",          "cc",   "bcc",       "reply_to",
                                       "subject", "text",        "html", "text_file", "html_file",
                                       "attach",  "in_reply_to", "key",  "automatic"};
  for (const auto& [key, value] : line.members()) {
    if (value.is_null()) continue;
    if (key == "from") {
      draft.from = text_of(value, key);
    } else if (key == "to") {
      draft.to = texts_of(value, key);
    } else if (key == "cc") {
      draft.cc = texts_of(value, key);
    } else if (key == "bcc") {
      draft.bcc = texts_of(value, key);
    } else if (key == "reply_to") {
      draft.reply_to = texts_of(value, key);
    } else if (key == "subject") {
      draft.subject = text_of(value, key);
    } else if (key == "text") {
      draft.text = text_of(value, key);
    } else if (key == "html") {
      draft.html = text_of(value, key);
    } else if (key == "text_file") {
      draft.text = body_from(text_of(value, key), key);
    } else if (key == "html_file") {
      draft.html = body_from(text_of(value, key), key);
    } else if (key == "attach") {
      draft.attach = texts_of(value, key);
    } else if (key == "in_reply_to") {
      draft.in_reply_to = text_of(value, key);
    } else if (key == "key") {
      draft.key = text_of(value, key);
    } else if (key == "automatic") {
      if (!value.is_bool())
        throw MessageError("automatic: true or false is expected, not " + std::string(value.kind()));
      draft.automatic = value.as_bool();
    } else {
      throw MessageError(key + ": unknown key" + base::did_you_mean(key, known));
    }
  }
  return draft;
}

Composed compose(const Draft& draft, const configurator::Configuration& configuration, runtime::HostStore& store) {
  Composed composed;
  runtime::OutgoingMail& mail = composed.mail;
  if (draft.from.empty()) throw MessageError("from: is missing: the address of a queue with \"sender\": true");
  set_sender(draft.from, configuration, mail);
  mail.to = people_of(draft.to, "to");
  mail.cc = people_of(draft.cc, "cc");
  mail.bcc = people_of(draft.bcc, "bcc");
  mail.reply_to = people_of(draft.reply_to, "reply_to");
  if (mail.to.empty() && mail.cc.empty() && mail.bcc.empty()) throw MessageError("to: is missing: who shall get it");
  if (!draft.subject) throw MessageError("subject: is missing");
  if (!draft.text && !draft.html) throw MessageError("text: is missing: give a text, an html body or both");
  mail.subject = *draft.subject;
  mail.text = draft.text;
  mail.html = draft.html;
  mail.automatic = draft.automatic;
  if (draft.in_reply_to) set_answered(*draft.in_reply_to, store, mail);
  add_attachments(draft.attach, mail);
  composed.key = draft.key.value_or(base::random_name());
  if (composed.key.empty() || composed.key.size() > kLongestKey) {
    throw MessageError("key: must have 1 to " + std::to_string(kLongestKey) + " bytes");
  }
  return composed;
}

}  // namespace commands
