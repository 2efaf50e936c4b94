#pragma once

#include <string>
#include <string_view>

#include "mail/mail.h"
#include "mailplugin/mailplugin.h"

namespace boundary {

inline mailplugin_text view(std::string_view text) {
  return {text.data(), text.size()};
}

inline mailplugin_address view(const mail::Address& address) {
  return {view(address.name), view(address.address)};
}

/// A text of size 0 may have a NULL pointer.
inline std::string copy(const mailplugin_text& text) {
  return text.data == nullptr ? std::string() : std::string(text.data, static_cast<std::size_t>(text.size));
}

inline mail::Address copy(const mailplugin_address& address) {
  return {copy(address.name), copy(address.address)};
}

/// NULL when empty: for optional C strings.
inline const char* or_null(const std::string& text) {
  return text.empty() ? nullptr : text.c_str();
}

}  // namespace boundary
