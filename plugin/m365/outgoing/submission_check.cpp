#include "m365/outgoing/submission_check.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "m365/outgoing/draft_message.h"
#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

constexpr std::size_t longest_key = 200;      // mailplugin.h: stable_id of a submission
constexpr std::size_t longest_address = 320;  // RFC 5321, section 4.5.3.1: 64 + "@" + 255
constexpr std::size_t most_headers = 5;       // graph-mail.md, section 10.4

bool is_x_header(std::string_view name) {
  return name.size() > 2 && (name[0] == 'x' || name[0] == 'X') && name[1] == '-';
}

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Only what would make a recipient unusable or ambiguous is refused; the rest is Exchange's to judge.
std::string address_problem(const std::string& address) {
  if (address.empty()) return "is empty";
  if (address.size() > longest_address) return "is longer than " + std::to_string(longest_address) + " bytes";
  if (!valid_utf8(address)) return "is not valid UTF-8";
  const auto at = address.rfind('@');
  if (at == std::string::npos) return "'" + for_log(address) + "' has no @";
  if (at == 0 || at + 1 == address.size()) return "'" + for_log(address) + "' lacks a name or a domain beside the @";
  const std::string_view local = std::string_view(address).substr(0, at);
  const std::string_view domain = std::string_view(address).substr(at + 1);
  const bool quoted = local.size() > 2 && local.front() == '"' && local.back() == '"';
  const auto unusable = [](char c) {
    return is_control(c) || std::string_view(" <>,;:\"@()[]\\").find(c) != std::string_view::npos;
  };
  if (std::any_of(local.begin(), local.end(), is_control) ||
      (!quoted && std::any_of(local.begin(), local.end(), unusable)))
    return "'" + for_log(address) + "' has a character that is not allowed before the @";
  if (std::any_of(domain.begin(), domain.end(), unusable) || domain.front() == '.' || domain.back() == '.')
    return "'" + for_log(address) + "' has no usable domain after the @";
  return {};
}

std::string list_problem(const char* field, const std::vector<mail::Address>& addresses) {
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    const std::string problem = address_problem(addresses[i].address);
    if (!problem.empty()) return std::string(field) + "[" + std::to_string(i) + "].address: " + problem + ".";
  }
  return {};
}

std::string headers_problem(const mail::Mail& mail) {
  std::size_t count = mail.headers.size();
  const auto suppresses = [](const auto& h) { return equal_without_case(h.first, auto_response_suppress); };
  if ((mail.flags & mail::auto_submitted) != 0 && std::none_of(mail.headers.begin(), mail.headers.end(), suppresses))
    ++count;
  for (std::size_t i = 0; i < mail.headers.size(); ++i) {
    const auto& [name, value] = mail.headers[i];
    const std::string where = "headers[" + std::to_string(i) + "]: ";
    if (!is_x_header(name)) {
      return where + "'" + for_log(name) +
             "' cannot be sent: Microsoft 365 takes only names that begin with X-. "
             "In-Reply-To, References and Reply-To have fields of their own; an automatic mail is marked by its flag.";
    }
    const auto bad_in_name = [](char c) { return c <= 0x20 || c >= 0x7f || c == ':'; };
    if (std::any_of(name.begin(), name.end(), bad_in_name))
      return where + "'" + for_log(name) + "' is not a header name (RFC 5322, section 2.2).";
    if (!valid_utf8(value) || std::any_of(value.begin(), value.end(), is_control))
      return where + "the value of '" + for_log(name) + "' has control characters or is not UTF-8.";
  }
  if (count > most_headers) {
    return "headers: " + std::to_string(count) +
           " are given (a mark as automatic counts as one); Microsoft 365 takes " + std::to_string(most_headers) +
           " at most.";
  }
  return {};
}

}  // namespace

std::string submission_problem(const mail::Mail& mail, std::string_view sending_mailbox) {
  if (mail.stable_id.empty()) return "stable_id: is empty; it is the key that keeps this mail from being sent twice.";
  if (mail.stable_id.size() > longest_key)
    return "stable_id: has " + std::to_string(mail.stable_id.size()) + " bytes; 1 to 200 are allowed.";
  if (!valid_utf8(mail.stable_id)) return "stable_id: is not valid UTF-8.";
  if (sending_mailbox.empty())
    return "from.address: is empty and no mailbox is named; nobody knows from where this mail shall be sent.";
  if (mail.to.empty() && mail.cc.empty() && mail.bcc.empty())
    return "to: there is no recipient; one at least is needed in to, cc or bcc.";
  for (const std::string& problem : {list_problem("to", mail.to), list_problem("cc", mail.cc),
                                     list_problem("bcc", mail.bcc), list_problem("reply_to", mail.reply_to)}) {
    if (!problem.empty()) return problem;
  }
  if (!mail.from.address.empty()) {
    const std::string problem = address_problem(mail.from.address);
    if (!problem.empty()) return "from.address: " + problem + ".";
  }
  for (std::size_t i = 0; i < mail.parts.size(); ++i) {
    const mail::PartKind kind = mail.parts[i].kind;
    const std::string where = "parts[" + std::to_string(i) + "]: ";
    if (kind == mail::PartKind::link || kind == mail::PartKind::original)
      return where + "only text, html, inline parts and attachments can be sent.";
    if (!mail.parts[i].open) return where + "has no content.";
  }
  return headers_problem(mail);
}

std::string sending_mailbox(const mail::Mail& mail, const std::string& configured) {
  if (!configured.empty()) return configured;
  return mail.mailbox.empty() ? mail.from.address : mail.mailbox;
}

}  // namespace m365
