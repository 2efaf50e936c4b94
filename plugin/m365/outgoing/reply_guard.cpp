#include "m365/outgoing/reply_guard.h"

#include <algorithm>

#include "m365/outgoing/submission_text.h"

namespace m365 {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool parts_words(char c) {
  return std::string_view("-_.=#~").find(c) != std::string_view::npos;
}

// "case-10293" -> "case-#", "case-10293-b" -> "case-#-b"; "anna1985" and "10293" stay.
std::string without_numbers(std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const std::size_t end = static_cast<std::size_t>(
        std::find_if(name.begin() + static_cast<std::ptrdiff_t>(at), name.end(), parts_words) - name.begin());
    const std::string_view word = name.substr(at, end - at);
    const bool number = !word.empty() && word.size() < name.size() && std::all_of(word.begin(), word.end(), is_digit);
    out += number ? "#" : word;
    if (end < name.size()) out += name[end];
    at = end + 1;
  }
  return out;
}

}  // namespace

std::string correspondent_of(std::string_view address) {
  const std::string lower = lower_case(std::string(address));
  const std::size_t at = lower.rfind('@');
  if (at == std::string::npos) return lower;
  std::string_view name = std::string_view(lower).substr(0, at);
  if (const std::size_t plus = name.find('+'); plus != name.npos && plus > 0) name = name.substr(0, plus);
  return without_numbers(name) + lower.substr(at);
}

std::optional<std::string> loop_problem(store::Store& store, const AutomaticLimit& limit, const std::string& server,
                                        const std::string& mailbox, const mail::Mail& mail) {
  if ((mail.flags & mail::auto_submitted) == 0 || limit.answers == 0) return std::nullopt;
  store::AutomaticAnswer answer{server, mail.stable_id, mail.from.address.empty() ? mailbox : mail.from.address, {}};
  for (const auto* list : {&mail.to, &mail.cc, &mail.bcc}) {
    for (const mail::Address& one : *list) answer.to.push_back(correspondent_of(one.address));
  }
  const auto refused = store.note_automatic(answer, limit.answers, limit.window);
  if (!refused) return std::nullopt;
  return "It was not sent, for it would go on with a loop: " + std::to_string(limit.answers) +
         " automatic answers went from " + for_log(answer.from) + " to " + for_log(*refused) + " within " +
         std::to_string(limit.window.count()) +
         " minutes, so probably another machine answers them. A person can answer all the same; where so many are "
         "meant, raise automatic_replies_limit of the outgoing mail server.";
}

}  // namespace m365
