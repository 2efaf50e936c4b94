#include "m365/graph/call.h"

#include <algorithm>
#include <charconv>

#include "m365/mime/text.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

// "users('a''b')" -> users, a'b.
void append_segment(std::vector<std::string>& out, std::string segment) {
  const auto open = segment.find("('");
  if (open != std::string::npos && open > 0 && segment.size() >= open + 4 &&
      segment.compare(segment.size() - 2, 2, "')") == 0) {
    out.push_back(segment.substr(0, open));
    out.push_back(replace_all(segment.substr(open + 2, segment.size() - open - 4), "''", "'"));
    return;
  }
  if (segment.size() > 2 && segment.compare(segment.size() - 2, 2, "()") == 0) segment.erase(segment.size() - 2);
  if (starts_with_ignoring_case(segment, "microsoft.graph.")) segment.erase(0, 16);
  // Graph does not mind the case of its own names.
  for (const char* name : {"users",
                           "me",
                           "mailFolders",
                           "childFolders",
                           "messages",
                           "attachments",
                           "sendMail",
                           "delta",
                           "createUploadSession",
                           "createReply",
                           "createReplyAll",
                           "createForward",
                           "reply",
                           "replyAll",
                           "forward",
                           "send",
                           "move",
                           "copy",
                           "permanentDelete",
                           "translateExchangeIds"}) {
    if (equal_ignoring_case(segment, name)) segment = name;
  }
  out.push_back(std::move(segment));
}

bool is_action_of_messages(std::string_view segment) {
  return segment == "delta" || segment == "$count";
}

}  // namespace

Preferences parse_preferences(const Headers& headers) {
  Preferences prefer;
  for (const auto& header : headers.all("Prefer")) {
    for (const auto& part : split(header, ',')) {
      const std::string item(trim(part));
      const auto equals = item.find('=');
      const std::string name = lower(trim(std::string_view(item).substr(0, equals)));
      std::string value(equals == std::string::npos ? std::string_view()
                                                    : trim(std::string_view(item).substr(equals + 1)));
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
      if (name == "idtype" && equal_ignoring_case(value, "ImmutableId")) {
        prefer.ids = IdForm::immutable;
        prefer.applied.push_back("IdType=\"ImmutableId\"");
      } else if (name == "outlook.body-content-type" &&
                 (equal_ignoring_case(value, "text") || equal_ignoring_case(value, "html"))) {
        prefer.text_body = equal_ignoring_case(value, "text");
        prefer.applied.push_back("outlook.body-content-type=\"" + lower(value) + "\"");
      } else if (name == "outlook.allow-unsafe-html") {
        prefer.unsafe_html = true;
        prefer.applied.push_back("outlook.allow-unsafe-html");
      } else if (name == "return" && equal_ignoring_case(value, "minimal")) {
        prefer.minimal = true;
        prefer.applied.push_back("return=minimal");
      } else if (name == "odata.maxpagesize") {
        std::size_t size = 0;
        const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), size);
        if (error == std::errc() && end == value.data() + value.size() && size > 0) {
          prefer.page_size = std::min<std::size_t>(size, 1000);
          prefer.applied.push_back("odata.maxpagesize=" + value);
        }
      }
    }
  }
  return prefer;
}

std::vector<std::string> normal_segments(std::string_view encoded_path) {
  std::vector<std::string> raw;
  for (const auto& part : split(encoded_path, '/')) {
    if (!part.empty()) append_segment(raw, percent_decode(part));
  }
  std::vector<std::string> path;
  for (auto& segment : raw) {
    const auto size = path.size();
    // mailFolders/a/childFolders/b -> mailFolders/b
    if (size >= 3 && path[size - 3] == "mailFolders" && path[size - 1] == "childFolders" && segment != "$count" &&
        segment != "delta") {
      path.erase(path.end() - 2, path.end());
      path.push_back(std::move(segment));
      continue;
    }
    // mailFolders/a/messages/m -> messages/m
    if (size >= 3 && path[size - 3] == "mailFolders" && path[size - 1] == "messages" &&
        !is_action_of_messages(segment)) {
      path.erase(path.end() - 3, path.end() - 1);
    }
    path.push_back(std::move(segment));
  }
  return path;
}

View Call::view() const {
  View view;
  view.ids = prefer.ids;
  view.text_body = prefer.text_body;
  view.unsafe_html = prefer.unsafe_html;
  return view;
}

std::string Call::context(const World& world, std::string_view rest) const {
  return world.origin + "/v1.0/$metadata#users('" + owner->id + "')/" + std::string(rest);
}

Json Call::json_body(bool may_be_empty) const {
  if (request->body_too_large) throw GraphError(413, "RequestEntityTooLarge", "The request is too large.");
  if (request->body.empty() && may_be_empty) return Json(Json::Object{});
  const std::string type = request->media_type();
  if (type.empty()) {
    throw GraphError(400, "RequestBodyRead",
                     "A missing or empty content type header was found when trying to read a message. The content type "
                     "header is required.");
  }
  if (type != "application/json") {
    throw GraphError(415, "UnsupportedMediaType", "The media type '" + type + "' is not supported for this request.");
  }
  try {
    Json body = parse_json(request->body);
    if (!body.is_object()) throw GraphError(400, "BadRequest", "The request body is no JSON object.");
    return body;
  } catch (const JsonError& error) {
    throw GraphError(400, "BadRequest", std::string("Unable to read JSON request payload. ") + error.what() + ".");
  }
}

HttpResponse json_response(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.add(
      "Content-Type",
      "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false;charset=utf-8");
  response.body = std::move(body);
  return response;
}

Folder& folder_of(Mailbox& mailbox, const std::string& name) {
  if (Folder* folder = mailbox.well_known(name)) return *folder;
  const auto id = decode_folder_id(name);
  if (!id) throw malformed_id();
  Folder* folder = id->mailbox == mailbox.id() ? mailbox.folder(id->folder) : nullptr;
  if (folder == nullptr) throw item_not_found();
  return *folder;
}

Folder& destination_of(Mailbox& mailbox, const Json& body) {
  const Json* id = body.find("destinationId");
  if (id == nullptr) id = body.find("DestinationId");
  if (id == nullptr || !id->is_string()) throw GraphError(400, "ErrorInvalidArgument", "The destinationId is missing.");
  try {
    return folder_of(mailbox, id->string());
  } catch (const GraphError& error) {
    if (error.status == 404)
      throw GraphError(404, "ErrorFolderNotFound", "The specified folder could not be found in the store.");
    throw;
  }
}

Message& message_of(Mailbox& mailbox, const std::string& text) {
  const auto id = decode_item_id(text);
  if (!id || id->attachment != 0) throw malformed_id();
  Message* message = id->mailbox == mailbox.id() ? mailbox.find(id->message) : nullptr;
  if (message == nullptr || (id->form == IdForm::ordinary && id->place != message->place)) throw item_not_found();
  return *message;
}

Attachment& attachment_of(Mailbox& mailbox, Message& message, const std::string& text) {
  const auto id = decode_item_id(text);
  if (!id || id->attachment == 0) throw malformed_id();
  const bool same = id->mailbox == mailbox.id() && id->message == message.number &&
                    (id->form == IdForm::immutable || id->place == message.place);
  Attachment* attachment = same ? message.attachment(id->attachment) : nullptr;
  if (attachment == nullptr) throw item_not_found();
  return *attachment;
}

void check_quota(const Mailbox& mailbox) {
  if (!mailbox.options.quota_exceeded) return;
  throw GraphError(403, "ErrorQuotaExceeded",
                   "Cannot save changes made to an item to store., Mailbox has exceeded maximum mailbox size.");
}

}  // namespace embedded
