#include "m365/world/message.h"

#include <algorithm>
#include <array>

#include "m365/mime/text.h"

namespace embedded {

// graph-mail.md section 3: false when the only attachments are inline.
bool Message::has_real_attachments() const {
  return std::any_of(attachments.begin(), attachments.end(), [](const Attachment& a) { return !a.is_inline; });
}

std::size_t Message::size() const {
  if (mime) return mime->size();
  std::size_t total = 1024 + (html ? html->size() : 0) + (text ? text->size() : 0);
  for (const auto& attachment : attachments) total += attachment.size() + 512;
  return total;
}

Attachment* Message::attachment(std::uint64_t wanted) {
  const auto found = std::find_if(attachments.begin(), attachments.end(),
                                  [&](const Attachment& attachment) { return attachment.number == wanted; });
  return found == attachments.end() ? nullptr : &*found;
}

const ExtendedProperty* Message::property(const std::string& id) const {
  const auto found = std::find_if(properties.begin(), properties.end(),
                                  [&](const ExtendedProperty& property) { return property.id == id; });
  return found == properties.end() ? nullptr : &*found;
}

void Message::set_property(const std::string& id, const std::string& value) {
  for (auto& property : properties) {
    if (property.id == id) {
      property.value = value;
      return;
    }
  }
  properties.push_back({id, value});
}

std::string thread_topic(const std::string& subject) {
  static constexpr std::array<std::string_view, 8> prefixes = {"re:", "fw:", "fwd:", "aw:", "wg:", "sv:", "vs:", "vl:"};
  std::string_view rest = trim(subject);
  for (bool again = true; again;) {
    again = false;
    for (const auto prefix : prefixes) {
      if (starts_with_ignoring_case(rest, prefix)) {
        rest = trim(rest.substr(prefix.size()));
        again = true;
      }
    }
  }
  return std::string(rest);
}

}  // namespace embedded
