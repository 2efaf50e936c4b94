// attachments of a message. graph-mail.md sections 9 and 11.
#include "m365/graph/call.h"
#include "m365/graph/draft.h"
#include "m365/mime/text.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

AttachmentView view_of(const Call& call, const Query& query) {
  AttachmentView view;
  view.ids = call.prefer.ids;
  view.message = call.view();
  if (query.select) {
    check_attachment_select(*query.select);
    view.select = query.select;
  }
  if (query.expand) view.item = parse_expand(*query.expand).item;
  return view;
}

std::string attachments_context(const World& world, const Call& call, const std::string& message, const char* end) {
  return call.context(world, "messages('" + percent_encode(message) + "')/attachments" + end);
}

HttpResponse list(World& world, Call& call) {
  // $filter on this relation is ignored (known-issues).
  const Query query = parse_query(call.query(), "$select,$expand,$top,$skip,$count,$filter,$orderby");
  const AttachmentView view = view_of(call, query);
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  const Message& message = message_of(mailbox, call.parameters[0]);
  std::string out = "{\"@odata.context\":";
  append_json_string(out, attachments_context(world, call, call.parameters[0], ""));
  if (query.count) out += ",\"@odata.count\":" + std::to_string(message.attachments.size());
  out += ",\"value\":[";
  bool first = true;
  for (const auto& attachment : message.attachments) {
    if (!first) out += ',';
    first = false;
    out += attachment_json(mailbox, message, attachment, view, {});
  }
  return json_response(200, out + "]}");
}

HttpResponse count(World&, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  HttpResponse response;
  response.headers.add("Content-Type", "text/plain");
  response.body = std::to_string(message_of(mailbox, call.parameters[0]).attachments.size());
  return response;
}

HttpResponse get(World& world, Call& call) {
  const Query query = parse_query(call.query(), "$select,$expand");
  const AttachmentView view = view_of(call, query);
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Message& message = message_of(mailbox, call.parameters[0]);
  const Attachment& attachment = attachment_of(mailbox, message, call.parameters[1]);
  return json_response(200, attachment_json(mailbox, message, attachment, view,
                                            attachments_context(world, call, call.parameters[0], "/$entity")));
}

HttpResponse get_value(World&, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Message& message = message_of(mailbox, call.parameters[0]);
  const Attachment& attachment = attachment_of(mailbox, message, call.parameters[1]);
  if (attachment.kind == AttachmentKind::reference) {
    throw GraphError(405, "ErrorInvalidOperation", "The raw content of a reference attachment cannot be read.");
  }
  HttpResponse response;
  response.headers.add("Content-Type", attachment.kind == AttachmentKind::item
                                           ? "text/plain"
                                           : attachment.content_type.value_or("application/octet-stream"));
  response.shared_body = attachment.bytes;
  return response;
}

HttpResponse add(World& world, Call& call) {
  const Json body = call.json_body();
  Attachment attachment = parse_attachment(body, world.clock.second());
  if (attachment.size() > 3'145'728) {
    // Larger files need an upload session; the body limit says so first where it is the usual one.
    throw GraphError(413, "ErrorMessageSizeExceeded",
                     "The attachment is too large for this request; use an upload session.");
  }
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Message& message = message_of(mailbox, call.parameters[0]);
  check_quota(mailbox);
  attachment.number = message.next_attachment++;
  message.attachments.push_back(std::move(attachment));
  if (message.is_draft) {
    message.mime.reset();
    message.mime_upload = false;
  }
  mailbox.touch(message, true);
  AttachmentView view;
  view.ids = call.prefer.ids;
  return json_response(201, attachment_json(mailbox, message, message.attachments.back(), view,
                                            attachments_context(world, call, call.parameters[0], "/$entity")));
}

HttpResponse remove_attachment(World&, Call& call) {
  Mailbox& mailbox = call.mailbox();
  const auto lock = mailbox.lock();
  Message& message = message_of(mailbox, call.parameters[0]);
  const std::uint64_t number = attachment_of(mailbox, message, call.parameters[1]).number;
  for (auto at = message.attachments.begin(); at != message.attachments.end(); ++at) {
    if (at->number == number) {
      message.attachments.erase(at);
      break;
    }
  }
  if (message.is_draft) {
    message.mime.reset();
    message.mime_upload = false;
  }
  mailbox.touch(message, true);
  HttpResponse response;
  response.status = 204;
  return response;
}

HttpResponse open_session(World& world, Call& call) {
  const Json body = call.json_body();
  // known-issues: a delegated token on a shared or delegated mailbox.
  if (call.actor && call.actor->id != call.owner->id) throw access_denied();
  std::uint64_t number = 0;
  {
    Mailbox& mailbox = call.mailbox();
    const auto lock = mailbox.lock();
    const Message& message = message_of(mailbox, call.parameters[0]);
    check_quota(mailbox);
    number = message.number;
  }
  const Json session = world.uploads.open(*call.owner, call.token->client_id, number, call.parameters[0], body);
  return json_response(201, session.dump());
}

}  // namespace

const std::vector<Route>& attachment_routes() {
  static const std::vector<Route> routes = {
      {"POST", "messages/{}/attachments/createUploadSession", "attachments.session", Need::write, open_session},
      {"GET", "messages/{}/attachments", "attachments.list", Need::read, list},
      {"POST", "messages/{}/attachments", "attachments.create", Need::write, add},
      {"GET", "messages/{}/attachments/$count", "attachments.list", Need::read, count},
      {"GET", "messages/{}/attachments/{}", "attachments.get", Need::read, get},
      {"GET", "messages/{}/attachments/{}/$value", "attachments.value", Need::read, get_value},
      {"DELETE", "messages/{}/attachments/{}", "attachments.delete", Need::write, remove_attachment},
  };
  return routes;
}

}  // namespace embedded
