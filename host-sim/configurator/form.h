// The form of a server type: what the plugin says its settings are, and how a person would see them.
#ifndef HOST_SIM_CONFIGURATOR_FORM_H_
#define HOST_SIM_CONFIGURATOR_FORM_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "mailplugin/mailplugin.h"

namespace configurator {

enum class Scope { kServer = MAILPLUGIN_SCOPE_SERVER, kMailbox = MAILPLUGIN_SCOPE_MAILBOX };

struct Field {
  std::string key, label, help, default_value;
  uint32_t type = MAILPLUGIN_FIELD_TEXT;
  Scope scope = Scope::kServer;
  bool required = false, advanced = false;
  std::vector<std::pair<std::string, std::string>> choices;  // value, label
  std::string shown_if_key, shown_if_value;                  // empty key: always shown
};

struct Form {
  std::string type_id, label;
  std::vector<std::string> interfaces;
  std::vector<Field> fields;

  // nullptr when the form has none of this key in this scope.
  const Field* find(Scope scope, std::string_view key) const;
  std::vector<std::string> keys(Scope scope) const;
};

// A copy; `type` must have passed the loader's checks.
Form form_of(const mailplugin_server_type& type);

// "text", "secret", "URL", ...
std::string_view name_of_field_type(uint32_t type);

// The form as the System Configurator would draw it, for a terminal `width` columns wide.
std::string render(const Form& form, std::size_t width);
base::Json to_json(const Form& form);

}  // namespace configurator

#endif  // HOST_SIM_CONFIGURATOR_FORM_H_
