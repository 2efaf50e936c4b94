// The documented answers of the service, where they lie beside the repository (skipped where they do not): of each, all
// that the product uses comes out, compared with Poco's reading of the same JSON. Every file is named here, also those
// that the product does not decode.
#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <set>

#include "m365/graph/graph_client_batch.h"
#include "m365/graph/graph_errors.h"
#include "m365/message/attachment_parts.h"
#include "m365/message/builder_support.h"
#include "m365/message/classify.h"
#include "m365/outgoing/draft_message.h"
#include "m365/outgoing/draft_search.h"
#include "m365/outgoing/upload_attachment.h"

namespace {

using Poco::Dynamic::Var;
using Poco::JSON::Array;
using Poco::JSON::Object;

/// One example; a file that is JSON alone has status 200.
struct Example {
  std::string name;
  http::Response answer;
};

Example read_example(const std::filesystem::path& path) {
  Example example{path.filename().string(), {200, {}, {}}};
  const auto text = support::shared_file("reference/graph-examples/" + example.name);
  std::istringstream lines(text.value_or(""));
  if (!text->starts_with("HTTP/")) {
    example.answer.body = *text;
    return example;
  }
  std::string line;
  std::getline(lines, line);
  example.answer.status = std::stoi(line.substr(line.find(' ')));
  while (std::getline(lines, line) && !line.empty() && line != "\r") {
    const std::size_t colon = line.find(':');
    if (line.back() == '\r') line.pop_back();
    example.answer.headers.add(line.substr(0, colon), line.substr(line.find_first_not_of(' ', colon + 1)));
  }
  example.answer.body.assign(std::istreambuf_iterator<char>(lines), {});
  return example;
}

Object::Ptr object_of(const std::string& json) {
  return Poco::JSON::Parser().parse(json).extract<Object::Ptr>();
}

// "" where it is missing or null, as in the rows.
std::string text(const Object::Ptr& object, const std::string& key) {
  const Var value = object->get(key);
  return value.isEmpty() ? std::string() : value.toString();
}

void same_text(const Example& example, const Object::Ptr& json, const char* key,
               const std::optional<std::string>& decoded) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name + " " + key, json->has(key), decoded.has_value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name + " " + key, text(json, key), decoded.value_or(""));
}

void same_flag(const Example& example, const Object::Ptr& json, const char* key, const std::optional<bool>& decoded) {
  const std::string written = text(json, key);  // true, or "true"
  CPPUNIT_ASSERT_MESSAGE(example.name + " " + key, written.empty() ? !decoded : decoded == (written == "true"));
}

// A date as the documents' samples have them, or "datetime-value", which stands for one and is none.
void same_time(const Example& example, const Object::Ptr& json, const char* key,
               const std::optional<mail::WallTime>& decoded) {
  const std::string written = text(json, key);
  const std::string told = decoded ? m365::format_time(*decoded) : written == "datetime-value" ? written : "";
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name + " " + key, written, told);
}

mail::Address address_of(const Object::Ptr& recipient) {
  const Object::Ptr address = recipient->getObject("emailAddress");
  return {text(address, "name"), text(address, "address")};
}

void same_address(const Example& example, const Object::Ptr& json, const char* key,
                  const std::optional<mail::Address>& decoded) {
  const Object::Ptr recipient = json->getObject(key);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name + " " + key, !recipient.isNull(), decoded.has_value());
  if (decoded) CPPUNIT_ASSERT_MESSAGE(example.name + " " + key, *decoded == address_of(recipient));
}

void same_addresses(const Example& example, const Object::Ptr& json, const char* key,
                    const std::vector<mail::Address>& decoded) {
  std::vector<mail::Address> written;
  if (const Array::Ptr list = json->getArray(key)) {
    for (unsigned i = 0; i < list->size(); ++i) written.push_back(address_of(list->getObject(i)));
  }
  CPPUNIT_ASSERT_MESSAGE(example.name + " " + key, written == decoded);
}

// Every property of a message that the product selects.
void same_message(const Example& example, const Object::Ptr& json, const m365::MessageRow& row) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "id"), row.id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, json->has("@removed"), row.removed);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "@odata.type"), row.odata_type);
  same_text(example, json, "subject", row.subject);
  same_text(example, json, "internetMessageId", row.internet_message_id);
  same_text(example, json, "conversationId", row.conversation_id);
  same_text(example, json, "parentFolderId", row.parent_folder_id);
  same_text(example, json, "importance", row.importance);
  same_flag(example, json, "isRead", row.is_read);
  same_flag(example, json, "isDraft", row.is_draft);
  same_flag(example, json, "hasAttachments", row.has_attachments);
  same_flag(example, json, "isReadReceiptRequested", row.read_receipt_requested);
  same_time(example, json, "receivedDateTime", row.received);
  same_time(example, json, "sentDateTime", row.sent);
  same_address(example, json, "from", row.from);
  same_address(example, json, "sender", row.sender);
  same_addresses(example, json, "toRecipients", row.to);
  same_addresses(example, json, "ccRecipients", row.cc);
  same_addresses(example, json, "bccRecipients", row.bcc);
  same_addresses(example, json, "replyTo", row.reply_to);
  const Object::Ptr body = json->getObject("body");
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, !body.isNull(), row.body.has_value());
  if (!body.isNull()) {
    CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(body, "content"), *row.body);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(body, "contentType"), row.body_type.value_or(""));
  }
  std::vector<std::pair<std::string, std::string>> headers;
  const Array::Ptr written = json->getArray("internetMessageHeaders");
  for (unsigned i = 0; !written.isNull() && i < written->size(); ++i) {
    headers.emplace_back(text(written->getObject(i), "name"), text(written->getObject(i), "value"));
  }
  CPPUNIT_ASSERT_MESSAGE(example.name, headers == row.headers);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, !written.isNull(), row.has_headers);
  // What stands there and is not as documented would be listed.
  const std::set<std::string> placeholders{"receivedDateTime", "sentDateTime", "lastModifiedDateTime"};
  for (const std::string& key : row.unreadable) {
    CPPUNIT_ASSERT_MESSAGE(example.name + " " + key,
                           placeholders.count(key) == 1 && text(json, key) == "datetime-value");
  }
}

void message(const Example& example) {
  same_message(example, object_of(example.answer.body), m365::decode_message(example.answer.body));
}

void message_page(const Example& example) {
  const Object::Ptr json = object_of(example.answer.body);
  const m365::MessagePage page = m365::decode_message_page(example.answer.body);
  const Array::Ptr rows = json->getArray("value");
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, rows->size(), page.rows.size());
  for (unsigned i = 0; i < rows->size(); ++i) same_message(example, rows->getObject(i), page.rows[i]);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "@odata.nextLink"), page.next_link);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "@odata.deltaLink"), page.delta_link);
}

void delta_page(const Example& example) {
  message_page(example);
  const m365::MessagePage page = m365::decode_message_page(example.answer.body);
  CPPUNIT_ASSERT_MESSAGE(example.name, !page.broken_links);
  // They tell of changes: none has all that a delivery needs.
  CPPUNIT_ASSERT_MESSAGE(example.name, std::none_of(page.rows.begin(), page.rows.end(),
                                                    [](const m365::MessageRow& row) { return row.complete(); }));
}

void whole_message(const Example& example) {
  message(example);
  CPPUNIT_ASSERT_MESSAGE(example.name, m365::decode_message(example.answer.body).complete());
}

void meeting(const Example& example) {
  whole_message(example);
  const m365::MessageRow row = m365::decode_message(example.answer.body);
  CPPUNIT_ASSERT_MESSAGE(example.name, (m365::classify(row, {}).flags & mail::meeting) != 0);
  CPPUNIT_ASSERT_MESSAGE(example.name, m365::classify(row, {}).meeting_details);
}

// A draft as it was made: its id is what everything else hangs on; a later look reads the others.
void draft(const Example& example) {
  message(example);
  const Object::Ptr json = object_of(example.answer.body);
  CPPUNIT_ASSERT_MESSAGE(example.name, !text(json, "id").empty());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "id"), m365::created_id(example.answer.body));
  const m365::Sighting seen = m365::read_sighting(example.answer.body, "support@contoso.com");
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "id"), seen.id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "parentFolderId"), seen.folder_id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "internetMessageId"), seen.internet_message_id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "conversationId"), seen.conversation_id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, json->has("isDraft"), seen.is_draft.has_value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "isDraft") == "true", seen.is_draft.value_or(false));
}

// No id in it: a draft that cannot be held on to.
void draft_without_id(const Example& example) {
  message(example);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string(), m365::created_id(example.answer.body));
}

void same_attachment(const Example& example, const Object::Ptr& json, const m365::AttachmentRow& row) {
  using Kind = m365::AttachmentRow::Kind;
  const std::string type = text(json, "@odata.type");
  CPPUNIT_ASSERT_MESSAGE(example.name, row.kind == (type.ends_with("itemAttachment")        ? Kind::item
                                                    : type.ends_with("referenceAttachment") ? Kind::reference
                                                                                            : Kind::file));
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "id"), row.id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "name"), row.name);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "contentType"), row.content_type);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "contentId"), row.content_id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "size"), std::to_string(row.size));
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "isInline") == "true", row.is_inline);
}

// Lists are asked for; a sample of one attachment is read as the list of it.
void attachment(const Example& example) {
  const auto page = m365::decode_attachment_page("{\"value\":[" + example.answer.body + "]}");
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::size_t{1}, page.rows.size());
  same_attachment(example, object_of(example.answer.body), page.rows[0]);
}

void attachment_page(const Example& example) {
  const Array::Ptr rows = object_of(example.answer.body)->getArray("value");
  const auto page = m365::decode_attachment_page(example.answer.body);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, rows->size(), page.rows.size());
  for (unsigned i = 0; i < rows->size(); ++i) same_attachment(example, rows->getObject(i), page.rows[i]);
  CPPUNIT_ASSERT_MESSAGE(example.name, page.next_link.empty());
}

// The bytes of an attachment, passed on as they came; of an item the first ones tell what it is.
void attachment_bytes(const Example& example, const char* media_type) {
  support::BuilderFixture f;
  f.row.has_attachments = true;
  f.graph.on("/contentId",
             {200, R"({"value":[{"@odata.type":"#microsoft.graph.itemAttachment","id":"1","name":"n"}]})"});
  f.graph.on("/attachments/1/$value", {200, example.answer.body});
  const mail::Mail mail = f.build().mail;
  const mail::Part& part = *support::parts_of(mail, mail::PartKind::attachment).at(0);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string(media_type), part.media_type);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, example.answer.body, support::read_all(part));
}
void attached_mail(const Example& example) {
  attachment_bytes(example, "message/rfc822");
}
void attached_contact(const Example& example) {
  attachment_bytes(example, "text/vcard");
}
void attached_event(const Example& example) {
  attachment_bytes(example, "text/calendar");
}

// The whole mail as MIME, passed on as it came.
void original(const Example& example) {
  support::BuilderFixture f;
  f.graph.on("/messages/AAMk%3D/$value", {200, example.answer.body});
  const mail::Mail mail = f.build().mail;
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, example.answer.body,
                               support::read_all(*support::parts_of(mail, mail::PartKind::original).at(0)));
}

void same_folder(const Example& example, const Object::Ptr& json, const m365::FolderRow& row) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "id"), row.id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "displayName"), row.name);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "parentFolderId"), row.parent_id);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "totalItemCount"), std::to_string(row.total));
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "unreadItemCount"), std::to_string(row.unread));
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "childFolderCount"), std::to_string(row.child_folders));
}

void folder(const Example& example) {
  same_folder(example, object_of(example.answer.body), m365::decode_folder(example.answer.body));
}

void folder_page(const Example& example) {
  const Object::Ptr json = object_of(example.answer.body);
  const Array::Ptr rows = json->getArray("value");
  const m365::FolderPage page = m365::decode_folder_page(example.answer.body);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, rows->size(), page.rows.size());
  for (unsigned i = 0; i < rows->size(); ++i) same_folder(example, rows->getObject(i), page.rows[i]);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "@odata.nextLink"), page.next_link);
}

void upload_session(const Example& example) {
  const Object::Ptr json = object_of(example.answer.body);
  const auto session = m365::read_upload_session(example.answer.body);
  CPPUNIT_ASSERT_MESSAGE(example.name, example.answer.status == 201 && session && session->offset == 0);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "uploadUrl"), session->url);
  CPPUNIT_ASSERT_MESSAGE(example.name, session->expires.has_value());
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(json, "expirationDateTime").substr(0, 19),
                               m365::format_time(*session->expires).substr(0, 19));
}

void upload_progress(const Example& example) {
  CPPUNIT_ASSERT_MESSAGE(example.name, m365::next_expected(example.answer.body) == 2'097'152u);
}

// Of these answers the product looks at the status alone; what it does with each is tests/unit/m365/outgoing's.
void status_alone(const Example& example) {
  const bool body = example.answer.body.find('{') != std::string::npos;
  CPPUNIT_ASSERT_MESSAGE(example.name, !body && example.answer.status > 200 && example.answer.status < 205);
}

m365::GraphError refusal(const Example& example, int status) {
  http::Response answer = example.answer;
  answer.status = status;
  return m365::graph_error(answer, {"support@contoso.com", "look", false}, "");
}

void refused_for_good(const Example& example) {
  const auto error = refusal(example, example.answer.status);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("ErrorMimeContentInvalidBase64String"), error.fault().code);
  CPPUNIT_ASSERT_MESSAGE(example.name, error.action() == m365::Action::permanent && !error.fault().maybe_done);
  CPPUNIT_ASSERT_MESSAGE(example.name, error.fault().remedy == mail::Remedy::item);
}

void not_implemented(const Example& example) {
  const auto error = refusal(example, example.answer.status);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("NotImplemented"), error.fault().code);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("..."), error.fault().request_id);
}

void refused_range(const Example& example) {
  const auto error = refusal(example, 416);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("invalidRange"), error.fault().code);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("request-id"), error.fault().request_id);
  CPPUNIT_ASSERT_MESSAGE(example.name, error.fault().text.find("overlaps") == std::string::npos);
}

void refusal_without_code(const Example& example) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("HTTP 400"), refusal(example, 400).fault().code);
}

// The documents' picture of the inner object, as if it stood alone.
void refusal_without_frame(const Example& example) {
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("string"), refusal(example, 400).fault().code);
}

void throttled(const Example& example) {
  const auto error = refusal(example, example.answer.status);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("TooManyRequests"), error.fault().code);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("94fb3b52-452a-4535-a601-69e0a90e3aa2"),
                               error.fault().request_id);
  CPPUNIT_ASSERT_MESSAGE(example.name, error.fault().retry_after == std::chrono::milliseconds{2'128});
  CPPUNIT_ASSERT_MESSAGE(example.name,
                         error.action() == m365::Action::repeat && error.fault().cause == mail::Cause::throttled);
}

void batch(const Example& example) {
  std::string body = example.answer.body;
  const auto answers = m365::parse_batch(body, 5);
  CPPUNIT_ASSERT_MESSAGE(example.name, answers && answers->size() == 5);
  // In the order of the questions, not of the answers; the fifth has none.
  std::vector<int> statuses;
  for (const m365::BatchAnswer& answer : *answers) statuses.push_back(answer.status);
  CPPUNIT_ASSERT_MESSAGE(example.name, (statuses == std::vector<int>{302, 200, 401, 204, 0}));
  const Array::Ptr written = object_of(example.answer.body)->getArray("responses");
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(written->getObject(0)->getObject("headers"), "location"),
                               answers->at(0).headers.get("Location"));
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, text(written->getObject(2)->getObject("body"), "@odata.context"),
                               text(object_of(answers->at(1).body), "@odata.context"));
  const m365::GraphError error = m365::graph_error({401, {}, answers->at(2).body}, {"m", "look", false}, "");
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string("Forbidden"), error.fault().code);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(example.name, std::string(), answers->at(3).body);
}

/// What the product has to do with a file: a check, or the reason why there is none.
struct Use {
  void (*check)(const Example&) = nullptr;
  const char* not_decoded = nullptr;
};

const char* const no_notifications = "change notifications need a public endpoint; the product polls";
const char* const no_settings = "the mailbox's settings are not needed, and MailboxSettings.Read is not asked for";

const std::map<std::string, Use> uses{
    {"attachment-createuploadsession.1.http", {upload_session}},
    {"attachment-get.1.http", {attachment}},
    {"attachment-get.2.http", {attachment}},
    {"attachment-get.3.http", {attachment}},  // the item itself, by $expand, is not asked for: it comes by /$value
    {"attachment-get.4.http", {attachment}},
    {"attachment-get.5.http", {attachment}},
    {"attachment-get.6.http", {attached_mail}},  // raw bytes: what is neither calendar nor card counts as a mail
    {"attachment-get.7.http", {attached_contact}},
    {"attachment-get.8.http", {attached_event}},
    {"attachment-get.9.http", {attached_mail}},
    {"delta-query-messages.1.json", {delta_page}},
    {"delta-query-messages.2.json", {delta_page}},
    {"delta-query-messages.3.json", {delta_page}},
    {"delta-query-messages.4.json", {delta_page}},
    {"delta-query-overview.1.http", {not_implemented}},
    {"errors.1.json", {refused_range}},
    {"errors.2.json", {refusal_without_code}},
    {"errors.3.json", {refusal_without_frame}},
    {"eventmessage-get.1.http", {meeting}},
    {"eventmessage-get.2.http", {meeting}},
    {"json-batching.1.json", {batch}},
    {"mailfolder-delta.1.http", {folder_page}},
    {"mailfolder-get.1.http", {folder}},
    {"mailfolder-get.2.http", {folder}},
    {"message-createreply.1.http", {draft_without_id}},
    {"message-createreply.2.http", {draft}},
    {"message-createreply.3.http", {refused_for_good}},
    {"message-delta.1.http", {delta_page}},
    {"message-get.1.http", {whole_message}},
    {"message-get.2.http", {message}},
    {"message-get.3.http", {message}},
    {"message-get.4.http", {original}},
    {"message-list-attachments.1.http", {attachment_page}},
    {"message-move.1.http", {whole_message}},
    {"message-post-attachments.1.http", {attachment}},
    {"message-reply.1.http", {status_alone}},
    {"message-reply.2.http", {status_alone}},
    {"message-reply.3.http", {refused_for_good}},
    {"message-send.1.http", {status_alone}},
    {"message-update.1.http", {message}},
    {"outlook-large-attachments.1.http", {upload_session}},
    {"outlook-large-attachments.2.http", {upload_session}},
    {"outlook-large-attachments.3.http", {upload_progress}},
    {"outlook-large-attachments.4.http", {upload_progress}},
    {"outlook-large-attachments.5.http", {status_alone}},  // Location names the attachment; nothing asks for it
    {"outlook-large-attachments.6.http", {status_alone}},
    {"outlook-large-attachments.7.http", {attached_mail}},
    {"outlook-large-attachments.8.http", {attachment}},
    {"outlook-large-attachments.9.http", {status_alone}},
    {"subscription-post-subscriptions.1.http", {nullptr, no_notifications}},
    {"throttling.1.http", {throttled}},
    {"user-get-mailboxsettings.1.http", {nullptr, no_settings}},
    {"user-get-mailboxsettings.2.http", {nullptr, no_settings}},
    {"user-get-mailboxsettings.3.http", {nullptr, no_settings}},
    {"user-getmailtips.1.http", {nullptr, "what Outlook shows a writer; a contact center writes to customers"}},
    {"user-list-mailfolders.1.http", {folder_page}},
    {"user-list-mailfolders.2.http", {folder_page}},
    {"user-list-messages.1.http", {message_page}},
    {"user-post-messages.1.http", {draft}},
    {"user-post-messages.2.http", {draft}},
    {"user-post-messages.3.http", {draft}},
    {"user-post-messages.4.http", {refused_for_good}},
    {"user-sendmail.1.http", {status_alone}},
    {"user-sendmail.2.http", {status_alone}},
    {"user-sendmail.3.http", {status_alone}},
    {"user-sendmail.4.http", {status_alone}},
    {"user-sendmail.5.http", {refused_for_good}},
    {"user-translateexchangeids.1.http", {nullptr, "needs User.Read.All; ids are asked for immutable from the start"}},
    {"webhooks-lifecycle.1.json", {nullptr, no_notifications}},
    {"webhooks-lifecycle.2.json", {nullptr, no_notifications}},
    {"webhooks-lifecycle.3.json", {nullptr, no_notifications}},
};

class ExamplesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ExamplesTest);
  CPPUNIT_TEST(every_example);
  CPPUNIT_TEST(details);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_example() {
    const auto folder = examples();
    if (!folder) return;
    std::set<std::string> left;
    for (const auto& [name, use] : uses) {
      left.insert(name);
      CPPUNIT_ASSERT_MESSAGE(name, (use.check == nullptr) == (use.not_decoded != nullptr));
    }
    for (const auto& entry : std::filesystem::directory_iterator(*folder)) {
      const Example example = read_example(entry.path());
      CPPUNIT_ASSERT_EQUAL_MESSAGE("nothing is said about " + example.name, std::size_t{1}, left.erase(example.name));
      if (const Use& use = uses.at(example.name); use.check) use.check(example);
    }
    CPPUNIT_ASSERT(left.empty());
  }

  // Some values as a person reads them, so that two readers which err alike are found out.
  void details() {
    const auto folder = examples();
    if (!folder) return;
    const auto body = [&folder](const char* name) { return read_example(*folder / name).answer.body; };
    const m365::MessageRow get = m365::decode_message(body("message-get.1.http"));
    CPPUNIT_ASSERT_EQUAL(std::string("AAMkADhMGAAA="), get.id);
    CPPUNIT_ASSERT_EQUAL(std::string("9/9/2018: concert"), *get.subject);
    CPPUNIT_ASSERT_EQUAL(std::string("2018-09-09T03:15:08Z"), m365::format_time(*get.received));
    CPPUNIT_ASSERT((get.to == std::vector<mail::Address>{{"Alex Wilber", "AlexW@contoso.OnMicrosoft.com"}}));
    const m365::MessageRow headers = m365::decode_message(body("message-get.2.http"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, headers.headers.size());
    CPPUNIT_ASSERT_EQUAL(std::string("multipart/report"), headers.headers[1].second);
    const m365::MessageRow text = m365::decode_message(body("message-get.3.http"));
    CPPUNIT_ASSERT(text.body_type == "text" && text.body->find("\xF0\x9F\x98\x8A") != std::string::npos);
    const auto page = m365::decode_message_page(body("delta-query-messages.4.json"));
    CPPUNIT_ASSERT(page.rows.at(0).removed && !page.rows.at(1).removed);
    CPPUNIT_ASSERT(page.rows[1].is_read == true);  // "true", as a string
    CPPUNIT_ASSERT((*page.rows[1].sender == mail::Address{"Dana Swope", "danas@contoso.onmicrosoft.com"}));
    const auto folders = m365::decode_folder_page(body("user-list-mailfolders.1.http"));
    CPPUNIT_ASSERT_EQUAL(std::string("Inbox"), folders.rows.at(4).name);
    CPPUNIT_ASSERT(folders.rows[4].total == 71 && folders.rows[4].unread == 70);
  }

 private:
  static std::optional<std::filesystem::path> examples() {
    const char* const shared = std::getenv("MAILPLUGIN_SHARED");
    if (!shared) return std::nullopt;
    std::filesystem::path folder = std::filesystem::path(shared) / "reference" / "graph-examples";
    return std::filesystem::is_directory(folder) ? std::optional(folder) : std::nullopt;
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ExamplesTest);

}  // namespace
