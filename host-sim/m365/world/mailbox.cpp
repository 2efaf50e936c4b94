#include "m365/world/mailbox.h"

#include <algorithm>
#include <array>

#include "m365/mime/mime_header.h"
#include "m365/mime/text.h"

namespace embedded {
namespace {

struct FolderSeed {
  const char* well_known;
  const char* english;
  const char* finnish;
  bool top_level;  // below msgfolderroot; others stand beside it and are reached by name only
  bool hidden;
};

// graph-mail.md section 4: the names that work in every locale.
constexpr std::array<FolderSeed, 16> kFolders = {{
    {"inbox", "Inbox", "Saapuneet", true, false},
    {"drafts", "Drafts", "Luonnokset", true, false},
    {"sentitems", "Sent Items", "Lähetetyt", true, false},
    {"deleteditems", "Deleted Items", "Poistetut", true, false},
    {"junkemail", "Junk Email", "Roskaposti", true, false},
    {"archive", "Archive", "Arkisto", true, false},
    {"outbox", "Outbox", "Lähtevät", true, false},
    {"conversationhistory", "Conversation History", "Keskusteluhistoria", true, false},
    {"clutter", "Clutter", "Sekalaiset", true, true},
    {"syncissues", "Sync Issues", "Synkronointiongelmat", true, true},
    {"conflicts", "Conflicts", "Ristiriidat", true, true},
    {"localfailures", "Local Failures", "Paikalliset virheet", true, true},
    {"serverfailures", "Server Failures", "Palvelinvirheet", true, true},
    {"scheduled", "Scheduled", "Ajoitetut", true, true},
    {"searchfolders", "Search Folders", "Hakukansiot", false, true},
    {"recoverableitemsdeletions", "Deletions", "Deletions", false, true},
}};

bool earlier(const Message* a, const Message* b) {
  return a->received != b->received ? a->received < b->received : a->number < b->number;
}

std::string property_key(const std::string& id, const std::string& value) {
  return lower(id) + '\n' + lower(value);  // looked up wide, compared exactly afterwards
}

}  // namespace

Mailbox::Mailbox(std::string id, const Clock& clock, std::string_view language) : id_(std::move(id)), clock_(clock) {
  auto root = std::make_unique<Folder>();
  root->number = ++next_folder_;
  root->well_known = "msgfolderroot";
  root->name = language == "fi" ? "Tietovaraston alku" : "Top of Information Store";
  Folder* top = folders_.emplace(root->number, std::move(root)).first->second.get();
  for (const auto& seed : kFolders) {
    auto folder = std::make_unique<Folder>();
    folder->number = ++next_folder_;
    folder->well_known = seed.well_known;
    folder->name = language == "fi" ? seed.finnish : seed.english;
    folder->parent = seed.top_level ? top : nullptr;
    folder->hidden = seed.hidden;
    folders_.emplace(folder->number, std::move(folder));
  }
}

Mailbox::~Mailbox() = default;

Folder* Mailbox::folder(std::uint64_t number) {
  const auto found = folders_.find(number);
  return found == folders_.end() ? nullptr : found->second.get();
}

Folder* Mailbox::well_known(std::string_view name) {
  for (const auto& entry : folders_) {
    if (!entry.second->well_known.empty() && equal_ignoring_case(entry.second->well_known, name))
      return entry.second.get();
  }
  return nullptr;
}

std::vector<Folder*> Mailbox::children(const Folder* parent, bool with_hidden) {
  std::vector<Folder*> found;
  for (const auto& entry : folders_) {
    Folder* folder = entry.second.get();
    if (folder->parent == parent && (with_hidden || !folder->hidden)) found.push_back(folder);
  }
  return found;
}

std::vector<Folder*> Mailbox::folders() {
  std::vector<Folder*> all;
  for (const auto& entry : folders_) all.push_back(entry.second.get());
  return all;
}

Folder* Mailbox::create_folder(Folder* parent, const std::string& name) {
  for (const Folder* sibling : children(parent, true)) {
    if (equal_ignoring_case(sibling->name, name)) return nullptr;
  }
  auto folder = std::make_unique<Folder>();
  folder->number = ++next_folder_;
  folder->name = name;
  folder->parent = parent;
  folder->changed = ++sequence_;
  return folders_.emplace(folder->number, std::move(folder)).first->second.get();
}

bool Mailbox::rename_folder(Folder* folder, const std::string& name) {
  for (const Folder* sibling : children(folder->parent, true)) {
    if (sibling != folder && equal_ignoring_case(sibling->name, name)) return false;
  }
  folder->name = name;
  folder->changed = ++sequence_;
  return true;
}

bool Mailbox::move_folder(Folder* folder, Folder* to) {
  for (const Folder* sibling : children(to, true)) {
    if (sibling != folder && equal_ignoring_case(sibling->name, folder->name)) return false;
  }
  folder->parent = to;
  folder->changed = ++sequence_;
  return true;
}

Folder* Mailbox::copy_folder(const Folder* folder, Folder* to) {
  const std::vector<Folder*> below = children(folder, true);  // before the copy is made, which may stand among them
  const std::vector<Message*> messages = folder->by_received;
  Folder* fresh = create_folder(to, folder->name);
  if (fresh == nullptr) return nullptr;
  fresh->hidden = folder->hidden;
  for (const Message* message : messages) copy(*message, fresh);
  for (const Folder* child : below) copy_folder(child, fresh);
  return fresh;
}

void Mailbox::delete_folder(Folder* folder) {
  for (Folder* child : children(folder, true)) delete_folder(child);
  while (!folder->by_received.empty()) erase(*folder->by_received.back());
  ++sequence_;
  folders_.erase(folder->number);
}

void Mailbox::index(Message& message) {
  if (!message.internet_message_id.empty()) by_internet_id_.emplace(message.internet_message_id, &message);
  for (const auto& property : message.properties)
    by_property_.emplace(property_key(property.id, property.value), &message);
  auto& list = message.folder->by_received;
  list.insert(std::upper_bound(list.begin(), list.end(), &message, earlier), &message);
}

void Mailbox::unindex(Message& message) {
  const auto drop = [&](auto& map, const std::string& key) {
    const auto range = map.equal_range(key);
    for (auto entry = range.first; entry != range.second; ++entry) {
      if (entry->second == &message) {
        map.erase(entry);
        return;
      }
    }
  };
  drop(by_internet_id_, message.internet_message_id);
  for (const auto& property : message.properties) drop(by_property_, property_key(property.id, property.value));
  auto& list = message.folder->by_received;
  const auto at = std::lower_bound(list.begin(), list.end(), &message, earlier);
  if (at != list.end() && *at == &message) list.erase(at);
  message.folder->changes.erase(message.changed);
}

void Mailbox::touch(Message& message, bool content) {
  message.folder->changes.erase(message.changed);
  message.changed = ++sequence_;
  message.modified = clock_.second();
  if (content) message.content_changed = message.changed;
  message.folder->changes[message.changed] = &message;
  auto& list = message.folder->by_received;
  const auto at = std::lower_bound(list.begin(), list.end(), &message, earlier);
  if (at == list.end() || *at != &message) index(message);
}

void Mailbox::enter(Message& message, Folder* to) {
  message.folder = to;
  message.changed = message.arrived = message.content_changed = ++sequence_;
  message.findable_from = clock_.now() + search_lag;
  if (!message.is_read) ++to->unread;
  to->changes[message.changed] = &message;
  index(message);
}

void Mailbox::leave(Message& message) {
  Folder* from = message.folder;
  unindex(message);
  if (!message.is_read) --from->unread;
  from->tombstones[++sequence_] = {message.number, message.place, message.arrived};
  message.folder = nullptr;
}

Message& Mailbox::add(Folder* to, Message fresh) {
  auto owned = std::make_unique<Message>(std::move(fresh));
  Message& message = *owned;
  message.number = ++next_message_;
  const Time now = clock_.second();
  if (message.created == Time{}) message.created = now;
  if (message.received == Time{}) message.received = now;
  if (message.sent_time == Time{}) message.sent_time = message.sent.value_or(message.received);
  message.modified = now;
  if (message.conversation_id.empty()) assign_conversation(message);
  messages_.emplace(message.number, std::move(owned));
  enter(message, to);
  return message;
}

// A mail that answers one of this mailbox joins its conversation; others open one, named by the first reference (so
// that two answers to a mail that is not here still meet).
void Mailbox::assign_conversation(Message& message) {
  std::vector<std::string> ids = message_ids(message.in_reply_to);
  const auto references = message_ids(message.references);
  ids.insert(ids.end(), references.rbegin(), references.rend());
  for (const auto& id : ids) {
    const auto found = by_internet_id_.find(id);
    if (found == by_internet_id_.end()) continue;
    message.conversation_id = found->second->conversation_id;
    message.conversation_index = found->second->conversation_index + random_bytes(5);
    return;
  }
  const std::string root = !references.empty() ? references.front()
                           : !ids.empty()      ? ids.front()
                                               : message.internet_message_id;
  message.conversation_id = root.empty() ? random_bytes(16) : sha256(id_ + root).substr(0, 16);
  message.conversation_index = std::string("\x01\xD9", 2) + random_bytes(4) + message.conversation_id;
}

Message* Mailbox::find(std::uint64_t number) {
  const auto found = messages_.find(number);
  return found == messages_.end() ? nullptr : found->second.get();
}

std::vector<Message*> Mailbox::by_internet_message_id(const std::string& id) {
  std::vector<Message*> found;
  const auto range = by_internet_id_.equal_range(id);
  for (auto entry = range.first; entry != range.second; ++entry) found.push_back(entry->second);
  return found;
}

std::vector<Message*> Mailbox::by_property(const std::string& property_id, const std::string& value) {
  std::vector<Message*> found;
  const auto range = by_property_.equal_range(property_key(property_id, value));
  for (auto entry = range.first; entry != range.second; ++entry) found.push_back(entry->second);
  return found;
}

void Mailbox::move(Message& message, Folder* to) {
  leave(message);
  ++message.place;
  message.modified = clock_.second();
  enter(message, to);
}

Message& Mailbox::copy(const Message& message, Folder* to) {
  Message fresh = message;
  fresh.place = 0;
  fresh.created = Time{};
  return add(to, std::move(fresh));
}

void Mailbox::erase(Message& message) {
  leave(message);
  messages_.erase(message.number);
}

void Mailbox::set_read(Message& message, bool read) {
  if (message.is_read == read) return;
  message.is_read = read;
  if (read) {
    --message.folder->unread;
  } else {
    ++message.folder->unread;
  }
}

std::string Mailbox::id_of(const Message& message, IdForm form) const {
  return encode_item_id({form, id_, message.number, message.place, 0});
}

std::string Mailbox::id_of(const Message& message, const Attachment& attachment, IdForm form) const {
  return encode_item_id({form, id_, message.number, message.place, attachment.number});
}

std::string Mailbox::id_of(const Folder& folder) const {
  return encode_folder_id(id_, folder.number);
}

std::string Mailbox::change_key(const Message& message) const {
  std::string bytes("\x09\x00\x00\x00\x16\x00\x00\x00", 8);
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>((message.changed >> shift) & 0xFF);
  return base64_encode(bytes + id_.substr(0, 8));
}

}  // namespace embedded
