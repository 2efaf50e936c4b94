#pragma once

#include <map>
#include <string>
#include <vector>

#include "mailplugin/mailplugin.h"

namespace conformance {

using Values = std::map<std::string, std::string>;

/// The sections of a settings file: [type] and [type mailbox], KEY=VALUE lines, # comments.
std::map<std::string, Values> read_settings_file(const std::string& path);

/// Values as the ABI wants them; lives as long as this object.
class Settings {
 public:
  explicit Settings(Values values);
  Settings(const Settings&) = delete;
  Settings& operator=(const Settings&) = delete;
  const mailplugin_settings* get() const { return &settings_; }

 private:
  Values values_;
  std::vector<mailplugin_setting> items_;
  mailplugin_settings settings_{};
};

/// Collects what the plugin says of settings.
class Problems {
 public:
  Problems();
  const mailplugin_problems* get() const { return &problems_; }
  bool names(const std::string& key) const;
  std::vector<std::pair<std::string, std::string>> told;  ///< key ("" for the whole), sentence

 private:
  mailplugin_problems problems_{};
};

}  // namespace conformance
