#include "m365/message/delivered_to.h"

#include <algorithm>
#include <vector>

#include "m365/message/thread_headers.h"
#include "mime/header.h"

namespace m365 {
namespace {

// An address in a header written by a machine: "<a@b>" or "a@b"; empty for everything else.
std::string bare_address(std::string_view text) {
  text = mime::trim(text);
  if (const std::size_t open = text.find('<'); open != std::string_view::npos) {
    text = text.substr(open + 1, text.find('>', open) - open - 1);
  }
  text = mime::trim(text.substr(0, text.find_first_of(",; \t")));
  const std::size_t sign = text.find('@');
  const bool address = sign != std::string_view::npos && sign > 0 && sign + 1 < text.size();
  return address ? std::string(text) : std::string();
}

// "... by x with ESMTP id y for <a@b>; date" (RFC 5321, section 4.4).
std::string for_clause(std::string_view received) {
  const std::string_view clauses = received.substr(0, received.rfind(';'));
  std::size_t at = 0;
  while ((at = clauses.find("for", at)) != std::string_view::npos) {
    const bool begins = at == 0 || clauses[at - 1] == ' ' || clauses[at - 1] == '\t';
    at += 3;
    if (!begins || at >= clauses.size() || (clauses[at] != ' ' && clauses[at] != '\t')) continue;
    if (std::string address = bare_address(clauses.substr(at)); !address.empty()) return address;
  }
  return {};
}

}  // namespace

std::string delivered_to(const MessageRow& row, std::string_view queue_address, std::string_view mailbox_user) {
  const auto among = [&row](std::string_view wanted) {
    const auto same = [wanted](const mail::Address& a) { return mime::same_name(a.address, wanted); };
    return std::any_of(row.to.begin(), row.to.end(), same) || std::any_of(row.cc.begin(), row.cc.end(), same);
  };
  if (!queue_address.empty() && among(queue_address)) return std::string(queue_address);
  if (mailbox_user.find('@') != std::string_view::npos && among(mailbox_user)) return std::string(mailbox_user);
  for (const char* name : {"Delivered-To", "X-Original-To", "Envelope-To"}) {
    const std::string* value = find_header(row.headers, name);
    if (std::string address = value ? bare_address(*value) : std::string(); !address.empty()) return address;
  }
  const std::string* received = find_header(row.headers, "Received");
  return received ? for_clause(*received) : std::string();
}

}  // namespace m365
