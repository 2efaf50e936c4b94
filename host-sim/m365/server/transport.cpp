#include "m365/server/transport.h"

#include <algorithm>

#include "m365/graph/graph_error.h"
#include "m365/graph/properties.h"
#include "m365/mime/mime_read.h"
#include "m365/mime/mime_write.h"
#include "m365/mime/text.h"
#include "m365/world/mailbox.h"
#include "m365/world/world.h"

namespace embedded {
namespace {

std::string domain_of(std::string_view address) {
  const auto at = address.rfind('@');
  return at == std::string_view::npos ? std::string() : lower(address.substr(at + 1));
}

bool is_address(std::string_view address) {
  const auto at = address.rfind('@');
  return at != std::string_view::npos && at > 0 && at + 1 < address.size() &&
         address.find_first_of(" \t\r\n<>,;\"") == std::string_view::npos;
}

std::vector<std::string> recipients_of(const Content& message) {
  std::vector<std::string> all;
  for (const auto* list : {&message.to, &message.cc, &message.bcc}) {
    for (const auto& address : *list) {
      const std::string known = lower(trim(address.address));
      if (std::find(all.begin(), all.end(), known) == all.end()) all.push_back(known);
    }
  }
  return all;
}

// Who may appear in From of what this mailbox sends; graph-mail.md section 10.6.
bool may_send_as(const Directory& directory, const User& owner, const User* actor, const std::string& from) {
  const auto identity = directory.recipient(from);
  if (!identity) return false;
  if (actor != nullptr && actor->id != owner.id) return actor->named_in(identity->send_as);
  return identity->id == owner.id || owner.named_in(identity->send_as);
}

std::string received_by(Time when, const char* from, const char* by) {
  return std::string("from ") + from + " (2603:10a6:20b::1) by " + by +
         " (2603:10a6:20b::2) with Microsoft SMTP Server (version=TLS1_2, "
         "cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id "
         "15.20.8000.1; " +
         rfc5322_date(when);
}

}  // namespace

std::string new_message_id() {
  std::string name = "AS8PR08MB" + new_guid();
  name.erase(std::remove(name.begin(), name.end(), '-'), name.end());
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return "<" + name + "@AS8PR08MB0000.eurprd08.prod.outlook.com>";
}

void Transport::send(const User& owner, std::uint64_t number, const User* actor, bool keep_copy) {
  const auto mailbox = owner.mailbox;
  Envelope envelope;
  const int delay = world_.behaviour.transport_delay_ms;
  {
    const auto lock = mailbox->lock();
    Message* draft = mailbox->find(number);
    if (draft == nullptr) throw item_not_found();
    if (!draft->is_draft) {
      throw GraphError(400, "ErrorInvalidOperation", "The operation is not valid: the message has been sent already.");
    }
    if (mailbox->options.quota_exceeded) {
      throw GraphError(403, "ErrorQuotaExceeded",
                       "Cannot save changes made to an item to store. Mailbox has exceeded maximum mailbox size.");
    }
    envelope.to = recipients_of(*draft);
    if (envelope.to.empty()) {
      throw GraphError(400, "ErrorInvalidRecipients",
                       "At least one recipient is not valid., At least one recipient is needed.");
    }
    for (const auto& address : envelope.to) {
      if (!is_address(address)) {
        throw GraphError(400, "ErrorInvalidRecipients",
                         "At least one recipient is not valid., Recipient '" + address + "' is not resolved.");
      }
    }
    if (envelope.to.size() > mailbox->options.recipient_limit) {
      throw GraphError(400, "ErrorExceededMaxRecipientLimit", "The message has too many recipients.");
    }
    if (draft->from && !draft->from->address.empty() &&
        !may_send_as(world_.directory, owner, actor, draft->from->address)) {
      throw GraphError(403, "ErrorSendAsDenied",
                       "The user account which was used to submit this request does not have the "
                       "right to send mail on behalf of the specified sending account.");
    }
    if (!draft->from && actor != nullptr && actor->id != owner.id &&
        !may_send_as(world_.directory, owner, actor, owner.primary_address())) {
      throw GraphError(403, "ErrorSendAsDenied",
                       "The user account which was used to submit this request does not have the "
                       "right to send mail on behalf of the specified sending account.");
    }
    const Time now = world_.clock.now();
    auto& recent = mailbox->recent_sends;
    while (!recent.empty() && recent.front().first + std::chrono::hours(24) <= now) recent.pop_front();
    std::size_t sent_today = envelope.to.size();
    for (const auto& entry : recent) sent_today += entry.second;
    if (mailbox->options.daily_recipient_limit && sent_today > *mailbox->options.daily_recipient_limit) {
      throw GraphError(
          403, "ErrorExceededMessageLimit",
          "Cannot send mail. Daily Message/Recipient limit exceeded. Please send the message again later.");
    }

    // From here on it leaves. All is made before anything is changed.
    Message leaving = *draft;
    if (!leaving.from) leaving.from = Address{owner.display_name, owner.primary_address()};
    if (leaving.from->name.empty()) {
      const auto identity = world_.directory.recipient(leaving.from->address);
      leaving.from->name = identity ? identity->display_name : std::string();
    }
    leaving.sender = actor != nullptr ? Address{actor->display_name, actor->primary_address()}
                                      : Address{owner.display_name, owner.primary_address()};
    if (leaving.internet_message_id.empty() || world_.behaviour.new_message_id_on_send) {
      leaving.internet_message_id = new_message_id();
    }
    // graph-mail.md section 10.4: the properties become the headers of what is sent.
    if (const auto* property = draft->property("String 0x1042")) leaving.in_reply_to = property->value;
    if (const auto* property = draft->property("String 0x1039")) leaving.references = property->value;
    if (const auto* property = draft->property("String 0x1035")) leaving.internet_message_id = property->value;
    leaving.sent_time = world_.clock.second();
    leaving.thread_topic = thread_topic(leaving.subject.value_or(std::string()));
    std::string mime = draft->mime_upload && draft->mime ? leaving_mime(*draft->mime, leaving) : write_mime(leaving);
    if (mime.size() > mailbox->options.max_send_size) {
      throw GraphError(
          400, "ErrorMessageSizeExceeded",
          "The message exceeds the maximum supported size., Cannot save changes made to an item to store.");
    }
    recent.emplace_back(now, envelope.to.size());
    envelope.from = leaving.from->address;
    envelope.mime = mime;
    envelope.message_id = leaving.internet_message_id;
    envelope.subject = leaving.subject.value_or(std::string());

    mailbox->unindex(*draft);
    draft->from = leaving.from;
    draft->sender = leaving.sender;
    draft->internet_message_id = leaving.internet_message_id;
    draft->in_reply_to = leaving.in_reply_to;
    draft->references = leaving.references;
    draft->sent_time = draft->received = leaving.sent_time;
    draft->thread_topic = leaving.thread_topic;
    draft->mime = std::make_shared<const std::string>(std::move(mime));
    draft->submitted = true;
    mailbox->touch(*draft, true);
    mailbox->set_read(*draft, true);
    if (delay > 0) mailbox->move(*draft, mailbox->well_known("outbox"));
  }
  if (delay > 0) {
    world_.scheduler.after(Milliseconds(delay), [this, mailbox, owner, number, keep_copy, envelope] {
      complete(mailbox, owner, number, keep_copy, envelope);
    });
  } else {
    complete(mailbox, owner, number, keep_copy, envelope);
  }
}

void Transport::complete(const std::shared_ptr<Mailbox>& mailbox, const User& owner, std::uint64_t number,
                         bool keep_copy, const Envelope& envelope) {
  {
    const auto lock = mailbox->lock();
    if (Message* message = mailbox->find(number)) {
      message->is_draft = false;
      message->mime_upload = false;
      if (!keep_copy) {
        mailbox->erase(*message);
      } else if (world_.behaviour.immutable_id_changes_on_send) {
        mailbox->copy(*message, mailbox->well_known("sentitems"));
        mailbox->erase(*message);
      } else {
        mailbox->move(*message, mailbox->well_known("sentitems"));
      }
    }
  }
  deliver(owner, envelope);
}

void Transport::deliver(const User& sender, const Envelope& envelope) {
  for (const auto& to : envelope.to) deliver_one(sender, envelope, to);
}

void Transport::deliver_one(const User& sender, const Envelope& envelope, const std::string& to) {
  const Time now = world_.clock.second();
  const auto recipient = world_.directory.recipient(to);
  if (recipient && recipient->mailbox) {
    const HeaderList trace = {{"Received", received_by(now, "DB9PR08MB0001.eurprd08.prod.outlook.com",
                                                       "AM9PR08MB0002.eurprd08.prod.outlook.com")},
                              {"Received", received_by(now, "AS8PR08MB0000.eurprd08.prod.outlook.com",
                                                       "DB9PR08MB0001.eurprd08.prod.outlook.com")},
                              {"Return-Path", envelope.from.empty() ? "<>" : envelope.from},
                              {"X-MS-Exchange-Organization-Network-Message-Id", new_guid()}};
    put(*recipient, with_headers(trace, envelope.mime));
  } else if (world_.directory.hosts(domain_of(to))) {
    bounce(sender, envelope, to);
  } else {
    const std::lock_guard lock(mutex_);
    left_.push_back({envelope.from, to, now, envelope.mime});
  }
}

// RFC 3464, as Exchange Online writes it.
void Transport::bounce(const User& sender, const Envelope& envelope, const std::string& to) {
  if (envelope.from.empty()) return;
  const std::string domain = domain_of(sender.primary_address());
  const std::string border = "_000_" + base64url_encode(random_bytes(18)) + "_";
  const std::string date = rfc5322_date(world_.clock.second());
  const std::string headers = envelope.mime.substr(0, envelope.mime.find("\r\n\r\n"));
  std::string mime =
      "From: Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@" + domain +
      ">\r\nTo: " + envelope.from + "\r\nDate: " + date +
      "\r\nContent-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"" + border +
      "\"\r\nX-MS-Exchange-Message-Is-Ndr:\r\nContent-Language: en-US\r\nMessage-ID: " + new_message_id() +
      "\r\nIn-Reply-To: " + envelope.message_id + "\r\nReferences: " + envelope.message_id +
      "\r\nThread-Topic: " + encode_header(envelope.subject) +
      "\r\nSubject: " + encode_header("Undeliverable: " + envelope.subject) +
      "\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\r\n--" + border +
      "\r\nContent-Type: text/html; charset=\"utf-8\"\r\n\r\n<html><body><p><b>Your message to " + to +
      " couldn't be delivered.</b></p><p>" + to.substr(0, to.find('@')) + " wasn't found at " + domain_of(to) +
      ".</p></body></html>\r\n\r\n--" + border +
      "\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns;AS8PR08MB0000.eurprd08.prod.outlook.com\r\n"
      "Arrival-Date: " +
      date + "\r\n\r\nFinal-Recipient: rfc822;" + to +
      "\r\nAction: failed\r\nStatus: 5.1.10\r\nDiagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; "
      "Recipient " +
      to + " not found by SMTP address lookup\r\n\r\n--" + border + "\r\nContent-Type: message/rfc822\r\n\r\n" +
      headers + "\r\n\r\n\r\n--" + border + "--\r\n";
  Envelope report;
  report.to = {envelope.from};
  report.mime = std::move(mime);
  deliver_one(sender, report, envelope.from);
}

std::uint64_t Transport::put(const User& to, std::string_view mime, std::string_view well_known_folder,
                             std::optional<Time> received) {
  Message message;
  static_cast<Content&>(message) = read_mime(mime);
  const Time now = world_.clock.second();
  message.received = received.value_or(now);
  for (auto& attachment : message.attachments) attachment.modified = message.received;
  const auto lock = to.mailbox->lock();
  Folder* folder = to.mailbox->well_known(well_known_folder);
  if (folder == nullptr) throw std::runtime_error("there is no folder " + std::string(well_known_folder));
  to.mailbox->search_lag = Milliseconds(world_.behaviour.search_lag_ms);
  return to.mailbox->add(folder, std::move(message)).number;
}

// RFC 8098, as Exchange Online writes it.
void Transport::send_read_receipt(const User& owner, const Content& message) {
  const std::string border = "_000_" + base64url_encode(random_bytes(18)) + "_";
  const std::string subject = message.subject.value_or(std::string());
  Envelope receipt;
  receipt.to = message.receipt_to;
  receipt.mime =
      "From: " + format_address({owner.display_name, owner.primary_address()}) +
      "\r\nTo: " + join(message.receipt_to, ", ") + "\r\nSubject: " + encode_header("Read: " + subject) +
      "\r\nThread-Topic: " + encode_header(subject) + "\r\nDate: " + rfc5322_date(world_.clock.second()) +
      "\r\nMessage-ID: " + new_message_id() + "\r\nIn-Reply-To: " + message.internet_message_id +
      "\r\nReferences: " + message.internet_message_id +
      "\r\nContent-Type: multipart/report; report-type=disposition-notification;\r\n\tboundary=\"" + border +
      "\"\r\nMIME-Version: 1.0\r\n\r\n--" + border +
      "\r\nContent-Type: text/plain; charset=\"utf-8\"\r\n\r\nYour message\r\n\r\n"
      "   To: " +
      owner.primary_address() + "\r\n\r\nwas read.\r\n\r\n--" + border +
      "\r\nContent-Type: message/disposition-notification\r\n\r\nReporting-UA: prod.outlook.com; Microsoft Outlook\r\n"
      "Final-Recipient: rfc822;" +
      owner.primary_address() + "\r\nOriginal-Message-ID: " + message.internet_message_id +
      "\r\nDisposition: automatic-action/MDN-sent-automatically; displayed\r\n\r\n--" + border + "--\r\n";
  deliver(owner, receipt);
}

std::vector<LeftMail> Transport::left() const {
  const std::lock_guard lock(mutex_);
  return left_;
}

void Transport::forget_left() {
  const std::lock_guard lock(mutex_);
  left_.clear();
}

}  // namespace embedded
