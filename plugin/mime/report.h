// Delivery reports (RFC 3464) and read receipts (RFC 8098): the fields a sender needs.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mime/entity.h"

namespace mime {

/// One per-recipient block of a message/delivery-status; fields empty when missing.
struct RecipientStatus {
  std::string recipient;  ///< Final-Recipient, else Original-Recipient, without its address type
  std::string action;     ///< lower case: failed, delayed, delivered, relayed, expanded
  std::string status;     ///< "5.1.1"
};

/// `text`: the body of a message/delivery-status. Blocks without a recipient and without an action are passed over.
std::vector<RecipientStatus> parse_delivery_status(std::string_view text);

struct Disposition {
  std::string recipient, original_message_id;
  std::string type;  ///< lower case: displayed, deleted, dispatched, processed, denied, failed
};

/// `text`: the body of a message/disposition-notification.
Disposition parse_disposition(std::string_view text);

/// The mail that a report tells of, or its headers (message/rfc822, text/rfc822-headers and their relatives).
bool is_returned_mail(const Entity& entity);

/// The Message-ID of the returned mail, as far as its `start` was kept; with angle brackets, empty when there is none.
std::string reported_message_id(const std::vector<Entity>& report);

}  // namespace mime
