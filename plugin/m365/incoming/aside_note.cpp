#include "m365/incoming/aside_note.h"

#include <array>
#include <utility>

#include "m365/settings/server_settings_values.h"
#include "store/hash.h"

namespace m365 {
namespace {

constexpr std::array<std::pair<AsideKind, std::string_view>, 7> kinds{{{AsideKind::offered, "offered"},
                                                                       {AsideKind::retry, "retry"},
                                                                       {AsideKind::listed, "listed"},
                                                                       {AsideKind::scan, "scan"},
                                                                       {AsideKind::unreadable, "unreadable"},
                                                                       {AsideKind::refused, "refused"},
                                                                       {AsideKind::watch, "watch"}}};
constexpr std::string_view fingerprint_word = "fp=", stable_word = "as=", replaced_word = "replaced",
                           around_word = "around";

std::string short_hash(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string hex;
  for (const char c : store::hash_of(text)) {
    const auto byte = static_cast<unsigned char>(c);
    hex += digits[byte >> 4];
    hex += digits[byte & 15];
  }
  return hex;
}

}  // namespace

std::string to_reason(const AsideNote& note) {
  std::string text;
  for (const auto& kind : kinds) {
    if (kind.first == note.kind) text = kind.second;
  }
  if (!note.fingerprint.empty()) text.append(" ").append(fingerprint_word).append(note.fingerprint);
  if (!note.stable_id.empty()) text.append(" ").append(stable_word).append(note.stable_id);
  if (note.replaced) text.append(" ").append(replaced_word);
  if (note.around) text.append(" ").append(around_word);
  return text;
}

AsideNote from_reason(std::string_view reason) {
  AsideNote note;
  while (!reason.empty()) {
    const std::string_view word = reason.substr(0, reason.find(' '));
    reason.remove_prefix(word.size() < reason.size() ? word.size() + 1 : word.size());
    for (const auto& kind : kinds) {
      if (kind.second == word) note.kind = kind.first;
    }
    if (word.starts_with(fingerprint_word)) note.fingerprint = word.substr(fingerprint_word.size());
    if (word.starts_with(stable_word)) note.stable_id = word.substr(stable_word.size());
    if (word == replaced_word) note.replaced = true;
    if (word == around_word) note.around = true;
  }
  return note;
}

std::string stable_id_of(std::string_view tenant, std::string_view message_id) {
  return short_hash(lower(tenant) + "|" + std::string(message_id));
}

std::string digest_of(const store::Fingerprint& fingerprint) {
  if (fingerprint.internet_message_id.empty() || fingerprint.received == store::WallTime{}) return {};
  return short_hash(fingerprint.mailbox + "\n" + fingerprint.internet_message_id + "\n" + fingerprint.from + "\n" +
                    std::to_string(fingerprint.received.time_since_epoch().count()));
}

}  // namespace m365
