// Texts of the plugin's interface, seen where they stand.
#ifndef HOST_SIM_RUNTIME_TEXT_H_
#define HOST_SIM_RUNTIME_TEXT_H_

#include <cstddef>
#include <string_view>

#include "mailplugin/mailplugin.h"

namespace runtime {

// Empty for a text that is not known.
inline std::string_view as_view(const mailplugin_text& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, static_cast<std::size_t>(text.size));
}

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_TEXT_H_
