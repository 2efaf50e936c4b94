// One mailbox: folders, messages, their indexes and the record of changes that delta reads.
//
// Threads: `lock()` first, then everything else; what is returned by pointer or reference holds while the lock is held.
// Never hold the locks of two mailboxes at once.
#ifndef HOST_SIM_M365_MAILBOX_H_
#define HOST_SIM_M365_MAILBOX_H_

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "m365/server/clock.h"
#include "m365/world/ids.h"
#include "m365/world/message.h"

namespace embedded {

// A message that left a folder, or was deleted.
struct Tombstone {
  std::uint64_t number = 0;
  std::uint32_t place = 0;
  std::uint64_t arrived = 0;  // sequence at which it had come
};

struct Folder {
  std::uint64_t number = 0;
  std::string name;
  std::string well_known;  // "inbox"; empty for others
  Folder* parent = nullptr;
  bool hidden = false;
  std::size_t unread = 0;
  // Sorted by (received, number), oldest first.
  std::vector<Message*> by_received;
  // Delta: every message of the folder at the sequence of its last change; what left, at the sequence of leaving.
  std::map<std::uint64_t, Message*> changes;
  std::map<std::uint64_t, Tombstone> tombstones;
  // Delta state of an older generation is lost (410).
  std::uint64_t generation = 1;
  std::uint64_t changed = 0;  // sequence of the folder's own last change
};

struct MailboxOptions {
  bool quota_exceeded = false;        // writing and sending fail
  bool quota_blocks_reading = false;  // and delta too, as has been seen
  bool not_enabled = false;           // MailboxNotEnabledForRESTAPI
  std::optional<std::size_t> daily_recipient_limit;
  std::size_t max_send_size = 35U << 20;
  std::size_t recipient_limit = 500;
};

class Mailbox {
 public:
  // `id` is the user's object id. `language` chooses folder names ("fi"; everything else is English).
  Mailbox(std::string id, const Clock& clock, std::string_view language);
  ~Mailbox();

  std::unique_lock<std::mutex> lock() { return std::unique_lock(mutex_); }
  const std::string& id() const { return id_; }

  // ---- all below: with the lock held ----
  MailboxOptions options;
  Milliseconds search_lag{0};
  std::deque<std::pair<Time, std::size_t>> recent_sends;  // when and to how many, of the last 24 h

  Folder* folder(std::uint64_t number);
  Folder* well_known(std::string_view name);  // without regard to case; nullptr when there is none of that name
  std::vector<Folder*> children(const Folder* parent, bool with_hidden);
  std::vector<Folder*> folders();
  // nullptr when the name is taken (compared without case).
  Folder* create_folder(Folder* parent, const std::string& name);
  bool rename_folder(Folder* folder, const std::string& name);
  // False when the name is taken there. `to` is neither the folder nor below it.
  bool move_folder(Folder* folder, Folder* to);
  // With all that is in it; nullptr when the name is taken there.
  Folder* copy_folder(const Folder* folder, Folder* to);
  // With all that is in it.
  void delete_folder(Folder* folder);

  // Puts a new message into a folder; gives it its number, conversation and times where they are unset.
  Message& add(Folder* folder, Message message);
  Message* find(std::uint64_t number);
  std::vector<Message*> by_internet_message_id(const std::string& id);
  std::vector<Message*> by_property(const std::string& property_id, const std::string& value);

  // After a change: `content` says whether more than the read flag changed. Indexes follow.
  void touch(Message& message, bool content);
  // Call before changing received, internet_message_id or properties of a message; touch() puts it back.
  void unindex(Message& message);
  void move(Message& message, Folder* to);
  Message& copy(const Message& message, Folder* to);
  void erase(Message& message);
  void set_read(Message& message, bool read);

  std::uint64_t sequence() const { return sequence_; }
  std::string id_of(const Message& message, IdForm form) const;
  std::string id_of(const Message& message, const Attachment& attachment, IdForm form) const;
  std::string id_of(const Folder& folder) const;
  std::string change_key(const Message& message) const;

 private:
  void index(Message& message);
  void enter(Message& message, Folder* to);
  void leave(Message& message);
  void assign_conversation(Message& message);

  const std::string id_;
  const Clock& clock_;
  std::mutex mutex_;
  // Guarded by mutex_:
  std::uint64_t sequence_ = 0, next_folder_ = 0, next_message_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Folder>> folders_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Message>> messages_;
  std::unordered_multimap<std::string, Message*> by_internet_id_;
  std::unordered_multimap<std::string, Message*> by_property_;
};

}  // namespace embedded

#endif  // HOST_SIM_M365_MAILBOX_H_
