#include "runtime/inbox.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/clock.h"
#include "runtime/message_event.h"
#include "runtime/parts.h"

namespace runtime {
namespace {

using base::Json;

std::string where(const configurator::Address& address) {
  return address.queue + " <" + address.address + ">";
}

HostView view_of(const ReceivedMail& mail, HostStore& store) {
  HostView view;
  std::optional<std::string> own = store.key_of_reply(mail.in_reply_to);
  // The nearest ancestor stands last (RFC 5322, 3.6.4).
  for (auto it = mail.references.rbegin(); !own && it != mail.references.rend(); ++it) own = store.key_of_reply(*it);
  view.thread_key = own ? *own : thread_of(mail);
  if (mail.report) {
    view.report_key = store.key_of_reply(mail.report->original_message_id);
    if (!mail.report->key.empty()) view.report_key = mail.report->key;
  }
  return view;
}

}  // namespace

mailplugin_verdict Inbox::accept(const configurator::Address& address, const mailplugin_message& mail) noexcept {
  try {
    if (stopping_) return MAILPLUGIN_RETRY_LATER;
    if (unwanted(mail)) {
      refuse(address, mail);
      return MAILPLUGIN_REJECTED;
    }
    store(address, mail);
    return MAILPLUGIN_ACCEPTED;
  } catch (const PartError& error) {
    if (!stopping_) log_.warning(where(address) + ": a mail is taken later: " + error.what());
  } catch (const std::exception& error) {
    log_.error(where(address) + ": a mail cannot be stored, it stays in its mailbox and is tried again: " +
               error.what() + "; make room or repair the data folder " + folder_.root().string());
  }
  return MAILPLUGIN_RETRY_LATER;
}

bool Inbox::unwanted(const mailplugin_message& mail) const {
  if (unwanted_.empty() || mail.from.address.data == nullptr) return false;
  std::string from(mail.from.address.data, static_cast<std::size_t>(mail.from.address.size));
  std::transform(from.begin(), from.end(), from.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return unwanted_.count(from) > 0;
}

// Nothing of it is kept but the event: the plugin moves it where an administrator finds it.
void Inbox::refuse(const configurator::Address& address, const mailplugin_message& message) {
  ReceivedMail mail = copy_of(message);
  const bool redelivered = (mail.flags & MAILPLUGIN_REDELIVERED) != 0;
  HostView view = view_of(mail, store_);
  Json keys = message_keys(address, std::move(mail), StoredParts(), std::move(view));
  tell(message_event(std::move(keys), redelivered, "rejected", base::now_unix_ms()), address);
}

void Inbox::store(const configurator::Address& address, const mailplugin_message& message) {
  ReceivedMail mail = copy_of(message);
  if (mail.stable_id.empty()) throw std::runtime_error("the plugin gave it no stable_id");
  const bool redelivered = (mail.flags & MAILPLUGIN_REDELIVERED) != 0;
  const bool replaces = (mail.flags & MAILPLUGIN_ATTACHMENTS_REPLACED) != 0;
  std::optional<InboxRow> before = store_.find_received(mail.stable_id);
  if (before && !replaces) {
    if (!redelivered) log_.warning(where(address) + ": the plugin handed over a mail twice: " + mail.stable_id);
    tell(message_event(std::move(before->event), redelivered, "accepted", base::now_unix_ms()), address);
    return;
  }
  PartReader reader(folder_.unfinished(), folder_.attachments(), stopping_);
  StoredParts parts = reader.read(message);
  reader.keep();
  InboxRow row;
  row.delivery_id = mail.stable_id;
  row.stored_unix_ms = base::now_unix_ms();
  for (const StoredAttachment& attachment : parts.attachments) row.files.push_back(attachment.file);
  HostView view = view_of(mail, store_);
  row.event = message_keys(address, std::move(mail), std::move(parts), std::move(view));
  if (before) {
    row.id = before->id;
    store_.replace_received(row);
    std::error_code ignored;
    for (const std::string& file : before->files) {
      if (!file.empty()) std::filesystem::remove(folder_.attachments() / file, ignored);
    }
  } else if (!store_.add_received(row, address.priority, message.received_unix_ms)) {
    // Another mailbox's thread stored the same mail meanwhile; its files are enough.
    tell(message_event(std::move(row.event), redelivered, "accepted", base::now_unix_ms()), address);
    return;
  }
  reader.commit();
  tell(message_event(std::move(row.event), redelivered, "accepted", base::now_unix_ms()), address);
}

void Inbox::tell(const Json& event, const configurator::Address& address) {
  try {
    events_.write(event);
  } catch (const base::FileError& error) {
    // The mail is safe; that an event could not be written must not make it come again.
    log_.error(where(address) + ": a mail was stored, its event was not written: " + error.what());
  }
}

}  // namespace runtime
