#include "m365/incoming/incoming_fake_graph.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "m365/message/message_row.h"

namespace fake {
namespace {

std::string decoded(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::strtol(text.substr(i + 1, 2).c_str(), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::vector<std::string> parts_of(const std::string& path) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (at < path.size()) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(decoded(path.substr(at, end - at)));
    at = end + 1;
  }
  return parts;
}

std::map<std::string, std::string> query_of(const std::string& text) {
  std::map<std::string, std::string> query;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('&', at), text.size());
    const std::string pair = text.substr(at, end - at);
    const std::size_t equals = pair.find('=');
    query[pair.substr(0, equals)] = equals == std::string::npos ? "" : decoded(pair.substr(equals + 1));
    at = end + 1;
  }
  return query;
}

std::string value(const std::map<std::string, std::string>& query, const std::string& key) {
  const auto place = query.find(key);
  return place == query.end() ? std::string() : place->second;
}

std::uint64_t number(const std::string& text, std::uint64_t otherwise) {
  return text.empty() ? otherwise : std::strtoull(text.c_str(), nullptr, 10);
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

std::string replaced(std::string text, char from, char to) {
  std::ranges::replace(text, from, to);
  return text;
}

const char* flag(bool value) {
  return value ? "true" : "false";
}

std::string thin_json(const Message& m) {
  return "\"id\":" + quoted(m.id) + ",\"isRead\":" + flag(m.read) + ",\"isDraft\":" + flag(m.draft) +
         ",\"receivedDateTime\":" + quoted(m365::format_time(m.received)) +
         ",\"internetMessageId\":" + quoted(m.internet_id) +
         ",\"from\":{\"emailAddress\":{\"name\":\"\",\"address\":" + quoted(m.from) +
         "}},\"parentFolderId\":" + quoted(m.folder);
}

std::string whole_json(const Message& m) {
  return thin_json(m) + ",\"subject\":" + quoted(m.subject) + ",\"hasAttachments\":" + flag(!m.attachments.empty()) +
         ",\"isReadReceiptRequested\":" + flag(m.wants_receipt) +
         ",\"conversationId\":\"c\",\"importance\":\"normal\",\"sentDateTime\":" +
         quoted(m365::format_time(m.received)) +
         ",\"body\":{\"contentType\":\"text\",\"content\":\"hello\"},\"sender\":{\"emailAddress\":{\"name\":\"\","
         "\"address\":" +
         quoted(m.from) +
         "}},\"toRecipients\":[],\"ccRecipients\":[],\"bccRecipients\":[],\"replyTo\":[],"
         "\"internetMessageHeaders\":[{\"name\":\"Received\",\"value\":\"x\"}]";
}

std::string object(const std::string& members) {
  return "{" + members + "}";
}

std::string joined(const std::vector<std::string>& rows) {
  std::string text;
  for (const std::string& row : rows) text += (text.empty() ? "" : ",") + row;
  return text;
}

unsigned preferred_page(const m365::GraphRequest& request) {
  for (const std::string& prefer : request.prefer) {
    const std::string word = "odata.maxpagesize=";
    if (prefer.starts_with(word)) return static_cast<unsigned>(number(prefer.substr(word.size()), 10));
  }
  return 10;
}

}  // namespace

Reply error(int status, const std::string& code) {
  return {status, "{\"error\":{\"code\":\"" + code + "\",\"message\":\"no\"}}", {{"request-id", "req-1"}}};
}

std::string encoded(const std::string& text) {
  return http::percent_encode(text);
}

World::World(mail::Clock& clock) : clock_(clock) {}

World::Mailbox& World::mailbox(const std::string& user) {
  Mailbox& box = boxes_[user];
  if (box.folders.empty()) {
    const std::string tag = "@" + user;
    box.folders["root" + tag] = {"root" + tag, "Top of Information Store", ""};
    box.folders["inbox" + tag] = {"inbox" + tag, "Inbox", "root" + tag};
    box.folders["deleteditems" + tag] = {"deleteditems" + tag, "Deleted Items", "root" + tag};
  }
  return box;
}

Folder* World::folder(Mailbox& box, const std::string& id_or_name) {
  for (auto& [id, folder] : box.folders) {
    if (folder.deleted) continue;
    const bool named = id.starts_with(id_or_name + "@") || (id_or_name == "msgfolderroot" && id.starts_with("root@"));
    if (id == id_or_name || named) return &folder;
  }
  return nullptr;
}

std::string World::put(const std::string& user, Message message, const std::string& to) {
  const std::lock_guard lock(mutex);
  Mailbox& box = mailbox(user);
  // As long as Graph's: short ones take another way through the store.
  if (message.id.empty()) message.id = "AAk" + std::string(120, 'A') + "-" + std::to_string(++next_id_) + "=";
  if (message.internet_id.empty()) message.internet_id = "<" + std::to_string(next_id_) + "@example.com>";
  if (message.received == mail::WallTime{}) message.received = clock_.wall();
  message.folder = folder(box, to)->id;
  message.arrived = message.changed = ++sequence_;
  const std::string id = message.id;
  box.messages[id] = std::move(message);
  return id;
}

void World::move(const std::string& user, const std::string& id, const std::string& to) {
  const std::lock_guard lock(mutex);
  Mailbox& box = mailbox(user);
  Message& message = box.messages.at(id);
  box.left.push_back({message.folder, id, ++sequence_});
  message.folder = folder(box, to)->id;
  message.arrived = message.changed = ++sequence_;
}

void World::remove(const std::string& user, const std::string& id) {
  const std::lock_guard lock(mutex);
  Mailbox& box = mailbox(user);
  box.left.push_back({box.messages.at(id).folder, id, ++sequence_});
  box.messages.erase(id);
}

void World::change(const std::string& user, const std::string& id, const std::function<void(Message&)>& how) {
  const std::lock_guard lock(mutex);
  Message& message = mailbox(user).messages.at(id);
  how(message);
  message.changed = ++sequence_;
}

std::optional<Message> World::find(const std::string& user, const std::string& id) {
  const std::lock_guard lock(mutex);
  Mailbox& box = mailbox(user);
  const auto place = box.messages.find(id);
  return place == box.messages.end() ? std::nullopt : std::optional<Message>(place->second);
}

std::vector<Message> World::in_folder(const std::string& user, const std::string& name) {
  const std::lock_guard lock(mutex);
  std::vector<Message> found;
  Mailbox& box = mailbox(user);
  const Folder* place = folder(box, name);
  for (const auto& entry : box.messages) {
    if (place != nullptr && entry.second.folder == place->id) found.push_back(entry.second);
  }
  return found;
}

void World::add_folder(const std::string& user, Folder added) {
  const std::lock_guard lock(mutex);
  Mailbox& box = mailbox(user);
  if (Folder* parent = folder(box, added.parent)) added.parent = parent->id;
  box.folders[added.id] = added;
}

void World::change_folder(const std::string& user, const std::string& id, const std::function<void(Folder&)>& how) {
  const std::lock_guard lock(mutex);
  how(mailbox(user).folders.at(id));
}

std::optional<Folder> World::folder_named(const std::string& user, const std::string& name) {
  const std::lock_guard lock(mutex);
  for (const auto& entry : mailbox(user).folders) {
    if (entry.second.name == name && !entry.second.deleted) return entry.second;
  }
  return std::nullopt;
}

void World::lose_delta_state() {
  const std::lock_guard lock(mutex);
  ++generation_;
}

void World::set_intercept(std::function<std::optional<Reply>(const m365::GraphRequest&)> how) {
  const std::lock_guard lock(mutex);
  intercept = std::move(how);
}

std::size_t World::count(const std::string& operation) {
  const std::lock_guard lock(mutex);
  return counts_[operation];
}

Reply World::answer(const m365::GraphRequest& request) {
  const std::lock_guard lock(mutex);
  ++counts_[request.operation];
  if (intercept) {
    if (auto reply = intercept(request)) return *reply;
  }
  return real_answer(request);
}

Reply World::real_answer(const m365::GraphRequest& request) {
  std::string url = request.path;
  const std::string origin = "https://graph.microsoft.com/v1.0";
  if (url.starts_with(origin)) url = url.substr(origin.size());
  const std::size_t question = std::min(url.find('?'), url.size());
  const std::vector<std::string> path = parts_of(url.substr(0, question));
  const auto query = question < url.size() ? query_of(url.substr(question + 1)) : std::map<std::string, std::string>();
  if (path.size() < 3 || path[0] != "users") return error(400, "BadRequest");
  Mailbox& box = mailbox(path[1]);
  if (path[2] == "messages") return message(request, box, path);
  if (path.size() < 5 || path[4] == "childFolders") return folders(request, box, path, query);
  const Folder* place = folder(box, path[3]);
  if (place == nullptr) return error(404, "ErrorFolderNotFound");
  if (path.size() == 6 && path[5] == "delta") return delta(request, box, place->id, query);
  return list(box, place->id, query, url.substr(0, question));
}

Reply World::folders(const m365::GraphRequest& request, Mailbox& box, const std::vector<std::string>& path,
                     const std::map<std::string, std::string>& query) {
  Folder* place = folder(box, path.at(3));
  if (place == nullptr) return error(404, "ErrorItemNotFound");
  const auto json = [&box](const Folder& folder) {
    std::size_t total = 0, unread = 0;
    for (const auto& entry : box.messages) {
      if (entry.second.folder != folder.id) continue;
      ++total;
      if (!entry.second.read) ++unread;
    }
    return object("\"id\":" + quoted(folder.id) + ",\"displayName\":" + quoted(folder.name) +
                  ",\"parentFolderId\":" + quoted(folder.parent) + ",\"totalItemCount\":" + std::to_string(total) +
                  ",\"unreadItemCount\":" + std::to_string(unread) + ",\"childFolderCount\":0");
  };
  if (path.size() == 4) return {200, json(*place), {}};
  if (request.method == "POST") {
    const std::size_t from = request.body.find(":\"") + 2;
    const std::string name = request.body.substr(from, request.body.rfind('"') - from);
    const Folder made{"made-" + name + "-" + std::to_string(++next_id_), name, place->id};
    box.folders[made.id] = made;
    return {201, json(made), {}};
  }
  const std::string filter = value(query, "$filter");
  std::vector<std::string> rows;
  for (const auto& entry : box.folders) {
    const Folder& child = entry.second;
    if (child.parent != place->id || child.deleted) continue;
    if (child.hidden && value(query, "includeHiddenFolders") != "true") continue;
    if (!filter.empty() && filter != "displayName eq '" + child.name + "'") continue;
    rows.push_back(json(child));
  }
  return {200, "{\"value\":[" + joined(rows) + "]}", {}};
}

Reply World::delta(const m365::GraphRequest& request, Mailbox& box, const std::string& place,
                   const std::map<std::string, std::string>& query) {
  if (!delta_offered) return error(501, "NotSupported");
  // "generation-since!filter" begins a round, "generation-until-series-skip!filter" goes on with its snapshot.
  std::uint64_t since = 0, skip = 0, series = 0;
  std::string filtered = value(query, "$filter");
  if (const std::string token = value(query, "$token"); !token.empty()) {
    const std::vector<std::string> parts = parts_of(replaced(token.substr(0, token.find('!')), '-', '/'));
    filtered = token.substr(token.find('!') + 1);
    if (number(parts.at(0), 0) != generation_) return error(410, "SyncStateNotFound");
    since = number(parts.at(1), 0);
    if (parts.size() > 2) series = number(parts.at(2), 0), skip = number(parts.at(3), 0);
  }
  if (series == 0) {
    series = series_.size() + 1;
    series_.push_back(changes(box, place, since, filtered));
    since = sequence_;
  }
  const std::vector<std::string>& rows = series_.at(series - 1);
  const std::size_t page = delta_page != 0 ? delta_page : preferred_page(request);
  const bool more = rows.size() > skip + page;
  std::vector<std::string> texts;
  for (std::size_t i = skip; i < std::min<std::size_t>(rows.size(), skip + page); ++i) texts.push_back(rows[i]);
  std::string token = std::to_string(generation_) + "-" + std::to_string(since);
  if (more) token += "-" + std::to_string(series) + "-" + std::to_string(skip + page);
  const std::string url = request.path.substr(0, request.path.find('?'));
  const std::string link = (url.starts_with("https:") ? "" : "https://graph.microsoft.com/v1.0") + url +
                           "?$token=" + encoded(token + "!" + filtered);
  return {
      200,
      "{\"value\":[" + joined(texts) + "],\"@odata." + (more ? "nextLink" : "deltaLink") + "\":" + quoted(link) + "}",
      {}};
}

std::vector<std::string> World::changes(const Mailbox& box, const std::string& place, std::uint64_t since,
                                        const std::string& filter) {
  const auto from =
      filter.empty() ? std::nullopt : m365::parse_time(filter.substr(std::string("receivedDateTime ge ").size()));
  std::vector<std::pair<std::uint64_t, std::string>> rows;
  for (const auto& entry : box.messages) {
    const Message& m = entry.second;
    if (m.folder != place || m.changed <= since || (from && m.received < *from)) continue;
    const std::string flag_only =
        "\"id\":" + quoted(m.id) + ",\"isRead\":" + flag(m.read) + ",\"parentFolderId\":" + quoted(m.folder);
    rows.emplace_back(m.changed, object(m.arrived <= since || m.sparse ? flag_only : whole_json(m)));
  }
  for (const auto& gone : box.left) {
    if (since > 0 && gone.folder == place && gone.at > since)
      rows.emplace_back(gone.at, object("\"id\":" + quoted(gone.id) + ",\"@removed\":{\"reason\":\"deleted\"}"));
  }
  std::ranges::sort(rows);
  std::vector<std::string> texts;
  for (auto& row : rows) texts.push_back(std::move(row.second));
  return texts;
}

Reply World::list(Mailbox& box, const std::string& place, const std::map<std::string, std::string>& query,
                  const std::string& path) {
  const std::string filter = value(query, "$filter"), order = value(query, "$orderby");
  const std::string ge = "receivedDateTime ge ";
  const auto from = filter.starts_with(ge) ? m365::parse_time(filter.substr(ge.size())) : std::nullopt;
  std::vector<const Message*> found;
  for (const auto& entry : box.messages) {
    const Message& m = entry.second;
    if (m.folder != place || (from && m.received < *from)) continue;
    if (filter == "isRead eq false" && m.read) continue;
    found.push_back(&m);
  }
  std::ranges::stable_sort(found, [&order](const Message* a, const Message* b) {
    return order == "receivedDateTime" ? a->received < b->received : a->received > b->received;
  });
  const std::uint64_t top = number(value(query, "$top"), 10), skip = number(value(query, "$skip"), 0);
  std::vector<std::string> rows;
  for (std::size_t i = skip; i < std::min<std::uint64_t>(found.size(), skip + top); ++i)
    rows.push_back(object(thin_json(*found[i])));
  std::string next;
  if (found.size() > skip + top) {
    next = ",\"@odata.nextLink\":" + quoted("https://graph.microsoft.com/v1.0" + path + "?$top=" + std::to_string(top) +
                                            "&$skip=" + std::to_string(skip + top) + "&$orderby=" + encoded(order) +
                                            "&$filter=" + encoded(filter));
  }
  return {200, "{\"value\":[" + joined(rows) + "]" + next + "}", {}};
}

Reply World::message(const m365::GraphRequest& request, Mailbox& box, const std::vector<std::string>& path) {
  const auto place = box.messages.find(path.size() > 3 ? path[3] : std::string());
  if (place == box.messages.end()) return error(404, "ErrorItemNotFound");
  Message& m = place->second;
  if (path.size() > 4 && path[4] == "attachments") return {200, "{\"value\":[" + m.attachments + "]}", {}};
  if (request.method == "PATCH") {
    const bool asked = m.wants_receipt, reads = request.body.find("\"isRead\":true") != std::string::npos;
    if (request.body.find("\"isReadReceiptRequested\":false") != std::string::npos) m.wants_receipt = false;
    // Whether the request counts that stood there before this PATCH is one of two readings (graph-mail.md, section 12).
    if (reads && !m.read && (same_patch_is_too_late ? asked : m.wants_receipt)) ++m.receipts_sent;
    m.read = m.read || reads;
    m.changed = ++sequence_;
  } else if (request.method == "POST") {
    const std::size_t from = request.body.find(":\"") + 2;
    const Folder* to = folder(box, request.body.substr(from, request.body.rfind('"') - from));
    if (to == nullptr) return error(404, "ErrorToFolderNotFound");
    box.left.push_back({m.folder, m.id, ++sequence_});
    m.folder = to->id;
    m.arrived = m.changed = ++sequence_;
    return {201, object(whole_json(m)), {}};
  }
  return {200, object(whole_json(m)), {}};
}

mail::Secret Tokens::current(std::stop_token) {
  const std::lock_guard lock(mutex_);
  if (fault_) throw mail::FaultError(*fault_);
  return "token";
}

void Tokens::set_credential(const mail::Secret& secret, const mail::Secret&) {
  const std::lock_guard lock(mutex_);
  if (!wanted_ || secret.view() != *wanted_) return;
  wanted_.reset();
  fault_.reset();
}

bool Tokens::wants_credential() const {
  const std::lock_guard lock(mutex_);
  return wanted_.has_value();
}

std::optional<mail::Fault> Tokens::fault() const {
  const std::lock_guard lock(mutex_);
  return fault_;
}

void Tokens::refuse_all_but(const std::string& secret) {
  const std::lock_guard lock(mutex_);
  wanted_ = secret;
  mail::Fault fault;
  fault.cause = mail::Cause::secret_refused;
  fault.remedy = mail::Remedy::administrator;
  fault.text = "the secret is refused";
  fault.code = "AADSTS7000215";
  fault_ = fault;
}

Graph::Graph(m365::Environment& environment, const m365::TenantSettings& tenant, std::shared_ptr<Tokens> tokens,
             std::shared_ptr<World> world)
    : GraphClient(environment, tenant, tokens, "test"),
      tokens_(tokens),
      clock_(environment.clock()),
      world_(std::move(world)) {}

void Graph::wait(std::chrono::milliseconds time, const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::unique_lock lock(mutex);
  const mail::SteadyTime until = clock_.now() + time;
  while (clock_.now() < until && !stop.stop_requested()) clock_.wait_until(lock, wake, until, stop);
}

http::Response Graph::send(const m365::GraphRequest& request, std::stop_token stop) {
  tokens_->current(stop);
  if (world_->delay) wait(world_->delay(request), stop);
  const Reply reply = world_->answer(request);
  if (reply.status < 200 || reply.status > 299) throw error_of({reply.status, reply.headers, reply.body}, request);
  return {reply.status, reply.headers, reply.body};
}

std::unique_ptr<http::Exchange> Graph::open(const m365::GraphRequest& request, std::stop_token) {
  throw error_of({404, {}, {}}, request);
}

bool Graph::batches() const {
  const std::lock_guard lock(world_->mutex);
  return world_->batches_offered;
}

std::vector<m365::BatchAnswer> Graph::batch(const std::vector<m365::GraphRequest>& requests, std::stop_token stop) {
  tokens_->current(stop);
  if (world_->delay) {
    std::chrono::milliseconds slowest{0};
    for (const m365::GraphRequest& request : requests) slowest = std::max(slowest, world_->delay(request));
    wait(slowest, stop);
  }
  {
    const std::lock_guard lock(world_->mutex);
    ++world_->batches;
    if (world_->intercept_batch) {
      if (const auto reply = world_->intercept_batch(requests))
        throw error_of({reply->status, reply->headers, reply->body}, requests.front());
    }
  }
  std::vector<m365::BatchAnswer> answers;
  for (const m365::GraphRequest& request : requests) {
    const Reply reply = world_->answer(request);
    answers.push_back({reply.status, reply.headers, reply.body});
  }
  return answers;
}

}  // namespace fake
