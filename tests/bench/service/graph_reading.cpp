// Delta and lists.
#include <algorithm>
#include <charconv>

#include "service/answers.h"
#include "service/graph_service.h"

namespace bench {
namespace {

/// How far a reader of the changes is: in the mails, and in the list of changes. Graph's tokens are long and opaque.
struct DeltaToken {
  std::uint32_t mails = 0, changes = 0, generation = 0;
};

void append_token(std::string& out, const DeltaToken& token) {
  out += "GwcBoTmYx0DbPpZ-Nr2v8QKTzQABQ0PdKwAAAHYAAADyZVoHehRAS719R7wmlPN9AAIBH6_kAAAAq3oUQEu-fUe8JpTzfQABEPM0kAAcT5";
  for (const std::uint32_t part : {token.mails, token.changes, token.generation}) append_hex8(out, part);
}

std::optional<DeltaToken> parse_token(std::string_view text) {
  if (text.size() < 24) return std::nullopt;
  text.remove_prefix(text.size() - 24);
  DeltaToken token;
  std::uint32_t* const parts[] = {&token.mails, &token.changes, &token.generation};
  for (std::size_t i = 0; i < 3; ++i) {
    const char* const from = text.data() + 8 * i;
    if (std::from_chars(from, from + 8, *parts[i], 16).ptr != from + 8) return std::nullopt;
  }
  return token;
}

}  // namespace

// A series shows the mails; what changed meanwhile comes with the round that its delta link begins.
int GraphService::delta(const Ask& ask, std::string& out) {
  note_poll(ask.mailbox);
  const World::Mailbox& mailbox = world_.at(ask.mailbox);
  DeltaToken at;
  at.changes = static_cast<std::uint32_t>(mailbox.changes.size());
  at.generation = generation_[ask.mailbox];
  bool changes_too = false;
  const auto delta_token = option(ask.query, "$deltatoken"), skip_token = option(ask.query, "$skiptoken");
  if (delta_token || skip_token) {
    const auto token = parse_token(delta_token ? *delta_token : *skip_token);
    if (!token || token->generation != at.generation) return error(out, 410, "SyncStateNotFound");
    at = *token;
    changes_too = delta_token.has_value();
  } else if (const auto filter = option(ask.query, "$filter")) {
    WallTime since;
    if (parse_time(std::string_view(*filter).substr(filter->rfind(' ') + 1), since))
      at.mails = world_.first_since(ask.mailbox, since);
  }
  std::size_t room = 10;
  if (const std::size_t wish = ask.prefer.find("odata.maxpagesize="); wish != std::string_view::npos)
    room = std::max<std::size_t>(1, first_number(ask.prefer.substr(wish)).value_or(room));
  out += R"({"@odata.context":")" + origin_ + R"json(/v1.0/$metadata#Collection(message)","value":[)json";
  bool first = true;
  const auto separate = [&] {
    if (!first) out += ',';
    first = false;
    --room;
  };
  if (changes_too) {
    for (; room > 0 && at.changes < mailbox.changes.size(); ++at.changes) {
      separate();
      text_.append_change(out, world_.facts(ask.mailbox, mailbox.changes[at.changes]));
    }
  }
  for (; room > 0 && at.mails < mailbox.count; ++at.mails) {
    separate();
    text_.append_whole(out, world_.facts(ask.mailbox, at.mails));
  }
  // Changes of which a round has no room any more are shown by the next.
  const bool more = at.mails < mailbox.count || (changes_too && at.changes < mailbox.changes.size());
  const bool as_delta = !more || changes_too;
  out += more ? R"(],"@odata.nextLink":")" : R"(],"@odata.deltaLink":")";
  out += link(ask) + (as_delta ? "$deltatoken=" : "$skiptoken=");
  append_token(out, at);
  out += "\"}";
  return 200;
}

int GraphService::list(const Ask& ask, std::string& out) {
  ++counters_.lists;
  const World::Mailbox& mailbox = world_.at(ask.mailbox);
  const std::uint32_t top = number_option(ask.query, "$top", 10), skip = number_option(ask.query, "$skip", 0);
  const std::string filter = option(ask.query, "$filter").value_or("");
  const std::string order = option(ask.query, "$orderby").value_or("");
  const std::string select = option(ask.query, "$select").value_or("");
  const bool whole = select.empty() || select.find("body") != std::string::npos;
  const bool unread_only = filter.find("isRead eq false") != std::string::npos;
  const bool newest_first = order.ends_with(" desc");
  std::uint32_t from = 0;
  WallTime since;
  if (const std::size_t at = filter.find("receivedDateTime ge "); at != std::string::npos) {
    if (parse_time(std::string_view(filter).substr(at + 20), since)) from = world_.first_since(ask.mailbox, since);
  }
  out += R"({"@odata.context":")" + origin_ +
         R"json(/v1.0/$metadata#users('x')/mailFolders('inbox')/messages","value":[)json";
  std::uint32_t passed = 0, shown = 0;
  bool more = false;
  for (std::uint32_t i = from; i < mailbox.count; ++i) {
    const std::uint32_t number = newest_first ? mailbox.count - 1 - (i - from) : i;
    if (unread_only && mailbox.read[number]) continue;
    if (passed++ < skip) continue;
    if (shown == top) {
      more = true;
      break;
    }
    if (shown++ > 0) out += ',';
    const MailFacts facts = world_.facts(ask.mailbox, number);
    whole ? text_.append_whole(out, facts) : text_.append_thin(out, facts);
  }
  out += ']';
  if (more) {
    std::string query;
    std::string_view rest = ask.query;
    while (!rest.empty()) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
      if (!pair.starts_with("$skip=")) query.append(pair).append("&");
    }
    out += R"(,"@odata.nextLink":")" + link(ask) + query + "$skip=" + std::to_string(skip + shown) + "\"";
  }
  out += '}';
  return 200;
}

}  // namespace bench
