#include "runtime/message_event.h"

#include <array>
#include <utility>

#include "base/clock.h"
#include "base/json_text.h"
#include "runtime/html_text.h"
#include "runtime/text.h"

namespace runtime {
namespace {

using base::Json;
using base::JsonText;

// What is not known is null, never left out.
void known(JsonText& json, std::string_view text) {
  if (text.empty()) {
    json.null();
  } else {
    json.text(text);
  }
}

void size_or_null(JsonText& json, std::int64_t size) {
  if (size < 0) {
    json.null();
  } else {
    json.number(size);
  }
}

void person(JsonText& json, const mailplugin_address& one) {
  json.begin_object().key("name");
  known(json, as_view(one.name));
  json.key("address");
  known(json, as_view(one.address));
  json.end_object();
}

bool is_somebody(const mailplugin_address& one) {
  return !as_view(one.name).empty() || !as_view(one.address).empty();
}

void person_or_null(JsonText& json, const mailplugin_address& one) {
  if (is_somebody(one)) {
    person(json, one);
  } else {
    json.null();
  }
}

void people(JsonText& json, const mailplugin_address* first, std::uint32_t count) {
  json.begin_array();
  for (std::uint32_t i = 0; first != nullptr && i < count; ++i) person(json, first[i]);
  json.end_array();
}

void texts(JsonText& json, const mailplugin_text* first, std::uint32_t count) {
  json.begin_array();
  for (std::uint32_t i = 0; first != nullptr && i < count; ++i) json.text(as_view(first[i]));
  json.end_array();
}

void pairs(JsonText& json, const mailplugin_pair* first, std::uint32_t count) {
  json.begin_array();
  for (std::uint32_t i = 0; first != nullptr && i < count; ++i)
    json.begin_array().text(as_view(first[i].name)).text(as_view(first[i].value)).end_array();
  json.end_array();
}

void attachments(JsonText& json, const std::vector<StoredAttachment>& all) {
  json.begin_array();
  for (const StoredAttachment& one : all) {
    json.begin_object().key("name");
    known(json, one.name);
    json.key("media_type");
    known(json, one.media_type);
    json.key("size");
    size_or_null(json, one.size);
    json.key("sha256");
    known(json, one.sha256);
    json.key("inline").flag(one.is_inline).key("content_id");
    known(json, one.content_id);
    json.key("kind").text(one.kind).end_object();
  }
  json.end_array();
}

// The flags that the contract lists, in its order.
void flags(JsonText& json, std::uint32_t value) {
  constexpr std::array<std::pair<std::uint32_t, std::string_view>, 13> known_flags{{
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
  }};
  json.begin_array();
  for (const auto& [bit, name] : known_flags) {
    if ((value & bit) != 0) json.text(name);
  }
  json.end_array();
}

void report(JsonText& json, const mailplugin_report* report, const HostView& view) {
  if (report == nullptr) {
    json.null();
    return;
  }
  constexpr std::string_view kinds[] = {"", "failed", "delayed", "delivered", "read"};
  const bool named = report->kind >= MAILPLUGIN_REPORT_FAILED && report->kind <= MAILPLUGIN_REPORT_READ;
  json.begin_object().key("kind");
  known(json, named ? kinds[report->kind] : std::string_view());
  json.key("recipient");
  known(json, as_view(report->recipient));
  json.key("status");
  known(json, as_view(report->status));
  json.key("original_message_id");
  known(json, as_view(report->original_message_id));
  json.key("key");
  known(json, view.report_key.value_or(std::string()));
  json.end_object();
}

std::string_view importance(std::uint32_t value) {
  if (value == MAILPLUGIN_IMPORTANCE_LOW) return "low";
  return value == MAILPLUGIN_IMPORTANCE_HIGH ? "high" : "normal";
}

void time_or_null(JsonText& json, std::int64_t unix_ms) {
  known(json, base::known_time(unix_ms).value_or(std::string()));
}

// A mail without a text gets one from its html.
void bodies(JsonText& json, const StoredParts& parts) {
  if (parts.text) {
    json.key("text").text(*parts.text).key("text_source").text("wire");
  } else if (parts.html) {
    json.key("text").text(text_from_html(*parts.html)).key("text_source").text("derived");
  } else {
    json.key("text").null().key("text_source").null();
  }
  json.key("html");
  if (parts.html) {
    json.text(*parts.html);
  } else {
    json.null();
  }
}

std::size_t size_of_bodies(const StoredParts& parts) {
  return (parts.text ? parts.text->size() : 0) + (parts.html ? parts.html->size() : 0);
}

}  // namespace

std::string_view thread_of(const mailplugin_message& mail) {
  if (mail.references != nullptr && mail.reference_count > 0) return as_view(mail.references[0]);
  return as_view(mail.internet_message_id);
}

MessageKeys message_keys(const configurator::Address& address, const mailplugin_message& mail, const StoredParts& parts,
                         const HostView& view) {
  MessageKeys keys;
  constexpr std::size_t kEnvelope = 4096;  // what is beside the bodies, mostly
  keys.json.reserve(kEnvelope + 2 * size_of_bodies(parts));
  JsonText json(keys.json);
  const auto text = [&json](std::string_view key, std::string_view value) {
    json.key(key);
    known(json, value);
  };
  json.begin_object().key("queue").text(address.queue).key("address").text(address.address).key("priority");
  if (address.priority) {
    json.number(*address.priority);
  } else {
    json.null();
  }
  json.key("language").text(address.language);
  json.key("delivery_id").text(as_view(mail.stable_id));
  keys.id_end = keys.json.size();
  text("message_id", as_view(mail.service_id));
  text("internet_message_id", as_view(mail.internet_message_id));
  text("conversation_id", as_view(mail.conversation_id));
  text("thread_key", view.thread_key);
  text("in_reply_to", as_view(mail.in_reply_to));
  json.key("references");
  texts(json, mail.references, mail.reference_count);
  json.key("from");
  person_or_null(json, mail.from);
  json.key("sender");
  person_or_null(json, mail.sender);
  json.key("to");
  people(json, mail.to, mail.to_count);
  json.key("cc");
  people(json, mail.cc, mail.cc_count);
  json.key("bcc");
  people(json, mail.bcc, mail.bcc_count);
  json.key("reply_to");
  people(json, mail.reply_to, mail.reply_to_count);
  text("delivered_to", as_view(mail.delivered_to));
  text("folder", as_view(mail.folder));
  json.key("importance").text(importance(mail.importance)).key("size");
  size_or_null(json, mail.size_bytes);
  json.key("read_receipt_requested").flag((mail.flags & MAILPLUGIN_READ_RECEIPT_REQUESTED) != 0);
  text("subject", as_view(mail.subject));
  json.key("sent");
  time_or_null(json, mail.sent_unix_ms);
  json.key("received");
  time_or_null(json, mail.received_unix_ms);
  bodies(json, parts);
  json.key("headers");
  pairs(json, mail.headers, mail.header_count);
  json.key("attachments");
  attachments(json, parts.attachments);
  json.key("flags");
  flags(json, mail.flags);
  json.key("report");
  report(json, mail.report, view);
  json.key("links");
  pairs(json, mail.links, mail.link_count);
  json.end_object();
  return keys;
}

void append_message_line(std::string& out, std::string_view keys, std::size_t id_end, bool redelivered,
                         std::string_view verdict, std::int64_t now_unix_ms) {
  out += R"({"event":"message","time":")";
  out += base::to_rfc3339(now_unix_ms);
  out += "\",";
  out += keys.substr(1, id_end - 1);
  out += redelivered ? R"(,"redelivered":true)" : R"(,"redelivered":false)";
  out += keys.substr(id_end, keys.size() - id_end - 1);
  out += R"(,"verdict":")";
  out += verdict;
  out += "\"}\n";
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

Json message_glance(const configurator::Address& address, const mailplugin_message& mail, const StoredParts& parts) {
  Json::Members from;
  from.emplace_back("name", as_view(mail.from.name));
  from.emplace_back("address", as_view(mail.from.address));
  Json::Members glance;
  glance.emplace_back("event", "message");
  glance.emplace_back("queue", address.queue);
  glance.emplace_back("priority", address.priority);
  glance.emplace_back("language", address.language);
  glance.emplace_back("from", is_somebody(mail.from) ? Json::object(std::move(from)) : Json());
  glance.emplace_back("subject", as_view(mail.subject));
  glance.emplace_back("attachments", Json::array(Json::Array(parts.attachments.size())));
  return Json::object(std::move(glance));
}

}  // namespace runtime
