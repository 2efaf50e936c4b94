#include "m365/graph/uploads.h"

#include <charconv>
#include <optional>

#include "m365/graph/graph_error.h"
#include "m365/mime/text.h"
#include "m365/world/mailbox.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

constexpr std::size_t kMinimum = 2'097'152;  // measured (section 11)
constexpr std::size_t kMaximum = 150U << 20;
constexpr std::chrono::hours kLife{1};
constexpr std::size_t kRecorded = 10'000;

struct ContentRange {
  std::size_t first = 0, last = 0, total = 0;
};

// "bytes 0-2097151/3483322"
std::optional<ContentRange> parse_range(std::string_view text) {
  if (!starts_with_ignoring_case(text, "bytes ")) return std::nullopt;
  text.remove_prefix(6);
  ContentRange range;
  const char* at = text.data();
  const char* end = text.data() + text.size();
  const auto number = [&](std::size_t& value, char separator) {
    const auto [stop, error] = std::from_chars(at, end, value);
    if (error != std::errc() || stop == at) return false;
    at = stop;
    if (separator == '\0') return at == end;
    return at < end && *at++ == separator;
  };
  if (!number(range.first, '-') || !number(range.last, '/') || !number(range.total, '\0')) return std::nullopt;
  if (range.last < range.first || range.last >= range.total) return std::nullopt;
  return range;
}

HttpResponse refusal(int status, const std::string& code, const std::string& message) {
  HttpResponse response;
  response.status = status;
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  response.body = Json(Json::Object{{"error", Json::Object{{"code", code}, {"message", message}}}}).dump();
  return response;
}

}  // namespace

std::string Uploads::base_of(const Session& session) const {
  return world_.upload_origin + "/api/v2.0/Users('" + session.owner->id + "@" + session.owner->tenant +
         "')/Messages('" + session.message_id + "')";
}

Json Uploads::open(const User& owner, const std::string& client_id, std::uint64_t message,
                   const std::string& message_id, const Json& body) {
  const Json* item = body.find("AttachmentItem");
  if (item == nullptr) item = body.find("attachmentItem");
  if (item == nullptr || !item->is_object())
    throw bad_request("The AttachmentItem parameter is missing or is no object.");
  const std::string name = item->text("name");
  if (!equal_ignoring_case(item->text("attachmentType"), "file")) {
    throw GraphError(400, "ErrorInvalidArgument", "Only the attachmentType 'file' can be uploaded to a message.");
  }
  if (name.empty()) throw GraphError(400, "ErrorInvalidArgument", "The name of the AttachmentItem is missing.");
  const auto size = item->integer("size", -1);
  if (size < 0) throw GraphError(400, "ErrorInvalidArgument", "The size of the AttachmentItem is missing.");
  if (static_cast<std::size_t>(size) < kMinimum) {
    throw GraphError(400, "ErrorAttachmentSizeShouldNotBeLessThanMinimumSize",
                     "Attachment size must be greater than the minimum size. Minimum supported size is 3 MB.");
  }
  if (static_cast<std::size_t>(size) > kMaximum) {
    throw GraphError(413, "ErrorAttachmentSizeLimitExceeded", "Attachment size exceeds the limit of 150 MB.");
  }
  const auto session = std::make_shared<Session>();
  session->owner = world_.directory.user(owner.tenant, owner.id);
  session->client_id = client_id;
  session->message = message;
  session->message_id = message_id;
  session->id = "AAMkA" + base64url_encode(random_bytes(30)) + "=";
  session->token = "eyJhbGciOiJSUzI1NiIsIng1dCI6I" + base64url_encode(random_bytes(96));
  session->name = name;
  session->content_type = item->text("contentType");
  session->content_id = item->text("contentId");
  session->is_inline = item->boolean("isInline", false);
  session->size = static_cast<std::size_t>(size);
  session->expires = world_.clock.now() + kLife;
  {
    const std::lock_guard lock(mutex_);
    // Dead sessions go when a new one comes.
    for (auto entry = sessions_.begin(); entry != sessions_.end();) {
      entry = entry->second->expires < world_.clock.now() ? sessions_.erase(entry) : std::next(entry);
    }
    sessions_[session->id] = session;
    if (tokens_.size() == kRecorded) tokens_.pop_front();
    tokens_.push_back(session->token);
  }
  return Json::Object{
      {"@odata.context", world_.origin + "/v1.0/$metadata#microsoft.graph.uploadSession"},
      {"uploadUrl", base_of(*session) + "/AttachmentSessions('" + session->id + "')?authtoken=" + session->token},
      {"expirationDateTime", rfc3339_millis(session->expires)},
      {"nextExpectedRanges", Json::Array{Json("0-")}}};
}

std::vector<std::string> Uploads::tokens() const {
  const std::lock_guard lock(mutex_);
  return {tokens_.begin(), tokens_.end()};
}

HttpResponse Uploads::handle(const HttpRequest& request) {
  const std::string path = percent_decode(request.path());
  const auto marker = path.find("/AttachmentSessions('");
  std::shared_ptr<Session> session;
  if (marker != std::string::npos) {
    const auto start = marker + 21;
    const std::lock_guard lock(mutex_);
    const auto found = sessions_.find(path.substr(start, path.find('\'', start) - start));
    if (found != sessions_.end()) session = found->second;
  }
  if (!session) return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.");
  // The URL is the whole authority. A bearer token does not belong here, and Exchange refuses a request with one.
  if (request.headers.find("Authorization") != nullptr) {
    return refusal(401, "InvalidAuthenticationToken", "An upload URL is used without an Authorization header.");
  }
  std::string token;
  for (const auto& [name, value] : parse_form(request.query(), false)) {
    if (name == "authtoken") token = value;
  }
  if (!same_secret(token, session->token)) {
    return refusal(401, "InvalidAuthenticationToken", "The authtoken of the upload URL is not valid.");
  }
  const std::lock_guard serial(session->mutex);
  if (session->expires <= world_.clock.now()) {
    return refusal(404, "ErrorItemNotFound", "The upload session has expired.");
  }
  if (request.method == "DELETE") {
    const std::lock_guard lock(mutex_);
    sessions_.erase(session->id);
    HttpResponse response;
    response.status = 204;
    return response;
  }
  if (request.method == "GET") {
    HttpResponse response;
    response.headers.add("Content-Type", "application/json; charset=utf-8");
    response.body = Json(Json::Object{{"ExpirationDateTime", rfc3339_millis(session->expires)},
                                      {"NextExpectedRanges", Json::Array{Json(std::to_string(session->bytes.size()))}}})
                        .dump();
    return response;
  }
  if (request.method != "PUT")
    return refusal(405, "Request_BadRequest", "Specified HTTP method is not allowed for the request target.");
  return put(session, request);
}

HttpResponse Uploads::put(const std::shared_ptr<Session>& session, const HttpRequest& request) {
  if (request.body_too_large) return refusal(413, "RequestEntityTooLarge", "A piece may have 4 MB at most.");
  if (request.headers.find("Content-Length") == nullptr)
    return refusal(411, "LengthRequired", "Content-Length is required.");
  const auto range = parse_range(request.headers.get("Content-Range"));
  if (!range) return refusal(400, "ErrorInvalidArgument", "The Content-Range header is missing or malformed.");
  if (range->total != session->size) {
    return refusal(400, "ErrorInvalidArgument",
                   "The total of Content-Range is not the size the session was opened with.");
  }
  if (range->last - range->first + 1 != request.body.size()) {
    return refusal(400, "ErrorInvalidArgument", "Content-Length does not agree with Content-Range.");
  }
  if (range->first != session->bytes.size()) {
    return refusal(416, "ErrorInvalidRange",
                   "Pieces are taken in order; expected is " + std::to_string(session->bytes.size()) + ".");
  }
  try {
    const auto place =
        world_.throttle.enter(session->client_id, session->owner->primary_address(), request.body.size());
    session->bytes += request.body;
  } catch (const GraphError& error) {
    HttpResponse response = refusal(error.status, error.code, error.what());
    response.headers.add("Retry-After", error.retry_after);
    return response;
  }
  if (session->bytes.size() == session->size) return finish(session);
  HttpResponse response;
  response.headers.add("Content-Type", "application/json; charset=utf-8");
  // Capital letters and the bare offset (section 11, step 3).
  response.body =
      Json(Json::Object{{"@odata.context", world_.upload_origin + "/api/v2.0/$metadata#Users('" + session->owner->id +
                                               "')/Messages('" + session->message_id + "')/AttachmentSessions/$entity"},
                        {"ExpirationDateTime", rfc3339_millis(session->expires)},
                        {"NextExpectedRanges", Json::Array{Json(std::to_string(session->bytes.size()))}}})
          .dump();
  return response;
}

HttpResponse Uploads::finish(const std::shared_ptr<Session>& session) {
  Mailbox& mailbox = *session->owner->mailbox;
  std::string id;
  {
    const auto lock = mailbox.lock();
    Message* message = mailbox.find(session->message);
    if (message == nullptr)
      return refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.");
    if (message->size() + session->size * 4 / 3 > mailbox.options.max_send_size) {
      // Possibly only at the last piece (section 11).
      return refusal(413, "ErrorMessageSizeExceeded",
                     "The message exceeds the maximum supported size., Cannot save changes made to an item to store.");
    }
    Attachment attachment;
    attachment.number = message->next_attachment++;
    attachment.name = session->name;
    if (!session->content_type.empty()) attachment.content_type = session->content_type;
    if (!session->content_id.empty()) attachment.content_id = session->content_id;
    attachment.is_inline = session->is_inline;
    attachment.bytes = std::make_shared<const std::string>(std::move(session->bytes));
    attachment.modified = world_.clock.second();
    message->attachments.push_back(std::move(attachment));
    message->mime_upload = false;
    message->mime.reset();
    mailbox.touch(*message, true);
    id = mailbox.id_of(*message, message->attachments.back(), IdForm::ordinary);
  }
  {
    const std::lock_guard lock(mutex_);
    sessions_.erase(session->id);
  }
  HttpResponse response;
  response.status = 201;
  response.headers.add("Location", base_of(*session) + "/Attachments('" + id + "')");
  return response;
}

}  // namespace embedded
