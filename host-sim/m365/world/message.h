// A message as the mailbox keeps it: what Graph shows, and the MIME it came as.
#ifndef HOST_SIM_M365_MESSAGE_H_
#define HOST_SIM_M365_MESSAGE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "m365/json.h"
#include "m365/server/clock.h"

namespace embedded {

struct Folder;

struct Address {
  std::string name, address;
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;
using Bytes = std::shared_ptr<const std::string>;

enum class AttachmentKind { file, item, reference };

struct Attachment {
  std::uint64_t number = 0;  // of its message; never used twice
  AttachmentKind kind = AttachmentKind::file;
  std::optional<std::string> name, content_type, content_id, content_location;
  bool is_inline = false;
  Bytes bytes;  // a file's content, an item's MIME, a reference's URL
  Time modified{};

  std::size_t size() const { return bytes ? bytes->size() : 0; }
};

// Extended property: the id in its normal form (properties.h) and its value as text.
struct ExtendedProperty {
  std::string id, value;
};

// Everything that comes from the mail itself and not from the mailbox it lies in.
struct Content {
  std::optional<std::string> subject;
  std::optional<Address> from, sender;
  std::vector<Address> to, cc, bcc, reply_to;
  std::optional<std::string> html, text;  // as many as the mail has
  std::string importance = "normal";
  std::string internet_message_id, in_reply_to, references;
  // It came by transport: the header of `mime` is what Graph shows as internetMessageHeaders (mime_read.h).
  bool travelled = false;
  HeaderList own_headers;  // of a draft: the x- ones given by the client
  std::vector<Attachment> attachments;
  std::uint64_t next_attachment = 1;
  std::string message_class = "IPM.Note";
  std::string meeting_method;           // REQUEST, REPLY, CANCEL of a meeting mail
  std::string thread_topic;             // subject without Re: and the like
  std::vector<std::string> receipt_to;  // who asked for a read receipt
  bool read_receipt_requested = false;
  std::optional<bool> delivery_receipt_requested;
  std::optional<Time> sent;
  Bytes mime;  // CRLF; null for what was made from JSON and not sent yet
};

struct Message : Content {
  std::uint64_t number = 0;  // the immutable identity
  std::uint32_t place = 0;   // grows with every move: the ordinary identity
  Folder* folder = nullptr;
  // Sequence numbers of the mailbox (delta.h): last change; arrival in the folder; last change beyond the read flag.
  std::uint64_t changed = 0, arrived = 0, content_changed = 0;
  Time created{}, modified{}, received{}, sent_time{};
  Time findable_from{};  // searches that lag see it from then on
  bool is_read = false, is_draft = false, submitted = false;
  std::string inference = "focused";
  std::vector<std::string> categories;
  Json flag;  // null: notFlagged
  std::vector<ExtendedProperty> properties;
  std::map<std::string, std::vector<std::string>> multi_properties;  // values by normal id
  std::string conversation_id, conversation_index;                   // bytes
  std::uint64_t answers = 0;  // number of the message a reply draft answers, 0 none
  bool mime_upload = false;   // a draft whose `mime` is the client's own
  bool receipt_sent = false;

  bool has_real_attachments() const;
  std::size_t size() const;
  Attachment* attachment(std::uint64_t number);
  const ExtendedProperty* property(const std::string& id) const;
  void set_property(const std::string& id, const std::string& value);
};

// Subject without "Re:", "Fwd:" and the like in front.
std::string thread_topic(const std::string& subject);

}  // namespace embedded

#endif  // HOST_SIM_M365_MESSAGE_H_
