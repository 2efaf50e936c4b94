#pragma once

#include <string>
#include <string_view>

#include "mail/settings.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

/// The host's settings as a map. False, and a sentence to `problems`, when the structure breaks a rule of the header or
/// a key comes twice.
bool read_settings(const mailplugin_settings* settings, mail::Settings& result, mail::Problems& problems);

/// Passes problems on to the host; a host that does not want them (NULL) gets none.
class HostProblems final : public mail::Problems {
 public:
  explicit HostProblems(const mailplugin_problems* host) : host_(host) {}
  void add(std::string_view key, std::string_view sentence) override;
  bool any() const { return any_; }

 private:
  const mailplugin_problems* host_;
  bool any_ = false;
};

}  // namespace boundary
