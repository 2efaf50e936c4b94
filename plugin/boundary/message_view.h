// A mail::Mail as the host sees it.
#pragma once

#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "mail/log.h"
#include "mail/mail.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

/// A view of a mail for the host. It points into the mail, which must outlive it, and stays at its address. Streams the
/// host opened may outlive neither; after cancel() opening and reading give MAILPLUGIN_E_CANCELLED and touch no mail.
class MessageView {
 public:
  MessageView(const mail::Mail& mail, mail::Log& log);
  MessageView(const MessageView&) = delete;
  MessageView& operator=(const MessageView&) = delete;

  const mailplugin_message& message() const { return message_; }
  void cancel() { cancelled_ = true; }

 private:
  struct PartView {
    mailplugin_part part{};
    const mail::Part* source = nullptr;
    MessageView* owner = nullptr;
  };
  struct StreamView;
  static const mailplugin_stream* MAILPLUGIN_CALL open_part(const mailplugin_part* part);

  mail::Log& log_;
  std::atomic<bool> cancelled_{false};
  mailplugin_message message_{};
  mailplugin_report report_{};
  std::vector<mailplugin_address> reply_to_, to_, cc_, bcc_;
  std::vector<mailplugin_text> references_;
  std::vector<mailplugin_pair> links_, headers_;
  std::deque<PartView> parts_;  // a deque: elements do not move
  std::vector<const mailplugin_part*> part_pointers_;
};

/// The opposite way: a host's message as a mail::Mail. Texts are copied; parts point to the host's, which stay valid
/// until on_sent. False, and `why`, when the structure breaks a rule of the header.
bool read_message(const mailplugin_message& message, mail::Mail& mail, std::string& why);

}  // namespace boundary
