// The short keys of long names, and the fingerprint of a refused password.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "store/store.h"

namespace store {

using Hash128 = std::array<char, 16>;

inline std::string_view bytes_of(const Hash128& hash) {
  return {hash.data(), hash.size()};
}

/// SHA-256, cut to 128 bits: no two texts of one store meet by chance.
Hash128 hash_of(std::string_view text);

/// False when it has no Message-ID or no time of arrival: too little to call two mails one.
bool comparable(const Fingerprint& fingerprint);
/// The second key of a mail.
Hash128 likeness_of(const Fingerprint& fingerprint);
/// Where that key stands: by its mailbox, then by the second of its arrival, so that mails that come together are
/// neighbours. Never 0.
std::int64_t near_of(const Fingerprint& fingerprint);
/// From which place to which those of one mailbox stand (and of others whose names have the same hash).
std::pair<std::int64_t, std::int64_t> near_range(std::string_view mailbox);

/// ASCII only, as mail addresses are compared.
std::string lower_case(std::string_view text);

/// So slow that a stolen file does not give the password away. PBKDF2 with HMAC-SHA-256, RFC 8018.
std::string slow_hash(std::string_view password, std::string_view salt, int iterations);
std::string new_salt();
bool equal_in_constant_time(std::string_view a, std::string_view b);

}  // namespace store
