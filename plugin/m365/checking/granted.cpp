#include "m365/checking/granted.h"

namespace m365 {

Granted granted(std::string_view permissions, std::string_view permission) {
  bool names_mail = false;
  while (!permissions.empty()) {
    const std::size_t end = permissions.find(' ');
    const std::string_view word = permissions.substr(0, end);
    permissions.remove_prefix(end == std::string_view::npos ? permissions.size() : end + 1);
    if (!word.starts_with("Mail.")) continue;
    names_mail = true;
    if (word == permission) return Granted::yes;
    if (word.starts_with(permission) && word.substr(permission.size()) == ".Shared") return Granted::yes;
  }
  return names_mail ? Granted::no : Granted::unsaid;
}

}  // namespace m365
