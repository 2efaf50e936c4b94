// What an access token says of its permissions. For sentences and checks only: grants through Exchange RBAC for
// Applications never show in it (entra-oauth.md, section 8), so a silent token proves nothing.
#pragma once

#include <string_view>

namespace m365 {

enum class Granted {
  yes,
  no,      ///< it names other mail permissions, and not this one
  unsaid,  ///< it names none, or cannot be read
};

/// `permissions` as TokenSource::permissions() gives them; `permission`: "Mail.ReadWrite". Its ".Shared" form counts.
Granted granted(std::string_view permissions, std::string_view permission);

}  // namespace m365
