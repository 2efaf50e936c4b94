#include "m365/outgoing/outgoing_mailbox.h"

#include <Poco/JSON/Object.h>
#include <Poco/JSON/Parser.h>
#include <Poco/String.h>
#include <Poco/URI.h>
#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>

#include "m365/message/message_row.h"
#include "mail/fault.h"

namespace outgoing {
namespace {

using Poco::JSON::Array;
using Poco::JSON::Object;

const std::string user = "/users/support%40contoso.com";

Object::Ptr object_of(const std::string& json) {
  return Poco::JSON::Parser().parse(json).extract<Object::Ptr>();
}

std::string text(const Object::Ptr& object, const char* name) {
  return object.isNull() || !object->has(name) || object->isNull(name) ? "" : object->getValue<std::string>(name);
}

std::vector<std::string> addresses(const Object::Ptr& object, const char* name) {
  std::vector<std::string> out;
  const Array::Ptr list = object->getArray(name);
  for (std::size_t i = 0; !list.isNull() && i < list->size(); ++i)
    out.push_back(text(list->getObject(static_cast<unsigned>(i))->getObject("emailAddress"), "address"));
  return out;
}

std::string decode(const std::string& base64) {
  std::string out(base64.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(base64.data()), static_cast<int>(base64.size()));
  if (size < 0) throw std::logic_error("bad base64");
  const auto padding = static_cast<std::size_t>(
      std::count(base64.end() - std::min<std::ptrdiff_t>(2, std::ssize(base64)), base64.end(), '='));
  out.resize(static_cast<std::size_t>(size) - padding);
  return out;
}

http::Response error(int status, const std::string& code) {
  http::Response out;
  out.status = status;
  out.headers.add("request-id", "req-1");
  out.body = "{\"error\":{\"code\":\"" + code + "\",\"message\":\"told by the test\"}}";
  return out;
}

mail::FaultError lost(bool maybe_done) {
  mail::Fault fault;
  fault.cause = mail::Cause::network;
  fault.text = "the connection broke";
  fault.maybe_done = maybe_done;
  return mail::FaultError(fault);
}

Attachment attachment_of(const Object::Ptr& object, const std::string& id) {
  Attachment out;
  out.id = id;
  out.name = text(object, "name");
  out.type = text(object, "contentType");
  out.content_id = text(object, "contentId");
  out.is_inline = object->optValue("isInline", false);
  if (object->has("contentBytes")) out.bytes = decode(text(object, "contentBytes"));
  return out;
}

}  // namespace

const std::vector<Break>& all_breaks() {
  static const std::vector<Break> all = {Break::refused,      Break::cut_before, Break::cut_after,   Break::s503,
                                         Break::s504_done,    Break::s504_late,  Break::s429,        Break::s500_done,
                                         Break::s504_lagging, Break::garbage,    Break::kill_before, Break::kill_after};
  return all;
}

const char* name_of(Break how) {
  switch (how) {
    case Break::refused:
      return "refused";
    case Break::cut_before:
      return "cut before";
    case Break::cut_after:
      return "cut after";
    case Break::s503:
      return "503";
    case Break::s504_done:
      return "504, done";
    case Break::s504_late:
      return "504, done late";
    case Break::s429:
      return "429";
    case Break::s500_done:
      return "500, done";
    case Break::s401:
      return "401";
    case Break::s504_lagging:
      return "504, done, search lags";
    case Break::garbage:
      return "garbage";
    case Break::kill_before:
      return "killed before";
    case Break::kill_after:
      return "killed after";
  }
  return "?";
}

mail::Secret FakeTokens::current(std::stop_token) {
  const std::lock_guard lock(mutex_);
  if (secret == good_secret) {
    refusal_.reset();
    return "token";
  }
  mail::Fault fault;
  fault.cause = mail::Cause::secret_refused;
  fault.remedy = mail::Remedy::administrator;
  fault.code = "AADSTS7000215";
  fault.text = "the secret is refused";
  refusal_ = fault;
  throw mail::FaultError(fault);
}

void FakeTokens::set_credential(const mail::Secret& changed, const mail::Secret&) {
  const std::lock_guard lock(mutex_);
  secret = changed.view();
}

bool FakeTokens::wants_credential() const {
  const std::lock_guard lock(mutex_);
  return secret != good_secret;
}

Mailbox::Mailbox(m365::Environment& environment, support::ManualClock& clock, std::shared_ptr<FakeTokens> tokens)
    : GraphClient(
          environment,
          [] {
            m365::TenantSettings tenant;
            tenant.graph_origin = "https://graph.microsoft.com";
            return tenant;
          }(),
          std::move(tokens), "test"),
      clock_(clock) {}

std::string Mailbox::fresh_id(const char* prefix) {
  return std::string(prefix) + std::to_string(++next_id_) + "=";
}

void Mailbox::break_exchange(int n, Break how) {
  const std::lock_guard lock(mutex_);
  countdown_ = n;
  how_ = how;
  broke_ = false;
}

bool Mailbox::broke() const {
  const std::lock_guard lock(mutex_);
  return broke_;
}

std::vector<Message> Mailbox::in(const std::string& folder) const {
  const std::lock_guard lock(mutex_);
  std::vector<Message> out;
  for (const Message& message : messages_) {
    if (message.folder == folder) out.push_back(message);
  }
  return out;
}

std::vector<std::string> Mailbox::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

std::vector<std::string> Mailbox::asked_for(const std::string& what) const {
  std::vector<std::string> out;
  for (const std::string& line : asked()) {
    if (line.find(what) != std::string::npos) out.push_back(line);
  }
  return out;
}

std::string Mailbox::receive(const std::string& message_id) {
  const std::lock_guard lock(mutex_);
  Message message;
  message.id = fresh_id("in");
  message.folder = "inbox";
  message.message_id = message_id;
  message.is_draft = false;
  message.received = clock_.wall();
  messages_.push_back(message);
  return message.id;
}

void Mailbox::remove(const std::string& folder) {
  const std::lock_guard lock(mutex_);
  std::erase_if(messages_, [&](const Message& message) { return message.folder == folder; });
}

void Mailbox::file_sent(const std::string& key) {
  const std::lock_guard lock(mutex_);
  Message message;
  message.id = fresh_id("by-hand");
  message.key = key;
  message.message_id = "<by-hand@contoso.com>";
  message.received = clock_.wall();
  message.folder = "sentitems";
  message.is_draft = false;
  messages_.push_back(message);
}

Message* Mailbox::find(const std::string& id) {
  for (Message& message : messages_) {
    if (message.id == id) return &message;
  }
  return nullptr;
}

http::Response Mailbox::exchange(const std::string& method, const std::string& path, const std::string& operation,
                                 const std::function<http::Response()>& work) {
  const std::lock_guard lock(mutex_);
  for (auto& [due, late_work] : late_work_) {
    if (due <= clock_.now() && late_work) std::exchange(late_work, nullptr)();
  }
  std::string line = method + " " + path.substr(0, path.find('?'));
  asked_.push_back(line);
  const m365::Subject subject{"support@contoso.com", operation, operation == "send"};
  const auto judged = [&](http::Response response) {
    if (method != "PUT" && response.status >= 300)
      throw m365::graph_error(response, subject, tokens().permissions(), clock_.wall());
    return response;
  };
  if (answer) {
    if (auto scripted = answer(method, path)) return judged(*scripted);
  }
  const bool breaks = countdown_ > 0 && --countdown_ == 0;
  if (!breaks) return judged(work());
  broke_ = true;
  switch (how_) {
    case Break::refused:
      throw lost(false);
    case Break::cut_before:
      throw lost(true);
    case Break::cut_after:
      work();
      throw lost(true);
    case Break::s503:
      return judged(error(503, "ServiceUnavailable"));
    case Break::s504_done:
      work();
      return judged(error(504, "UnknownError"));
    case Break::s504_lagging:
      lag_ = std::chrono::minutes(2);
      work();
      lag_ = {};
      return judged(error(504, "UnknownError"));
    case Break::s504_late:
      late_work_.emplace_back(clock_.now() + late, [work] { work(); });
      return judged(error(504, "UnknownError"));
    case Break::s429: {
      http::Response response = error(429, "TooManyRequests");
      response.headers.add("Retry-After", "2.128");
      return judged(response);
    }
    case Break::s500_done:
      work();
      return judged(error(500, "generalException"));
    case Break::s401:
      return judged(error(401, "InvalidAuthenticationToken"));
    case Break::garbage: {
      http::Response response = judged(work());
      response.body = "<html>";
      return response;
    }
    case Break::kill_before:
      throw Killed();
    case Break::kill_after:
      work();
      throw Killed();
  }
  throw std::logic_error("unknown break");
}

http::Response Mailbox::send(const m365::GraphRequest& request, std::stop_token stop) {
  if (hold) hold(request.mailbox);
  if (hold_until_stop) hold_until_stop(stop);
  if (stop.stop_requested()) {
    mail::Fault fault;
    fault.remedy = mail::Remedy::cancelled;
    throw mail::FaultError(fault);
  }
  if (request.path.rfind("/users/", 0) != 0 || request.mailbox.empty() || request.urgency != http::Urgency::send)
    throw std::logic_error("not a request of the sender: " + request.path);
  const std::string path = request.path.substr(request.path.find('/', 7));
  return exchange(request.method, path, request.operation, [this, request, path] { return handle(request, path); });
}

http::Response Mailbox::upload(const std::string& url, std::string_view bytes, std::uint64_t offset,
                               std::uint64_t total, const std::string&, std::stop_token) {
  const std::string copy(bytes);
  return exchange("PUT", "(upload)", "upload", [=, this] { return handle_upload(url, copy, offset, total); });
}

void Mailbox::fill(Message& message, const std::string& json) {
  const Object::Ptr object = object_of(json);
  message.json_text = json;
  if (object->has("subject")) message.subject = text(object, "subject");
  if (object->has("body")) {
    message.body = text(object->getObject("body"), "content");
    message.body_type = text(object->getObject("body"), "contentType");
  }
  if (object->has("toRecipients")) message.to = addresses(object, "toRecipients");
  if (object->has("ccRecipients")) message.cc = addresses(object, "ccRecipients");
  if (object->has("bccRecipients")) message.bcc = addresses(object, "bccRecipients");
  if (object->has("replyTo")) message.reply_to = addresses(object, "replyTo");
  if (object->has("from")) message.from = text(object->getObject("from")->getObject("emailAddress"), "address");
  if (object->has("importance")) message.importance = text(object, "importance");
  message.read_receipt = object->optValue("isReadReceiptRequested", message.read_receipt);
  const Array::Ptr headers = object->getArray("internetMessageHeaders");
  for (unsigned i = 0; !headers.isNull() && i < headers->size(); ++i)
    message.headers[text(headers->getObject(i), "name")] = text(headers->getObject(i), "value");
  const Array::Ptr properties = object->getArray("singleValueExtendedProperties");
  for (unsigned i = 0; !properties.isNull() && i < properties->size(); ++i) {
    const std::string id = text(properties->getObject(i), "id"), value = text(properties->getObject(i), "value");
    if (id.find("Name MailpluginSubmission") != std::string::npos) message.key = value;
    if (id == "String 0x1042") message.in_reply_to = value;
    if (id == "String 0x1039") message.references = value;
  }
  const Array::Ptr attachments = object->getArray("attachments");
  for (unsigned i = 0; !attachments.isNull() && i < attachments->size(); ++i)
    message.attachments.push_back(attachment_of(attachments->getObject(i), fresh_id("att")));
}

http::Response Mailbox::show(const Message& message, int status) const {
  Object out;
  out.set("id", message.id);
  if (shows_drafts && flags_as_text) out.set("isDraft", message.is_draft ? "true" : "false");
  if (shows_drafts && !flags_as_text) out.set("isDraft", message.is_draft);
  out.set("parentFolderId", "folder-" + message.folder);
  out.set("internetMessageId", message.message_id);
  out.set("conversationId", "conv-" + message.id);
  out.set("receivedDateTime", m365::format_time(message.received));
  Array::Ptr properties = new Array;
  Object::Ptr property = new Object;
  property->set("id", "String {of-another-form} Name MailpluginSubmission");
  property->set("value", message.key);
  if (!message.key.empty()) properties->add(property);
  if (shows_properties) out.set("singleValueExtendedProperties", properties);
  std::ostringstream json;
  out.stringify(json);
  return {status, {}, json.str()};
}

http::Response Mailbox::list(const std::string& path, const std::string& folder) const {
  std::string query;
  Poco::URI::decode(path.substr(path.find('?') + 1), query);
  std::string rows;
  for (const Message& message : messages_) {
    if (!folder.empty() && message.folder != folder) continue;
    if (message.visible > clock_.wall()) continue;
    const auto quoted = [&](const std::string& before, std::string value) {
      value = Poco::replace(value, "'", "''");
      // As the service does: without regard to case.
      return Poco::toLower(query).find(Poco::toLower(before + "'" + value + "'")) != std::string::npos;
    };
    const bool by_id = query.find("internetMessageId eq") != std::string::npos;
    if (by_id && !quoted("internetMessageId eq ", message.message_id)) continue;
    if (!by_id && heeds_filters && !quoted("ep/value eq ", message.key)) continue;
    rows += (rows.empty() ? "" : ",") + show(message, 200).body;
  }
  return {200, {}, "{\"value\":[" + rows + "]}"};
}

void Mailbox::send_out(Message& message) {
  message.folder = "sentitems";
  message.is_draft = false;
  message.received = clock_.wall();
  message.visible = clock_.wall() + lag_;
  if (ids_change_on_send) message.id = fresh_id("sent");
}

http::Response Mailbox::handle(const m365::GraphRequest& request, const std::string& path) {
  const std::string bare = path.substr(0, path.find('?'));
  const bool writes = request.method != "GET";
  if (!writes && reading_forbidden) return error(403, "ErrorAccessDenied");
  if (bare == "/sendMail") {
    if (sending_forbidden) return error(403, "ErrorAccessDenied");
    if (request.body.size() > 4'000'000) return error(413, "");
    Message message;
    message.id = fresh_id("m");
    message.message_id = "<" + message.id + "@contoso.com>";
    std::ostringstream inner;
    object_of(request.body)->getObject("message")->stringify(inner);
    fill(message, inner.str());
    send_out(message);
    messages_.push_back(message);
    return {202, {}, ""};
  }
  if (bare == "/mailFolders/drafts") return {200, {}, "{\"id\":\"folder-drafts\",\"displayName\":\"Entwürfe\"}"};
  if (bare.rfind("/mailFolders/", 0) == 0) return list(path, bare.substr(13, bare.find('/', 13) - 13));
  if (bare == "/messages" && !writes) return list(path, "");
  if (writes && bare.find("/send") == std::string::npos && drafts_forbidden) return error(403, "ErrorAccessDenied");
  if (bare == "/messages") {
    if (request.body.size() > 4'000'000) return error(413, "");
    Message message;
    message.id = fresh_id("m");
    message.message_id = "<" + message.id + "@contoso.com>";
    message.received = clock_.wall();
    message.visible = clock_.wall() + lag_;
    fill(message, request.body);
    messages_.push_back(message);
    return show(message, 201);
  }
  std::vector<std::string> parts;
  for (std::size_t at = 1; at != std::string::npos + 1;) {
    const std::size_t end = bare.find('/', at);
    std::string part;
    Poco::URI::decode(bare.substr(at, end == std::string::npos ? end : end - at), part);
    parts.push_back(part);
    at = end + 1;
    if (end == std::string::npos) break;
  }
  Message* message = parts.size() > 1 && parts[0] == "messages" ? find(parts[1]) : nullptr;
  if (message == nullptr) return error(404, "ErrorItemNotFound");
  const std::string action = parts.size() > 2 ? parts[2] : "";
  if (action.empty()) {
    if (request.method == "GET") return show(*message, 200);
    if (request.method == "PATCH") {
      fill(*message, request.body);
      return show(*message, 200);
    }
    message->folder = "deleteditems";
    return {204, {}, ""};
  }
  if (action == "createReply") {
    if (status_of_reply >= 400) return error(status_of_reply, "NotSupported");
    Message reply;
    reply.id = fresh_id("m");
    reply.message_id = "<" + reply.id + "@contoso.com>";
    reply.received = clock_.wall();
    reply.visible = clock_.wall() + lag_;
    reply.reply = true;
    reply.in_reply_to = message->message_id;
    reply.body = "quoted";
    reply.to = {"wrong@example.com"};
    if (quotes_pictures) reply.attachments.push_back({fresh_id("att"), "logo.png", "image/png", "logo", "png", true});
    std::ostringstream inner;
    object_of(request.body)->getObject("message")->stringify(inner);
    fill(reply, inner.str());
    messages_.push_back(reply);
    return show(reply, status_of_reply);
  }
  if (action == "send") {
    if (sending_forbidden) return error(403, "ErrorAccessDenied");
    if (!request.body.empty()) return error(400, "BadRequest");
    if (!message->is_draft || message->folder != "drafts") return error(404, "ErrorItemNotFound");
    send_out(*message);
    return {202, {}, ""};
  }
  if (action != "attachments") return error(400, "BadRequest");
  if (request.method == "GET") {
    std::string rows;
    for (const Attachment& attachment : message->attachments) {
      rows += (rows.empty() ? "" : ",") +
              std::string("{\"@odata.type\":\"#microsoft.graph.fileAttachment\",\"id\":\"") + attachment.id +
              "\",\"name\":\"" + attachment.name + "\",\"size\":1}";
    }
    return {200, {}, "{\"value\":[" + rows + "]}"};
  }
  if (request.method == "DELETE") {
    std::erase_if(message->attachments, [&](const Attachment& a) { return a.id == parts[3]; });
    return {204, {}, ""};
  }
  if (!message->is_draft) return error(400, "ErrorInvalidRequest");
  if (parts.size() > 3) {
    const Object::Ptr item = object_of(request.body)->getObject("AttachmentItem");
    Session session;
    session.total = item->getValue<std::uint64_t>("size");
    if (session.total < smallest_session) return error(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize");
    const Attachment described = attachment_of(item, "");
    session.message = message->id;
    session.name = described.name;
    session.type = described.type;
    session.content_id = described.content_id;
    session.is_inline = described.is_inline;
    const std::string url = "https://outlook.office.com/session/" + fresh_id("s") + "?authtoken=t0psecret";
    sessions_[url] = session;
    return {201,
            {},
            "{\"uploadUrl\":\"" + url + "\",\"expirationDateTime\":\"" +
                m365::format_time(clock_.wall() + std::chrono::hours(1)) + "\",\"nextExpectedRanges\":[\"0-\"]}"};
  }
  if (request.body.size() > 4'000'000) return error(413, "");
  message->attachments.push_back(attachment_of(object_of(request.body), fresh_id("att")));
  return {201, {}, "{}"};
}

http::Response Mailbox::handle_upload(const std::string& url, std::string_view bytes, std::uint64_t offset,
                                      std::uint64_t total) {
  const auto at = sessions_.find(url);
  if (at == sessions_.end()) return error(404, "ErrorItemNotFound");
  Session& session = at->second;
  if (bytes.size() > 4'194'304 || total != session.total) return error(400, "BadRequest");
  const std::string next = "\"" + std::to_string(session.bytes.size()) + "\"";
  if (offset != session.bytes.size() && !says_ranges) return error(400, "ErrorInvalidRange");
  if (offset != session.bytes.size()) return {416, {}, "{\"NextExpectedRanges\":[" + next + "]}"};
  session.bytes += bytes;
  if (session.bytes.size() < total)
    return {200, {}, "{\"NextExpectedRanges\":[\"" + std::to_string(session.bytes.size()) + "\"]}"};
  Message* message = find(session.message);
  if (message == nullptr || !message->is_draft) return error(404, "ErrorItemNotFound");
  message->attachments.push_back(
      {fresh_id("att"), session.name, session.type, session.content_id, session.bytes, session.is_inline});
  sessions_.erase(at);
  return {201, {}, ""};
}

std::optional<store::Submission> MemoryStore::submission(std::string_view server, std::string_view key) {
  const std::lock_guard lock(mutex_);
  const auto found = submissions_.find(std::string(server) + "|" + std::string(key));
  return found == submissions_.end() ? std::nullopt : std::optional(found->second);
}

void MemoryStore::require_disk() const {
  if (!broken) return;
  mail::Fault fault;
  fault.cause = mail::Cause::state_disk;
  fault.text = "the disk is full";
  throw mail::FaultError(fault);
}

std::optional<std::string> MemoryStore::note_automatic(const store::AutomaticAnswer& answer, unsigned limit,
                                                       std::chrono::milliseconds window) {
  const std::lock_guard lock(mutex_);
  require_disk();
  const auto count = [&](const std::string& to, auto wanted) {
    return std::count_if(answers_.begin(), answers_.end(),
                         [&](const Answer& a) { return a.from == answer.from && a.to == to && wanted(a); });
  };
  for (const std::string& to : answer.to) {
    if (count(to, [&](const Answer& a) { return a.key == answer.key; }) > 0) continue;
    if (count(to, [&](const Answer& a) { return a.noted > clock_.wall() - window; }) >= limit) return to;
  }
  for (const std::string& to : answer.to) answers_.push_back({answer.key, answer.from, to, clock_.wall()});
  return std::nullopt;
}

void MemoryStore::save_submission(const store::Submission& submission) {
  const std::lock_guard lock(mutex_);
  require_disk();
  submissions_[submission.server + "|" + submission.key] = submission;
  if (steps.empty() || steps.back() != submission.step) steps.push_back(submission.step);
}

std::vector<store::Submission> MemoryStore::late_drafts(std::string_view server, mail::WallTime now, std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<store::Submission> found;
  for (const auto& [key, submission] : submissions_) {
    const mail::WallTime due = submission.late_drafts_due;
    if (submission.server == server && due != mail::WallTime{} && due <= now && found.size() < most)
      found.push_back(submission);
  }
  return found;
}

void MemoryStore::late_drafts_seen(const store::Submission& submission) {
  const std::lock_guard lock(mutex_);
  submissions_.at(submission.server + "|" + submission.key).late_drafts_due = {};
}

namespace {

class Bytes final : public mail::ByteSource {
 public:
  explicit Bytes(std::shared_ptr<const std::string> bytes) : bytes_(std::move(bytes)) {}
  std::size_t read(char* buffer, std::size_t capacity) override {
    const std::size_t size = std::min({capacity, bytes_->size() - at_, std::size_t{10'007}});
    std::copy_n(bytes_->data() + at_, size, buffer);
    at_ += size;
    return size;
  }

 private:
  std::shared_ptr<const std::string> bytes_;
  std::size_t at_ = 0;
};

}  // namespace

mail::Part part(mail::PartKind kind, std::string name, std::string bytes, bool size_known) {
  mail::Part out;
  out.kind = kind;
  out.file_name = std::move(name);
  if (size_known) out.size_hint = static_cast<std::int64_t>(bytes.size());
  out.open = [shared = std::make_shared<const std::string>(std::move(bytes))] {
    return std::make_unique<Bytes>(shared);
  };
  return out;
}

std::string pattern(std::size_t size, unsigned seed) {
  std::string out(size, '\0');
  std::uint32_t state = seed;
  for (char& c : out) {
    state = state * 1664525u + 1013904223u;
    c = static_cast<char>(state >> 24);
  }
  return out;
}

mail::Mail simple_mail(const std::string& key) {
  mail::Mail mail;
  mail.stable_id = key;
  mail.from = {"Support", "support@contoso.com"};
  mail.to = {{"Zoë", "zoe@example.com"}};
  mail.subject = "Re: order 17";
  mail.parts.push_back(part(mail::PartKind::text, "", "Hello Zoë"));
  return mail;
}

}  // namespace outgoing
