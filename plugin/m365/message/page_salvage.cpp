#include "m365/message/page_salvage.h"

#include <cctype>

namespace m365 {
namespace {

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  while (at < text.size() && std::isspace(static_cast<unsigned char>(text[at])) != 0) ++at;
  return at;
}

// The string that follows "name" and a colon; empty when it is none, or holds an escape that no id or link needs.
std::string member(std::string_view text, std::string_view name) {
  const std::string quoted = "\"" + std::string(name) + "\"";
  for (std::size_t at = text.find(quoted); at != std::string_view::npos; at = text.find(quoted, at + 1)) {
    if (at > 0 && text[at - 1] == '\\') continue;
    std::size_t place = skip_blanks(text, at + quoted.size());
    if (place >= text.size() || text[place] != ':') continue;
    place = skip_blanks(text, place + 1);
    if (place >= text.size() || text[place] != '"') continue;
    std::string value;
    for (++place; place < text.size() && text[place] != '"'; ++place) {
      if (text[place] == '\\') {
        ++place;
        if (place >= text.size()) return {};
        if (text.substr(place, 5) == "u0026") {
          value += '&';
          place += 4;
          continue;
        }
        if (text[place] != '/' && text[place] != '\\' && text[place] != '"') return {};
      }
      value += text[place];
    }
    return place < text.size() ? value : std::string();
  }
  return {};
}

}  // namespace

Salvage salvage(std::string_view page) {
  Salvage found;
  found.next_link = member(page, "@odata.nextLink");
  if (found.next_link.empty()) found.delta_link = member(page, "@odata.deltaLink");
  found.id = member(page, "id");
  return found;
}

}  // namespace m365
