#include "runtime/inbox.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "base/clock.h"
#include "runtime/message_event.h"
#include "runtime/text.h"

namespace runtime {
namespace {

using base::Json;

std::string where(const configurator::Address& address) {
  return address.queue + " <" + address.address + ">";
}

HostView seen_by_host(const mailplugin_message& mail, HostStore& store) {
  HostView view;
  std::optional<std::string> own = store.key_of_reply(as_view(mail.in_reply_to));
  // The nearest ancestor stands last (RFC 5322, 3.6.4).
  for (std::uint32_t i = mail.references == nullptr ? 0 : mail.reference_count; !own && i > 0; --i)
    own = store.key_of_reply(as_view(mail.references[i - 1]));
  view.thread_key = own ? *own : thread_of(mail);
  if (mail.report != nullptr) {
    view.report_key = store.key_of_reply(as_view(mail.report->original_message_id));
    if (const std::string_view key = as_view(mail.report->key); !key.empty()) view.report_key = key;
  }
  return view;
}

}  // namespace

Inbox::Inbox(const DataFolder& folder, HostStore& store, EventWriter& events, base::Log& log)
    : folder_(folder), store_(store), events_(events), log_(log), groups_([this](std::vector<Pending>& group) {
        store_group(group);
      }) {}

mailplugin_verdict Inbox::accept(const configurator::Address& address, const mailplugin_message& mail,
                                 Decided decided) noexcept {
  try {
    if (stopping_) return MAILPLUGIN_RETRY_LATER;
    if (unwanted(mail)) {
      refuse(address, mail);
      return MAILPLUGIN_REJECTED;
    }
    return store(address, mail, std::move(decided));
  } catch (const PartError& error) {
    if (!stopping_) log_.warning(where(address) + ": a mail is taken later: " + error.what());
  } catch (const std::exception& error) {
    refuse_to_store(address, error);
  }
  return MAILPLUGIN_RETRY_LATER;
}

void Inbox::stop() {
  stopping_ = true;
  groups_.end();
}

void Inbox::refuse_to_store(const configurator::Address& address, const std::exception& error) {
  log_.error(where(address) + ": a mail cannot be stored, it stays in its mailbox and is tried again: " + error.what() +
             "; make room or repair the data folder " + folder_.root().string());
}

bool Inbox::unwanted(const mailplugin_message& mail) const {
  if (unwanted_.empty() || mail.from.address.data == nullptr) return false;
  std::string from(mail.from.address.data, static_cast<std::size_t>(mail.from.address.size));
  std::transform(from.begin(), from.end(), from.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return unwanted_.count(from) > 0;
}

// Nothing of it is kept but the event: the plugin moves it where an administrator finds it.
void Inbox::refuse(const configurator::Address& address, const mailplugin_message& mail) {
  const bool redelivered = (mail.flags & MAILPLUGIN_REDELIVERED) != 0;
  const MessageKeys keys = message_keys(address, mail, StoredParts(), seen_by_host(mail, store_));
  tell(message_event(Json::parse(keys.json), redelivered, "rejected", base::now_unix_ms()), address);
}

mailplugin_verdict Inbox::store(const configurator::Address& address, const mailplugin_message& mail, Decided decided) {
  const std::string delivery_id(as_view(mail.stable_id));
  if (delivery_id.empty()) throw std::runtime_error("the plugin gave it no stable_id");
  const bool redelivered = (mail.flags & MAILPLUGIN_REDELIVERED) != 0;
  const bool replaces = (mail.flags & MAILPLUGIN_ATTACHMENTS_REPLACED) != 0;
  // Of any other mail the store itself says whether it is new.
  std::optional<InboxRow> before;
  if (redelivered || replaces) before = store_.find_received(delivery_id);
  if (before && !replaces) {
    tell(message_event(std::move(before->event), redelivered, "accepted", base::now_unix_ms()), address);
    return MAILPLUGIN_ACCEPTED;
  }
  auto reader = std::make_unique<PartReader>(folder_.unfinished(), folder_.attachments(), stopping_);
  const StoredParts parts = reader->read(mail);
  reader->keep();
  std::vector<std::string> files;
  for (const StoredAttachment& attachment : parts.attachments) files.push_back(attachment.file);
  MessageKeys keys = message_keys(address, mail, parts, seen_by_host(mail, store_));
  if (before) {
    before->event = Json::parse(keys.json);
    before->files.swap(files);  // now the old ones
    store_.replace_received(*before);
    std::error_code ignored;
    for (const std::string& file : files) {
      if (!file.empty()) std::filesystem::remove(folder_.attachments() / file, ignored);
    }
    reader->commit();
    tell(message_event(std::move(before->event), redelivered, "accepted", base::now_unix_ms()), address);
    return MAILPLUGIN_ACCEPTED;
  }
  Pending pending;
  pending.address = &address;
  pending.mail = {delivery_id,           std::move(keys.json), address.priority,
                  mail.received_unix_ms, base::now_unix_ms(),  std::move(files)};
  pending.id_end = keys.id_end;
  if (events_.observed()) pending.glance = message_glance(address, mail, parts);
  pending.redelivered = redelivered;
  pending.parts = std::move(reader);
  pending.decided = std::move(decided);
  const std::size_t weight = pending.mail.event.size();
  return groups_.add(std::move(pending), weight) ? MAILPLUGIN_PENDING : MAILPLUGIN_RETRY_LATER;
}

void Inbox::store_group(std::vector<Pending>& group) {
  std::vector<const NewMail*> mails;
  for (const Pending& pending : group) mails.push_back(&pending.mail);
  std::vector<bool> added;
  try {
    added = store_.add_received(mails);
  } catch (const std::exception& error) {
    if (group.size() == 1) {
      refuse_to_store(*group.front().address, error);
      group.front().decided(MAILPLUGIN_RETRY_LATER);
      return;
    }
    // One of them may be at fault: each by itself.
    for (Pending& pending : group) {
      std::vector<Pending> one;
      one.push_back(std::move(pending));
      store_group(one);
    }
    return;
  }
  for (std::size_t i = 0; i < group.size(); ++i) keep(group[i], added[i]);
  tell_all(group);
  for (const Pending& pending : group) pending.decided(MAILPLUGIN_ACCEPTED);
}

void Inbox::keep(Pending& pending, bool added) {
  if (added) {
    pending.parts->commit();
    return;
  }
  pending.parts.reset();  // with its files, before anybody hears that this mail is dealt with
  if (!pending.redelivered)
    log_.warning(where(*pending.address) + ": the plugin handed over a mail twice: " + pending.mail.delivery_id);
}

void Inbox::tell_all(const std::vector<Pending>& group) {
  try {
    std::string lines;
    std::vector<Json> glances;
    const std::int64_t now = base::now_unix_ms();
    for (const Pending& pending : group) {
      if (events_.writes_text())
        append_message_line(lines, pending.mail.event, pending.id_end, pending.redelivered, "accepted", now);
      if (events_.observed()) glances.push_back(pending.glance);
    }
    events_.write_lines(lines, glances);
  } catch (const std::exception& error) {
    // The mails are safe; that events could not be written must not make them come again.
    log_.error(where(*group.front().address) + (group.size() > 1 ? " and others" : "") +
               ": a mail was stored, its event was not written: " + error.what());
  }
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
