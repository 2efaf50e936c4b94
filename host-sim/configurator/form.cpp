#include "configurator/form.h"

#include <algorithm>

#include "base/utf8.h"

namespace configurator {
namespace {

using base::Json;

std::string text_of(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

std::string text_of(const mailplugin_text& text) {
  return text.data == nullptr ? std::string() : base::to_valid_utf8({text.data, static_cast<std::size_t>(text.size)});
}

std::string shown_default(const Field& field) {
  for (const auto& [value, label] : field.choices) {
    if (value == field.default_value) return label.empty() ? value : label;
  }
  return field.default_value;
}

std::string render_field(const Field& field, const Form& form, std::size_t width) {
  constexpr std::size_t kLabel = 34;
  std::string marks;
  const auto mark = [&](const std::string& word) { marks += (marks.empty() ? "" : ", ") + word; };
  mark(std::string(name_of_field_type(field.type)));
  if (field.required) mark("required");
  if (field.advanced) mark("advanced");
  if (!field.default_value.empty()) mark("default: " + shown_default(field));
  std::string label = base::for_one_line(field.label, 80);
  const std::size_t used = base::columns(label);
  label.append(used < kLabel ? kLabel - used : 1, ' ');
  std::string out = "  " + label + field.key + "  [" + marks + "]\n";
  for (const auto& [value, choice] : field.choices) {
    const bool same = choice.empty() || choice == value;
    out += base::wrapped("( ) " + (same ? value : choice + "  = " + value), 6, width);
  }
  if (!field.shown_if_key.empty()) {
    const Field* other = form.find(field.scope, field.shown_if_key);
    out += base::wrapped("shown when " + (other ? other->label : field.shown_if_key) + " is " + field.shown_if_value, 6,
                         width);
  }
  if (!field.help.empty()) out += base::wrapped(field.help, 6, width);
  return out;
}

}  // namespace

const Field* Form::find(Scope scope, std::string_view key) const {
  const auto it =
      std::find_if(fields.begin(), fields.end(), [&](const Field& f) { return f.scope == scope && f.key == key; });
  return it == fields.end() ? nullptr : &*it;
}

std::vector<std::string> Form::keys(Scope scope) const {
  std::vector<std::string> all;
  for (const Field& field : fields) {
    if (field.scope == scope) all.push_back(field.key);
  }
  return all;
}

Form form_of(const mailplugin_server_type& type) {
  Form form;
  form.type_id = text_of(type.id);
  form.label = text_of(type.label);
  for (const char* const* name = type.interfaces; *name != nullptr; ++name) form.interfaces.emplace_back(*name);
  for (uint32_t i = 0; i < type.field_count; ++i) {
    const mailplugin_field& from = *type.fields[i];
    Field field;
    field.key = text_of(from.key);
    field.label = text_of(from.label);
    field.help = text_of(from.help);
    field.default_value = text_of(from.default_value);
    field.type = from.type;
    field.scope = from.scope == MAILPLUGIN_SCOPE_MAILBOX ? Scope::kMailbox : Scope::kServer;
    field.required = (from.flags & MAILPLUGIN_FIELD_REQUIRED) != 0;
    field.advanced = (from.flags & MAILPLUGIN_FIELD_ADVANCED) != 0;
    for (uint32_t c = 0; from.choices != nullptr && c < from.choice_count; ++c) {
      field.choices.emplace_back(text_of(from.choices[c].name), text_of(from.choices[c].value));
    }
    field.shown_if_key = text_of(from.shown_if_key);
    field.shown_if_value = text_of(from.shown_if_value);
    form.fields.push_back(std::move(field));
  }
  return form;
}

std::string_view name_of_field_type(uint32_t type) {
  switch (type) {
    case MAILPLUGIN_FIELD_SECRET:
      return "secret";
    case MAILPLUGIN_FIELD_URL:
      return "URL";
    case MAILPLUGIN_FIELD_EMAIL:
      return "e-mail address";
    case MAILPLUGIN_FIELD_NUMBER:
      return "number";
    case MAILPLUGIN_FIELD_SWITCH:
      return "switch";
    case MAILPLUGIN_FIELD_CHOICE:
      return "choice";
    default:
      return "text";  // also what a later version of the interface may add: a text box always works
  }
}

std::string render(const Form& form, std::size_t width) {
  std::string out = form.label + "  (" + form.type_id + ")\n";
  const auto section = [&](Scope scope, const std::string& title) {
    if (form.keys(scope).empty()) return;
    out += "\n" + title + "\n";
    // As the System Configurator draws it: the everyday fields first, the advanced ones below.
    for (const bool advanced : {false, true}) {
      for (const Field& field : form.fields) {
        if (field.scope == scope && field.advanced == advanced) out += render_field(field, form, width);
      }
    }
  };
  section(Scope::kServer, "Server");
  section(Scope::kMailbox, "Mailbox (Queues > Numbers/Addresses)");
  return out;
}

Json to_json(const Form& form) {
  Json interfaces = Json::array();
  for (const std::string& name : form.interfaces) interfaces.push(name);
  Json fields = Json::array();
  for (const Field& field : form.fields) {
    Json choices = Json::array();
    for (const auto& [value, label] : field.choices) choices.push(Json::object({{"value", value}, {"label", label}}));
    Json shown = field.shown_if_key.empty()
                     ? Json()
                     : Json::object({{"key", field.shown_if_key}, {"value", field.shown_if_value}});
    std::string type(name_of_field_type(field.type));
    if (field.type == MAILPLUGIN_FIELD_URL) type = "url";
    if (field.type == MAILPLUGIN_FIELD_EMAIL) type = "email";
    fields.push(Json::object({{"key", field.key},
                              {"label", field.label},
                              {"help", field.help},
                              {"type", type},
                              {"scope", field.scope == Scope::kServer ? "server" : "mailbox"},
                              {"required", field.required},
                              {"advanced", field.advanced},
                              {"default", field.default_value.empty() ? Json() : Json(field.default_value)},
                              {"choices", choices},
                              {"shown_if", shown}}));
  }
  return Json::object({{"id", form.type_id}, {"label", form.label}, {"interfaces", interfaces}, {"fields", fields}});
}

}  // namespace configurator
