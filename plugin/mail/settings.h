// What an administrator typed, and the form that asked for it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace mail {

/// Values by key, as text. A key that was not given is absent (not empty).
using Settings = std::map<std::string, std::string, std::less<>>;

enum class FieldType : std::uint32_t { text = 1, secret, url, email, number, toggle, choice };
enum class Scope : std::uint32_t { server = 1, mailbox = 2 };

/// One row of the form that the System Configurator draws.
struct Field {
  std::string key, label, help;
  FieldType type = FieldType::text;
  Scope scope = Scope::server;
  bool required = false, advanced = false;
  std::string default_value;
  std::vector<std::pair<std::string, std::string>> choices = {};  ///< value, label
  std::string shown_if_key = {}, shown_if_value = {};
};

/// Collects one sentence a faulty field. An empty key is a fault of the whole.
class Problems {
 public:
  virtual ~Problems() = default;
  virtual void add(std::string_view key, std::string_view sentence) = 0;
};

}  // namespace mail
