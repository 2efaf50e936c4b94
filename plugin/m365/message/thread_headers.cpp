#include "m365/message/thread_headers.h"

#include <set>

#include "mime/header.h"

namespace m365 {

const std::string* find_header(const HeaderList& headers, std::string_view name) {
  for (const auto& [known, value] : headers) {
    if (mime::same_name(known, name)) return &value;
  }
  return nullptr;
}

std::string in_reply_to(const HeaderList& headers) {
  const std::string* value = find_header(headers, "In-Reply-To");
  if (!value) return {};
  std::vector<std::string> ids = mime::parse_message_ids(*value);
  return ids.empty() ? std::string() : std::move(ids.front());
}

std::vector<std::string> references(const HeaderList& headers) {
  constexpr std::size_t most = 1'000;
  std::vector<std::string> all;
  std::set<std::string> seen;
  for (const auto& [name, value] : headers) {
    if (!mime::same_name(name, "References")) continue;
    for (std::string& id : mime::parse_message_ids(value)) {
      if (all.size() < most && seen.insert(id).second) all.push_back(std::move(id));
    }
  }
  return all;
}

}  // namespace m365
