#include "boundary/form_view.h"

#include "boundary/text.h"

namespace boundary {

FormView::FormView(const std::vector<mail::Field>& form) {
  for (const mail::Field& field : form) {
    std::vector<mailplugin_pair>& choices = choices_.emplace_back();
    for (const auto& [value, label] : field.choices) choices.push_back({view(value), view(label)});
    mailplugin_field& shown = fields_.emplace_back();
    shown = {};
    shown.struct_size = sizeof shown;
    shown.type = static_cast<std::uint32_t>(field.type);
    if (field.required) shown.flags |= MAILPLUGIN_FIELD_REQUIRED;
    if (field.advanced) shown.flags |= MAILPLUGIN_FIELD_ADVANCED;
    shown.scope = static_cast<std::uint32_t>(field.scope);
    shown.key = field.key.c_str();
    shown.label = field.label.c_str();
    shown.help = or_null(field.help);
    shown.default_value = or_null(field.default_value);
    shown.choices = choices.data();
    shown.choice_count = static_cast<std::uint32_t>(choices.size());
    shown.shown_if_key = or_null(field.shown_if_key);
    shown.shown_if_value = or_null(field.shown_if_value);
    pointers_.push_back(&shown);
  }
}

}  // namespace boundary
