#pragma once

#include <string>
#include <string_view>

#include "mail/log.h"
#include "mail/settings.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

/// Settings whose values are overwritten at their end: there are secrets among them.
struct ReadSettings {
  ReadSettings() = default;
  ~ReadSettings();
  ReadSettings(const ReadSettings&) = delete;
  ReadSettings& operator=(const ReadSettings&) = delete;
  mail::Settings values;
};

/// The host's settings as a map. False, and a sentence to `problems`, when the structure breaks a rule of the header or
/// a key comes twice.
bool read_settings(const mailplugin_settings* settings, mail::Settings& result, mail::Problems& problems);

/// Passes problems on to the host; a host that does not want them (NULL) gets none.
class HostProblems final : public mail::Problems {
 public:
  HostProblems(const mailplugin_problems* host, mail::Log& log) : host_(host), log_(log) {}
  void add(std::string_view key, std::string_view sentence) override;
  bool any() const { return any_; }

 private:
  const mailplugin_problems* host_;
  mail::Log& log_;
  bool any_ = false;
};

}  // namespace boundary
