#include "service/graph_service.h"

#include <simdjson.h>

#include <algorithm>
#include <optional>

#include "service/answers.h"

namespace bench {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t block_bytes = 1 << 20;

// Text that base64 or a compressor would not make small.
std::string make_block() {
  std::string block(block_bytes, '\0');
  std::uint64_t state = 88172645463325252ull;
  for (char& c : block) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    c = static_cast<char>(state);
  }
  return block;
}

}  // namespace

GraphService::GraphService(const WorldShape& shape, std::chrono::microseconds work)
    : work_(work),
      text_(shape.mail),
      attachment_(shape.mail.attachment),
      block_(make_block()),
      world_(shape),
      polled_(shape.mailboxes),
      generation_(shape.mailboxes) {}

void GraphService::set_port(int port) {
  const std::lock_guard lock(mutex_);
  origin_ = "https://127.0.0.1:" + std::to_string(port);
}

Counters GraphService::counters() const {
  const std::lock_guard lock(mutex_);
  return counters_;
}

void GraphService::reset_counters() {
  const std::lock_guard lock(mutex_);
  counters_ = Counters();
  polled_.assign(polled_.size(), false);
}

void GraphService::arrive(std::uint32_t mailbox) {
  const std::lock_guard lock(mutex_);
  world_.arrive(mailbox, wall_now());
}

std::uint64_t GraphService::unread() const {
  const std::lock_guard lock(mutex_);
  std::uint64_t sum = 0;
  for (std::uint32_t i = 0; i < world_.size(); ++i) sum += world_.at(i).unread;
  return sum;
}

void GraphService::lose_delta_state(std::uint32_t mailbox) {
  const std::lock_guard lock(mutex_);
  ++generation_.at(mailbox);
}

void GraphService::record(bool on) {
  const std::lock_guard lock(mutex_);
  recording_ = on;
  if (on) recorded_.clear();
}

std::vector<std::string> GraphService::recorded() const {
  const std::lock_guard lock(mutex_);
  return recorded_;
}

void GraphService::answer(const HttpRequest& request, HttpAnswer& answer) {
  const std::lock_guard lock(mutex_);
  if (recording_) {
    recorded_.emplace_back(request.head).append("\r\n").append(request.body);
  }
  ++counters_.calls;
  counters_.bytes_in += request.head.size() + 2 + request.body.size();
  constexpr std::string_view version = "/v1.0";
  std::string_view target = request.target;
  answer.work = work_;
  if (target.ends_with("/oauth2/v2.0/token")) {
    token(answer.body);
  } else if (target.starts_with("/upload/")) {
    ++counters_.requests;
    answer.status = put_piece(request, answer.body);
  } else if (target == "/v1.0/$batch") {
    batch(request.body, answer);
  } else if (target.starts_with(version)) {
    target.remove_prefix(version.size());
    answer.status = one(request.method, target, request.header("Prefer"), request.body, answer.body, &answer);
  } else {
    answer.status = error(answer.body, 404, "ResourceNotFound");
  }
  counters_.bytes_out += answer.body.size() + answer.block_size;
}

// A batch is answered as a whole when the last of its requests is done; four of them are at work at a time.
void GraphService::batch(std::string_view body, HttpAnswer& answer) {
  simdjson::dom::parser parser;
  simdjson::dom::array requests;
  if (parser.parse(body.data(), body.size())["requests"].get(requests) != simdjson::SUCCESS) {
    answer.status = error(answer.body, 400, "BadRequest");
    return;
  }
  std::string& out = answer.body;
  out += R"({"responses":[)";
  std::size_t count = 0;
  for (const simdjson::dom::element request : requests) {
    std::string_view id, method, url, prefer;
    if (request["id"].get(id) || request["method"].get(method) || request["url"].get(url)) continue;
    if (request["headers"]["Prefer"].get(prefer)) prefer = {};
    simdjson::dom::element inner;
    const std::string inner_body =
        request["body"].get(inner) == simdjson::SUCCESS ? std::string(simdjson::minify(inner)) : std::string();
    if (count++ > 0) out += ',';
    out += R"({"id":)";
    append_text(out, id);
    out += R"(,"status":)";
    const std::size_t place = out.size();
    out += R"(200,"headers":{"Cache-Control":"private","Content-Type":"application/json;odata.metadata=minimal;)"
           R"(odata.streaming=true;IEEE754Compatible=false;charset=utf-8"},"body":)";
    const std::size_t before = out.size();
    const int status = one(method, url, prefer, inner_body, out, nullptr);
    if (out.size() == before) out += "null";
    out.replace(place, 3, std::to_string(status));
    out += '}';
  }
  out += "]}";
  answer.work = work_ * ((count + 3) / 4);
}

int GraphService::one(std::string_view method, std::string_view url, std::string_view prefer, std::string_view body,
                      std::string& out, HttpAnswer* whole) {
  ++counters_.requests;
  Ask ask;
  ask.method = method;
  ask.path = url.substr(0, url.find('?'));
  ask.query = url.substr(std::min(ask.path.size() + 1, url.size()));
  ask.prefer = prefer;
  ask.body = body;
  std::string_view rest = ask.path;
  if (take_segment(rest) != "users") return error(out, 404, "ResourceNotFound");
  const auto mailbox = mailbox_number(decode_percent(take_segment(rest)));
  if (!mailbox || !world_.has(*mailbox)) return error(out, 404, "ErrorInvalidUser");
  ask.mailbox = *mailbox;
  const std::string_view kind = take_segment(rest);
  if (kind == "mailFolders") return folder(ask, rest, out);
  if (kind == "messages") return message(ask, rest, out, whole);
  if (kind == "sendMail") {
    ++counters_.sends;
    return 202;
  }
  return error(out, 404, "ResourceNotFound");
}

int GraphService::folder(const Ask& ask, std::string_view rest, std::string& out) {
  const std::string name = decode_percent(take_segment(rest));
  const auto id = parse_id(name);
  const bool inbox = name == "inbox" || (id && id->kind == Id::Kind::folder && id->number == 0);
  if (rest == "/messages/delta") return inbox ? delta(ask, out) : error(out, 404, "ErrorItemNotFound");
  if (rest == "/messages") {
    if (inbox) return list(ask, out);
    out += R"({"value":[]})";
    return 200;
  }
  if (!rest.empty()) return error(out, 404, "ErrorItemNotFound");
  const World::Mailbox& mailbox = world_.at(ask.mailbox);
  ++counters_.opened;
  out += R"({"id":")";
  // Another folder than the inbox has a number of its own; nobody asks what it holds.
  append_id(out, {Id::Kind::folder, ask.mailbox, inbox ? 0u : 1u});
  out += R"(","displayName":")" + (inbox ? std::string("Inbox") : name) + R"(","parentFolderId":")";
  append_id(out, {Id::Kind::folder, ask.mailbox, 2});
  out += R"(","childFolderCount":0,"unreadItemCount":)" + std::to_string(mailbox.unread) + R"(,"totalItemCount":)" +
         std::to_string(mailbox.count) + "}";
  return 200;
}

std::string GraphService::link(const Ask& ask) const {
  return origin_ + "/v1.0" + std::string(ask.path) + "?";
}

void GraphService::note_poll(std::uint32_t mailbox) {
  ++counters_.pages;
  if (polled_[mailbox]) return;
  polled_[mailbox] = true;
  counters_.last_new_poll = steady_clock::now();
  if (counters_.mailboxes_polled++ == 0) counters_.first_poll = counters_.last_new_poll;
}

int GraphService::message(const Ask& ask, std::string_view rest, std::string& out, HttpAnswer* whole) {
  if (rest.empty()) {
    if (ask.method == "POST") return new_draft(ask.mailbox, out);
    // A search by Message-ID, "<bench.00017.00000004@fabrikam.example>".
    const std::string filter = option(ask.query, "$filter").value_or("");
    out += R"({"value":[)";
    if (const std::size_t at = filter.find("<bench."); at != std::string::npos && filter.size() > at + 21) {
      const auto box = first_number(std::string_view(filter).substr(at + 7, 5));
      const auto number = first_number(std::string_view(filter).substr(at + 13, 8));
      if (box == ask.mailbox && number && *number < world_.at(ask.mailbox).count)
        text_.append_thin(out, world_.facts(ask.mailbox, static_cast<std::uint32_t>(*number)));
    }
    out += "]}";
    return 200;
  }
  const auto id = parse_id(take_segment(rest));
  if (!id || id->mailbox != ask.mailbox) return error(out, 404, "ErrorItemNotFound");
  if (id->kind == Id::Kind::draft && id->number < drafts_.size()) return draft(ask, id->number, rest, out);
  if (id->kind == Id::Kind::mail && id->number < world_.at(ask.mailbox).count)
    return mail(ask, id->number, rest, out, whole);
  return error(out, 404, "ErrorItemNotFound");
}

int GraphService::mail(const Ask& ask, std::uint32_t number, std::string_view rest, std::string& out,
                       HttpAnswer* whole) {
  const MailFacts facts = world_.facts(ask.mailbox, number);
  if (rest.empty()) {
    if (ask.method == "PATCH") {
      ++counters_.marks;
      world_.mark_read(ask.mailbox, number);
      if (ask.prefer.find("return=minimal") == std::string_view::npos)
        text_.append_whole(out, world_.facts(ask.mailbox, number));
      return 200;
    }
    const std::string select = option(ask.query, "$select").value_or("body");
    select.find("body") != std::string::npos ? text_.append_whole(out, facts) : text_.append_thin(out, facts);
    return 200;
  }
  if (rest == "/createReply") return new_draft(ask.mailbox, out);
  if (rest == "/attachments" && attachment_ > 0) {
    out += R"({"value":[{"@odata.type":"#microsoft.graph.fileAttachment","id":")";
    append_id(out, {Id::Kind::attachment, ask.mailbox, number});
    out += R"(","name":"order.pdf","contentType":"application/pdf","size":)" + std::to_string(attachment_) +
           R"(,"isInline":false,"contentId":null}]})";
    return 200;
  }
  if (rest.starts_with("/attachments/") && rest.ends_with("/$value") && whole != nullptr) {
    ++counters_.attachments;
    whole->content_type = "application/pdf";
    whole->block = &block_;
    whole->block_size = attachment_;
    return 200;
  }
  if (rest == "/attachments") {
    out += R"({"value":[]})";
    return 200;
  }
  return error(out, 404, "ErrorItemNotFound");
}

// Roles as the app needs them: {"roles":["Mail.ReadWrite","Mail.Send"]}, unsigned.
void GraphService::token(std::string& out) const {
  out +=
      R"({"token_type":"Bearer","expires_in":3599,"ext_expires_in":3599,"access_token":"eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9.)"
      "eyJyb2xlcyI6WyJNYWlsLlJlYWRXcml0ZSIsIk1haWwuU2VuZCJdfQ." +
      std::string(342, 'x') + "\"}";
}

}  // namespace bench
