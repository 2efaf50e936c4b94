// How mailboxes and texts are written into Graph's URLs (graph-mail.md, section 2).
#include "http/message.h"
#include "m365/graph/graph_client.h"

namespace m365 {

namespace {

std::string with_doubled_quotes(std::string_view text) {
  std::string result;
  for (const char c : text) result.append(c == '\'' ? 2 : 1, c);
  return result;
}

}  // namespace

std::string odata_literal(std::string_view text) {
  return "'" + with_doubled_quotes(text) + "'";
}

std::string user_path(std::string_view mailbox) {
  // "/users/$x" would be read as a query option; the quoted form is the documented way out.
  if (mailbox.starts_with('$')) return "/users('" + http::percent_encode(with_doubled_quotes(mailbox)) + "')";
  return "/users/" + http::percent_encode(mailbox);
}

}  // namespace m365
