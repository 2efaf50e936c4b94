// The forms as data, and what can be checked from the data alone.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "mail/settings.h"

namespace m365 {

inline constexpr const char* oauth_service = "OAuth Service";
inline constexpr const char* oauth_user = "OAuth User";

/// Tells every key of `settings` that the form does not have in `scope`, with the nearest one it has. True: none.
bool check_keys(const mail::Settings& settings, const std::vector<mail::Field>& form, mail::Scope scope,
                mail::Problems& problems);

/// The label of a key, for sentences; the key itself when the form lacks it.
std::string label_of(const std::vector<mail::Field>& form, mail::Scope scope, std::string_view key);

}  // namespace m365
