// A message that shall leave: as a person or a batch gives it, as the outbox keeps it, and as the plugin sees it.
#ifndef HOST_SIM_RUNTIME_OUTGOING_MAIL_H_
#define HOST_SIM_RUNTIME_OUTGOING_MAIL_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "mailplugin/mailplugin.h"

namespace runtime {

// Something in a message to send is wrong: which part, why.
class MessageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Person {
  std::string name, address;
};

struct OutgoingAttachment {
  std::string name, media_type, content_id;  // a content id makes it inline
  std::filesystem::path file;
};

struct OutgoingMail {
  std::string from, mailbox;
  std::vector<Person> to, cc, bcc, reply_to;
  std::string subject;
  std::optional<std::string> text, html;
  std::string in_reply_to;
  std::vector<std::string> references;
  std::vector<OutgoingAttachment> attachments;
  bool automatic = false;
};

// "a@x, Bea <b@x>, \"C, D\" <c@x>". Throws MessageError naming what is no address.
std::vector<Person> parse_addresses(std::string_view list);

// By the file name's ending; application/octet-stream when it is not known.
std::string media_type_of(std::string_view file_name);

// Attachments that the html shows by "cid:" and their file name become inline with that content id.
void mark_inline(OutgoingMail& mail);

base::Json to_json(const OutgoingMail& mail);
OutgoingMail outgoing_mail_from(const base::Json& json);

// The plugin's view of a message, alive until the submission is answered. Not movable: the view points into it.
class LeavingMail {
 public:
  LeavingMail(OutgoingMail mail, std::string key);
  ~LeavingMail();
  LeavingMail(const LeavingMail&) = delete;
  LeavingMail& operator=(const LeavingMail&) = delete;

  const mailplugin_message& view() const { return view_; }
  const OutgoingMail& mail() const { return mail_; }

 private:
  struct Part;

  const OutgoingMail mail_;
  const std::string key_;
  std::vector<mailplugin_address> to_, cc_, bcc_, reply_to_;
  std::vector<mailplugin_text> references_;
  std::vector<std::unique_ptr<Part>> parts_;
  std::vector<const mailplugin_part*> part_views_;
  mailplugin_message view_{};
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_OUTGOING_MAIL_H_
