#pragma once

#include <string>
#include <string_view>

namespace m365 {

/// SHA-256: stands for a secret where two have to be told apart. Throws std::runtime_error without OpenSSL's.
std::string digest(std::string_view text);

}  // namespace m365
