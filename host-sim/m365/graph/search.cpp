#include "m365/graph/search.h"

#include <algorithm>

#include "m365/mime/html.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

std::string shown(const std::vector<Address>& addresses) {
  std::string text;
  for (const auto& address : addresses) text += address.name + " " + address.address + "\n";
  return text;
}

std::string sender_of(const Message& message) {
  return message.from ? shown({*message.from}) : std::string();
}

std::string body_of(const Message& message) {
  return message.text.value_or("") + "\n" + (message.html ? html_to_text(*message.html) : std::string());
}

std::string names_of(const std::vector<Attachment>& attachments) {
  std::string text;
  for (const auto& attachment : attachments) text += attachment.name.value_or("") + "\n";
  return text;
}

bool is_property(std::string_view name) {
  for (const std::string_view known : {"attachment", "bcc", "body", "cc", "from", "hasattachment", "hasattachments",
                                       "importance", "participants", "recipients", "subject", "to"}) {
    if (name == known) return true;
  }
  return false;
}

std::string text_of(const Message& message, const std::string& property) {
  if (property == "subject") return message.subject.value_or("");
  if (property == "body") return body_of(message);
  if (property == "from") return sender_of(message);
  if (property == "to") return shown(message.to);
  if (property == "cc") return shown(message.cc);
  if (property == "bcc") return shown(message.bcc);
  if (property == "attachment") return names_of(message.attachments);
  if (property == "importance") return message.importance;
  if (property == "hasattachment" || property == "hasattachments")
    return message.has_real_attachments() ? "true" : "false";
  const std::string recipients = shown(message.to) + shown(message.cc) + shown(message.bcc);
  if (property == "recipients") return recipients;
  if (property == "participants") return sender_of(message) + recipients;
  return message.subject.value_or("") + "\n" + body_of(message) + "\n" + sender_of(message);
}

}  // namespace

Search Search::parse(std::string_view text) {
  text = trim(text);
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') text = text.substr(1, text.size() - 2);
  const std::string all = replace_all(std::string(text), "\\\"", "\"");
  std::vector<std::string> words(1);
  bool quoted = false;
  for (const char c : all) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ' ' && !quoted) {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  Search search;
  search.either_.emplace_back();
  for (auto& word : words) {
    if (word.empty() || word == "AND") continue;
    if (word == "OR") {
      search.either_.emplace_back();
      continue;
    }
    const auto colon = word.find(':');
    Term term{{}, word};
    if (colon != std::string::npos && is_property(lower(word.substr(0, colon))))
      term = {lower(word.substr(0, colon)), word.substr(colon + 1)};
    search.either_.back().push_back(std::move(term));
  }
  return search;
}

bool Search::finds(const Message& message) const {
  return std::any_of(either_.begin(), either_.end(), [&](const std::vector<Term>& all) {
    if (all.empty() && either_.size() > 1) return false;  // nothing beside an "OR"
    return std::all_of(all.begin(), all.end(), [&](const Term& term) {
      return contains_ignoring_case(text_of(message, term.property), term.words);
    });
  });
}

}  // namespace embedded
