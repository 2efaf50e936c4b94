// One mail, as it came or as it shall leave; the same words for both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "mail/byte_source.h"
#include "mail/health.h"

namespace mail {

struct Address {
  std::string name, address;
  bool operator==(const Address&) const = default;
};

/// Values are those of MAILPLUGIN_PART_*.
enum class PartKind : std::uint32_t { text = 1, html, inline_part, attachment, link, original };

struct Part {
  PartKind kind = PartKind::text;
  std::string file_name, media_type, content_id;  ///< content_id without angle brackets
  std::int64_t size_hint = -1;                    ///< bytes, -1 when not known
  /// A fresh source at the first byte; throws FaultError. Valid as long as the Mail. May block on the network.
  std::function<std::unique_ptr<ByteSource>()> open;
};

/// Values are those of the MAILPLUGIN_REDELIVERED family.
enum Flag : std::uint32_t {
  redelivered = 1u << 0,
  auto_submitted = 1u << 1,
  bounce = 1u << 2,
  encrypted = 1u << 3,
  signed_mail = 1u << 4,
  rights_protected = 1u << 5,
  links_rewritten = 1u << 6,
  scan_pending = 1u << 7,
  oversize = 1u << 8,
  attachments_replaced = 1u << 9,
  read_receipt = 1u << 10,
  meeting = 1u << 11,
  bulk = 1u << 12,
  own_mail = 1u << 13,
  read_receipt_requested = 1u << 14,
};

enum class Importance : std::uint32_t { normal = 0, low = 1, high = 2 };

/// What a delivery report or read receipt says (RFC 3464, RFC 8098). Values of MAILPLUGIN_REPORT_*.
enum class ReportKind : std::uint32_t { failed = 1, delayed, delivered, read };
struct Report {
  ReportKind kind = ReportKind::failed;
  std::string recipient, status, original_message_id;
  std::string key;  ///< stable_id of our own submission it answers, empty when none
};

struct Mail {
  std::uint32_t flags = 0;
  std::string stable_id, service_id, mailbox, folder, delivered_to;
  std::string internet_message_id, in_reply_to, conversation_id, subject;
  Address from, sender;
  std::vector<Address> reply_to, to, cc, bcc;
  WallTime received{}, sent{};  ///< epoch = not known
  std::int64_t size_bytes = -1;
  std::vector<std::string> references;
  std::vector<std::pair<std::string, std::string>> links;  ///< shown, original
  std::optional<Report> report;
  Importance importance = Importance::normal;
  std::vector<std::pair<std::string, std::string>> headers;  ///< wire order, repeated names kept
  std::vector<Part> parts;
};

}  // namespace mail
