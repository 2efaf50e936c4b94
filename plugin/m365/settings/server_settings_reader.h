// How one set of settings is read against its form.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "m365/settings/forms.h"
#include "m365/settings/server_settings_values.h"
#include "mail/secret.h"
#include "mail/settings.h"

namespace m365 {

/// One pass over one form: values out, faults to the host, and whether there were any.
class SettingsReader {
 public:
  SettingsReader(const mail::Settings& settings, const std::vector<mail::Field>& form, mail::Scope scope,
                 mail::Problems& problems)
      : settings_(settings), form_(form), scope_(scope), problems_(problems) {
    sound_ = check_keys(settings, form, scope, problems);
  }

  bool sound() const { return sound_; }

  void fail(std::string_view key, const std::string& sentence) {
    sound_ = false;
    problems_.add(key, sentence);
  }

  // Without the blanks that copying brings along; empty when not given.
  std::string text(std::string_view key) const { return std::string(trimmed(raw(key))); }
  bool given(std::string_view key) const { return !trimmed(raw(key)).empty(); }

  // As it stands: a blank may belong to a password. One at either end never does (entra-oauth.md, section 4).
  mail::Secret secret(std::string_view key) {
    const std::string_view value = raw(key);
    if (trimmed(value).size() == value.size()) return value;
    fail(key, "The " + label(key) + " begins or ends with a blank or a line break. Enter it without.");
    return {};
  }

  // Like text(), for what has a secret in it and may be copied with blanks around.
  mail::Secret secret_text(std::string_view key) const { return trimmed(raw(key)); }

  template <typename Number>
  Number number(std::string_view key, Number otherwise, std::uint64_t least, std::uint64_t most) {
    const std::string value = text(key);
    if (value.empty()) return otherwise;
    const auto parsed = parse_number(value);
    if (parsed && *parsed >= least && *parsed <= most) return static_cast<Number>(*parsed);
    fail(key,
         label(key) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
    return otherwise;
  }

  std::string label(std::string_view key) const { return label_of(form_, scope_, key); }

 private:
  std::string_view raw(std::string_view key) const {
    const auto found = settings_.find(key);
    return found == settings_.end() ? std::string_view() : std::string_view(found->second);
  }

  const mail::Settings& settings_;
  const std::vector<mail::Field>& form_;
  const mail::Scope scope_;
  mail::Problems& problems_;
  bool sound_ = true;
};

}  // namespace m365
