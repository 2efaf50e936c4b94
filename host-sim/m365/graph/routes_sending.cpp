// Drafts, replies and sending. graph-mail.md section 10.
#include <algorithm>

#include "m365/graph/call.h"
#include "m365/graph/draft.h"
#include "m365/mime/html.h"
#include "m365/mime/mime_header.h"
#include "m365/mime/mime_read.h"
#include "m365/mime/text.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

HttpResponse accepted() {
  HttpResponse response;
  response.status = 202;  // nothing that identifies the message (what-users-ask.md 2.4)
  return response;
}

Message fresh_draft(const World& world) {
  Message draft;
  draft.is_draft = true;
  draft.is_read = true;
  draft.delivery_receipt_requested = false;
  draft.text = "";
  draft.internet_message_id = new_message_id();
  draft.sent_time = world.clock.second();
  return draft;
}

// The MIME form of a body: text/plain with base64 (section 10.3).
Message draft_from_mime(const World& world, const HttpRequest& request) {
  if (request.body_too_large) throw GraphError(413, "RequestEntityTooLarge", "The request is too large.");
  const auto mime = base64_decode(request.body, true);
  if (!mime || mime->empty()) {
    throw GraphError(400, "ErrorMimeContentInvalidBase64String", "Invalid base64 string for MIME content.");
  }
  const auto block = read_header_block(*mime);
  if (block.fields.empty()) throw GraphError(400, "ErrorMimeContentInvalid", "The MIME content is invalid.");
  Message draft = fresh_draft(world);
  draft.text.reset();
  const std::string given_id = draft.internet_message_id;
  static_cast<Content&>(draft) = read_mime(*mime);
  if (draft.internet_message_id.empty()) draft.internet_message_id = given_id;
  // The From header is ignored (section 10.1), and a draft never travelled.
  draft.from.reset();
  draft.sender.reset();
  draft.travelled = false;
  draft.mime_upload = true;
  for (const auto& [name, value] : block.fields) {
    if (starts_with_ignoring_case(name, "x-")) draft.own_headers.emplace_back(name, decode_words(value));
  }
  return draft;
}

bool is_mime_upload(const Call& call) {
  return call.request->media_type() == "text/plain";
}

Message& store_draft(World& world, Mailbox& mailbox, Message draft, Folder* folder = nullptr) {
  check_quota(mailbox);
  mailbox.search_lag = Milliseconds(world.behaviour.search_lag_ms);
  return mailbox.add(folder != nullptr ? folder : mailbox.well_known("drafts"), std::move(draft));
}

std::string created(World& world, Call& call, const Message& message) {
  return message_json(call.mailbox(), message, call.view(), call.context(world, "messages/$entity"));
}

HttpResponse create(World& world, Call& call) {
  Message draft = is_mime_upload(call) ? draft_from_mime(world, *call.request) : fresh_draft(world);
  if (!is_mime_upload(call)) fill_draft(draft, call.json_body(), world.clock.second());
  const auto lock = call.mailbox().lock();
  return json_response(201, created(world, call, store_draft(world, call.mailbox(), std::move(draft))));
}

// A draft in a folder of one's choice; MIME is not taken here (section 10.3).
HttpResponse create_in_folder(World& world, Call& call) {
  Message draft = fresh_draft(world);
  fill_draft(draft, call.json_body(), world.clock.second());
  const auto lock = call.mailbox().lock();
  Folder& folder = folder_of(call.mailbox(), call.parameters[0]);
  return json_response(201, created(world, call, store_draft(world, call.mailbox(), std::move(draft), &folder)));
}

HttpResponse send(World& world, Call& call) {
  // Section 10.2: an empty body, and Content-Length: 0 is required.
  if (!call.request->has_length) throw GraphError(411, "LengthRequired", "The Content-Length header is required.");
  std::uint64_t number = 0;
  {
    const auto lock = call.mailbox().lock();
    number = message_of(call.mailbox(), call.parameters[0]).number;
  }
  world.transport.send(*call.owner, number, call.actor.get(), true);
  return accepted();
}

// Stores a draft and sends it; a refusal leaves nothing behind.
HttpResponse store_and_send(World& world, Call& call, Message draft, bool keep_copy) {
  Mailbox& mailbox = call.mailbox();
  std::uint64_t number = 0;
  {
    const auto lock = mailbox.lock();
    number = store_draft(world, mailbox, std::move(draft)).number;
  }
  try {
    world.transport.send(*call.owner, number, call.actor.get(), keep_copy);
  } catch (const GraphError&) {
    const auto lock = mailbox.lock();
    if (Message* message = mailbox.find(number)) mailbox.erase(*message);
    throw;
  }
  return accepted();
}

HttpResponse send_mail(World& world, Call& call) {
  if (is_mime_upload(call)) return store_and_send(world, call, draft_from_mime(world, *call.request), true);
  const Json body = call.json_body();
  const Json* message = body.find("message");
  if (message == nullptr) message = body.find("Message");
  if (message == nullptr || !message->is_object())
    throw GraphError(400, "ErrorInvalidArgument", "The message parameter is missing.");
  bool keep = true;
  for (const char* name : {"saveToSentItems", "SaveToSentItems"}) {
    const Json* value = body.find(name);
    if (value == nullptr || value->is_null()) continue;
    // The documents' samples send it as a text as well.
    if (value->is_bool()) {
      keep = value->boolean();
    } else if (value->is_string() &&
               (equal_ignoring_case(value->string(), "true") || equal_ignoring_case(value->string(), "false"))) {
      keep = equal_ignoring_case(value->string(), "true");
    } else {
      throw GraphError(400, "RequestBodyRead", "Cannot convert the value of 'saveToSentItems' to the expected type.");
    }
  }
  Message draft = fresh_draft(world);
  fill_draft(draft, *message, world.clock.second());
  return store_and_send(world, call, std::move(draft), keep);
}

enum class Answer { reply, reply_all, forward };

std::string quoted(const Message& original) {
  const std::string from =
      original.from ? original.from->name + " &lt;" + original.from->address + "&gt;" : std::string();
  return "<html><head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\"></head><body><hr "
         "tabindex=\"-1\" "
         "style=\"display:inline-block; width:98%\"><div id=\"divRplyFwdMsg\" dir=\"ltr\"><b>From:</b> " +
         from + "<br><b>Sent:</b> " + rfc5322_date(original.sent_time) + "<br><b>Subject:</b> " +
         original.subject.value_or("") + "</div><div>" +
         (original.html ? *original.html : text_to_html(original.text.value_or(""))) + "</div></body></html>";
}

Message answer_draft(World& world, const User& owner, const Message& original, Answer kind) {
  if (original.is_draft) {
    // Section 10.4: it must refer to a received or sent message.
    throw GraphError(400, "ErrorInvalidReferenceItem", "The reference item must be a received or sent message.");
  }
  Message draft = fresh_draft(world);
  const std::string topic = thread_topic(original.subject.value_or(""));
  draft.subject = std::string(kind == Answer::forward ? "FW: " : "RE: ") + topic;
  draft.thread_topic = topic;
  draft.text.reset();
  draft.html = quoted(original);
  draft.in_reply_to = original.internet_message_id;
  draft.references = original.references.empty() ? original.internet_message_id
                                                 : original.references + " " + original.internet_message_id;
  draft.conversation_id = original.conversation_id;
  draft.conversation_index = original.conversation_index + random_bytes(5);
  draft.answers = original.number;
  draft.from = draft.sender = Address{owner.display_name, owner.primary_address()};
  if (kind == Answer::forward) {
    draft.attachments = original.attachments;
    draft.next_attachment = original.next_attachment;
    return draft;
  }
  // To from replyTo where there is one: one of the two readings of section 10.5; a caller compares anyway.
  draft.to = !original.reply_to.empty() ? original.reply_to
             : original.from            ? std::vector<Address>{*original.from}
                                        : std::vector<Address>{};
  for (const auto& attachment : original.attachments) {
    if (!attachment.is_inline) continue;
    draft.attachments.push_back(attachment);
  }
  draft.next_attachment = original.next_attachment;
  if (kind == Answer::reply_all) {
    const auto own = [&](const Address& address) {
      return std::find(owner.addresses.begin(), owner.addresses.end(), lower(address.address)) != owner.addresses.end();
    };
    for (const auto& address : original.to) {
      if (!own(address)) draft.to.push_back(address);
    }
    for (const auto& address : original.cc) {
      if (!own(address)) draft.cc.push_back(address);
    }
  }
  return draft;
}

// The draft of a reply or forward, what the client said put in.
Message answer_for(World& world, Call& call, Answer kind) {
  Message draft;
  {
    const auto lock = call.mailbox().lock();
    draft = answer_draft(world, *call.owner, message_of(call.mailbox(), call.parameters[0]), kind);
  }
  if (is_mime_upload(call)) {
    Message uploaded = draft_from_mime(world, *call.request);
    uploaded.to = draft.to;  // recipients come from the original
    uploaded.cc = draft.cc;
    uploaded.in_reply_to = draft.in_reply_to;
    uploaded.references = draft.references;
    uploaded.conversation_id = draft.conversation_id;
    uploaded.conversation_index = draft.conversation_index;
    uploaded.answers = draft.answers;
    uploaded.mime.reset();  // To and the thread's headers changed
    uploaded.mime_upload = false;
    return uploaded;
  }
  apply_reply_body(draft, call.json_body(true), world.clock.second());
  return draft;
}

template <Answer kind>
HttpResponse create_answer(World& world, Call& call) {
  Message draft = answer_for(world, call, kind);
  const auto lock = call.mailbox().lock();
  return json_response(201, created(world, call, store_draft(world, call.mailbox(), std::move(draft))));
}

template <Answer kind>
HttpResponse send_answer(World& world, Call& call) {
  return store_and_send(world, call, answer_for(world, call, kind), true);
}

}  // namespace

const std::vector<Route>& sending_routes() {
  static const std::vector<Route> routes = {
      {"POST", "messages", "drafts.create", Need::write, create},
      {"POST", "mailFolders/{}/messages", "drafts.create", Need::write, create_in_folder},
      {"POST", "messages/{}/createReply", "drafts.createReply", Need::write, create_answer<Answer::reply>},
      {"POST", "messages/{}/createReplyAll", "drafts.createReply", Need::write, create_answer<Answer::reply_all>},
      {"POST", "messages/{}/createForward", "drafts.createReply", Need::write, create_answer<Answer::forward>},
      {"POST", "messages/{}/send", "messages.send", Need::send, send},
      {"POST", "messages/{}/reply", "messages.reply", Need::send, send_answer<Answer::reply>},
      {"POST", "messages/{}/replyAll", "messages.reply", Need::send, send_answer<Answer::reply_all>},
      {"POST", "messages/{}/forward", "messages.reply", Need::send, send_answer<Answer::forward>},
      {"POST", "sendMail", "sendMail", Need::send, send_mail},
  };
  return routes;
}

}  // namespace embedded
