#include "runtime/message_event.h"

#include "base/clock.h"
#include "runtime/html_text.h"

namespace runtime {
namespace {

using base::Json;

// What a mail lacks is null, never left out.
Json known(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

Json size_of(std::int64_t size) {
  return size < 0 ? Json() : Json(size);
}

Json person(const Person& person) {
  return Json::object({{"name", known(person.name)}, {"address", known(person.address)}});
}

Json person_or_null(const Person& one) {
  return one.name.empty() && one.address.empty() ? Json() : person(one);
}

Json people(const std::vector<Person>& all) {
  Json list = Json::array();
  for (const Person& one : all) list.push(person(one));
  return list;
}

Json texts(const std::vector<std::string>& all) {
  Json list = Json::array();
  for (const std::string& one : all) list.push(one);
  return list;
}

Json pairs(const std::vector<std::pair<std::string, std::string>>& all) {
  Json list = Json::array();
  for (const auto& one : all) list.push(Json::array({Json(one.first), Json(one.second)}));
  return list;
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

Json message_keys(const configurator::Address& address, const ReceivedMail& mail, const StoredParts& parts,
                  const HostView& view) {
  Json text;
  Json text_source;
  if (parts.text) {
    text = *parts.text;
    text_source = "wire";
  } else if (parts.html) {
    text = text_from_html(*parts.html);
    text_source = "derived";
  }
  return Json::object({
      {"queue", address.queue},
      {"address", address.address},
      {"priority", address.priority},
      {"language", address.language},
      {"delivery_id", mail.stable_id},
      {"message_id", known(mail.service_id)},
      {"internet_message_id", known(mail.internet_message_id)},
      {"conversation_id", known(mail.conversation_id)},
      {"thread_key", known(view.thread_key)},
      {"in_reply_to", known(mail.in_reply_to)},
      {"references", texts(mail.references)},
      {"from", person_or_null(mail.from)},
      {"sender", person_or_null(mail.sender)},
      {"to", people(mail.to)},
      {"cc", people(mail.cc)},
      {"bcc", people(mail.bcc)},
      {"reply_to", people(mail.reply_to)},
      {"delivered_to", known(mail.delivered_to)},
      {"folder", known(mail.folder)},
      {"importance", importance(mail.importance)},
      {"size", size_of(mail.size_bytes)},
      {"read_receipt_requested", (mail.flags & MAILPLUGIN_READ_RECEIPT_REQUESTED) != 0},
      {"subject", known(mail.subject)},
      {"sent", base::known_time(mail.sent_unix_ms)},
      {"received", base::known_time(mail.received_unix_ms)},
      {"text", text},
      {"text_source", text_source},
      {"html", parts.html},
      {"headers", pairs(mail.headers)},
      {"attachments", attachments(parts.attachments)},
      {"flags", texts(names_of_flags(mail.flags))},
      {"report", report(mail, view)},
      {"links", pairs(mail.links)},
  });
}

Json message_event(const Json& keys, bool redelivered, const std::string& verdict, std::int64_t now_unix_ms) {
  Json event = Json::object({{"event", "message"}, {"time", base::to_rfc3339(now_unix_ms)}});
  for (const auto& [key, value] : keys.members()) {
    event.set(key, value);
    if (key == "delivery_id") event.set("redelivered", redelivered);
  }
  event.set("verdict", verdict);
  return event;
}

}  // namespace runtime
