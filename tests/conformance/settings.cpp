#include "settings.h"

#include <algorithm>
#include <fstream>
#include <stdexcept>

namespace conformance {

std::map<std::string, Values> read_settings_file(const std::string& path) {
  std::ifstream file(path);
  if (!file) throw std::runtime_error("cannot read " + path);
  std::map<std::string, Values> sections;
  std::string line, section;
  while (std::getline(file, line)) {
    if (line.empty() || line[0] == '#') continue;
    if (line[0] == '[') {
      section = line.substr(1, line.find(']') - 1);
      continue;
    }
    const auto equals = line.find('=');
    if (equals == std::string::npos) throw std::runtime_error(path + ": no '=' in \"" + line + "\"");
    sections[section][line.substr(0, equals)] = line.substr(equals + 1);
  }
  return sections;
}

Settings::Settings(Values values) : values_(std::move(values)) {
  for (const auto& [key, value] : values_) items_.push_back({key.c_str(), {value.data(), value.size()}});
  settings_.struct_size = sizeof settings_;
  settings_.count = static_cast<uint32_t>(items_.size());
  settings_.items = items_.data();
}

Problems::Problems() {
  problems_.struct_size = sizeof problems_;
  problems_.ctx = this;
  problems_.add = [](const mailplugin_problems* p, const char* key, const char* message) {
    static_cast<Problems*>(p->ctx)->told.emplace_back(key == nullptr ? "" : key, message == nullptr ? "" : message);
  };
}

bool Problems::names(const std::string& key) const {
  return std::any_of(told.begin(), told.end(),
                     [&](const auto& one) { return one.first == key && !one.second.empty(); });
}

}  // namespace conformance
