#pragma once

#include <cstdint>

namespace mail {

/// Values are those of MAILPLUGIN_ACCEPTED and following; zero is no verdict, so that blank memory accepts nothing.
enum class Verdict : std::uint32_t { none = 0, accepted, retry_later, rejected, pending, uncertain };

}  // namespace mail
