#include "runtime/message_event.h"

#include <string_view>
#include <utility>

#include "base/clock.h"
#include "runtime/html_text.h"
#include "runtime/known.h"

namespace runtime {
namespace {

using base::Json;

Json size_of(std::int64_t size) {
  return size < 0 ? Json() : Json(size);
}

Json person(Person person) {
  Json::Members members;
  members.reserve(2);
  members.emplace_back("name", known(std::move(person.name)));
  members.emplace_back("address", known(std::move(person.address)));
  return Json::object(std::move(members));
}

Json person_or_null(Person one) {
  return one.name.empty() && one.address.empty() ? Json() : person(std::move(one));
}

Json people(std::vector<Person> all) {
  Json::Array list;
  list.reserve(all.size());
  for (Person& one : all) list.push_back(person(std::move(one)));
  return Json::array(std::move(list));
}

Json texts(std::vector<std::string> all) {
  Json::Array list;
  list.reserve(all.size());
  for (std::string& one : all) list.emplace_back(std::move(one));
  return Json::array(std::move(list));
}

Json pairs(std::vector<std::pair<std::string, std::string>> all) {
  Json::Array list;
  list.reserve(all.size());
  for (auto& [first, second] : all) {
    Json::Array pair;
    pair.reserve(2);
    pair.emplace_back(std::move(first));
    pair.emplace_back(std::move(second));
    list.push_back(Json::array(std::move(pair)));
  }
  return Json::array(std::move(list));
}

Json attachments(const std::vector<StoredAttachment>& all) {
  Json list = Json::array();
  for (const StoredAttachment& one : all) {
    list.push(Json::object({{"name", known(one.name)},
                            {"media_type", known(one.media_type)},
                            {"size", size_of(one.size)},
                            {"sha256", known(one.sha256)},
                            {"inline", one.is_inline},
                            {"content_id", known(one.content_id)},
                            {"kind", one.kind}}));
  }
  return list;
}

Json report(const ReceivedMail& mail, const HostView& view) {
  if (!mail.report) return Json();
  constexpr const char* kinds[] = {"", "failed", "delayed", "delivered", "read"};
  const bool named = mail.report->kind >= MAILPLUGIN_REPORT_FAILED && mail.report->kind <= MAILPLUGIN_REPORT_READ;
  return Json::object({{"kind", named ? Json(kinds[mail.report->kind]) : Json()},
                       {"recipient", known(mail.report->recipient)},
                       {"status", known(mail.report->status)},
                       {"original_message_id", known(mail.report->original_message_id)},
                       {"key", view.report_key}});
}

std::string importance(uint32_t value) {
  if (value == MAILPLUGIN_IMPORTANCE_LOW) return "low";
  return value == MAILPLUGIN_IMPORTANCE_HIGH ? "high" : "normal";
}

}  // namespace

std::vector<std::string> names_of_flags(uint32_t flags) {
  const std::pair<uint32_t, const char*> known_flags[] = {
      {MAILPLUGIN_AUTO_SUBMITTED, "auto_submitted"},
      {MAILPLUGIN_BOUNCE, "bounce"},
      {MAILPLUGIN_READ_RECEIPT, "read_receipt"},
      {MAILPLUGIN_MEETING, "meeting"},
      {MAILPLUGIN_BULK, "bulk"},
      {MAILPLUGIN_OWN_MAIL, "own_mail"},
      {MAILPLUGIN_ENCRYPTED, "encrypted"},
      {MAILPLUGIN_SIGNED, "signed"},
      {MAILPLUGIN_RIGHTS_PROTECTED, "rights_protected"},
      {MAILPLUGIN_LINKS_REWRITTEN, "links_rewritten"},
      {MAILPLUGIN_SCAN_PENDING, "scan_pending"},
      {MAILPLUGIN_ATTACHMENTS_REPLACED, "attachments_replaced"},
      {MAILPLUGIN_OVERSIZE, "oversize"},
  };
  std::vector<std::string> names;
  for (const auto& [bit, name] : known_flags) {
    if ((flags & bit) != 0) names.emplace_back(name);
  }
  return names;
}

std::string thread_of(const ReceivedMail& mail) {
  return mail.references.empty() ? mail.internet_message_id : mail.references.front();
}

Json message_keys(const configurator::Address& address, ReceivedMail mail, StoredParts parts, HostView view) {
  Json text;
  Json text_source;
  if (parts.text) {
    text = std::move(*parts.text);
    text_source = "wire";
  } else if (parts.html) {
    text = text_from_html(*parts.html);
    text_source = "derived";
  }
  constexpr std::size_t kKeys = 33;
  Json::Members keys;
  keys.reserve(kKeys);
  const auto add = [&keys](std::string_view key, Json value) { keys.emplace_back(key, std::move(value)); };
  add("queue", address.queue);
  add("address", address.address);
  add("priority", address.priority);
  add("language", address.language);
  add("delivery_id", std::move(mail.stable_id));
  add("message_id", known(std::move(mail.service_id)));
  add("internet_message_id", known(std::move(mail.internet_message_id)));
  add("conversation_id", known(std::move(mail.conversation_id)));
  add("thread_key", known(std::move(view.thread_key)));
  add("in_reply_to", known(std::move(mail.in_reply_to)));
  add("references", texts(std::move(mail.references)));
  add("from", person_or_null(std::move(mail.from)));
  add("sender", person_or_null(std::move(mail.sender)));
  add("to", people(std::move(mail.to)));
  add("cc", people(std::move(mail.cc)));
  add("bcc", people(std::move(mail.bcc)));
  add("reply_to", people(std::move(mail.reply_to)));
  add("delivered_to", known(std::move(mail.delivered_to)));
  add("folder", known(std::move(mail.folder)));
  add("importance", importance(mail.importance));
  add("size", size_of(mail.size_bytes));
  add("read_receipt_requested", (mail.flags & MAILPLUGIN_READ_RECEIPT_REQUESTED) != 0);
  add("subject", known(std::move(mail.subject)));
  add("sent", base::known_time(mail.sent_unix_ms));
  add("received", base::known_time(mail.received_unix_ms));
  add("text", std::move(text));
  add("text_source", std::move(text_source));
  add("html", parts.html ? Json(std::move(*parts.html)) : Json());
  add("headers", pairs(std::move(mail.headers)));
  add("attachments", attachments(parts.attachments));
  add("flags", texts(names_of_flags(mail.flags)));
  add("report", report(mail, view));
  add("links", pairs(std::move(mail.links)));
  return Json::object(std::move(keys));
}

Json message_event(Json keys, bool redelivered, const std::string& verdict, std::int64_t now_unix_ms) {
  constexpr std::size_t kMore = 4;
  Json::Members event;
  event.reserve(keys.members().size() + kMore);
  event.emplace_back("event", "message");
  event.emplace_back("time", base::to_rfc3339(now_unix_ms));
  for (Json::Member& member : keys.members()) {
    const bool id = member.first == "delivery_id";
    event.push_back(std::move(member));
    if (id) event.emplace_back("redelivered", redelivered);
  }
  event.emplace_back("verdict", verdict);
  return Json::object(std::move(event));
}

}  // namespace runtime
