#include "boundary/settings_reader.h"

#include "boundary/guard.h"
#include "boundary/text.h"
#include "mail/secret.h"

namespace boundary {

ReadSettings::~ReadSettings() {
  for (auto& [key, value] : values) mail::wipe(value);
}

bool read_settings(const mailplugin_settings* settings, mail::Settings& result, mail::Problems& problems) {
  if (settings == nullptr || !MAILPLUGIN_HAS(settings, mailplugin_settings, items) ||
      (settings->count > 0 && settings->items == nullptr)) {
    problems.add("", "the host gave no settings: mailplugin_settings is NULL, too small, or its items are NULL");
    return false;
  }
  for (std::uint32_t i = 0; i < settings->count; ++i) {
    const mailplugin_setting& item = settings->items[i];
    if (item.key == nullptr || *item.key == '\0') {
      problems.add("", "the host gave a setting without a key");
      return false;
    }
    if (item.value.data == nullptr && item.value.size > 0) {
      problems.add(item.key, "has a size but no data");
      return false;
    }
    const auto [slot, fresh] = result.try_emplace(item.key);
    if (!fresh) {
      problems.add(item.key, "is given twice");
      return false;
    }
    // Where it stays: a copy on the way would have to be wiped as well.
    if (item.value.size > 0) slot->second.assign(item.value.data, static_cast<std::size_t>(item.value.size));
  }
  return true;
}

void HostProblems::add(std::string_view key, std::string_view sentence) {
  any_ = true;
  if (host_ == nullptr || !MAILPLUGIN_CAN(host_, mailplugin_problems, add)) return;
  const std::string key_text(key), sentence_text(sentence);
  called_host(log_, "add", [&] { host_->add(host_, or_null(key_text), sentence_text.c_str()); });
}

}  // namespace boundary
