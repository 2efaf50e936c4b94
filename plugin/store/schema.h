// The tables, and the way from each older shape of them to today's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace store {

class Writer;

/// In the file's header: this file is ours. "M365"
constexpr std::int64_t application_id = 0x4D333635;

/// From one version to the next. Never changed once released: files of every version are out there.
struct Migration {
  std::vector<const char*> statements;
};

/// migrations()[n] leads from version n to n + 1; version 0 is an empty file.
std::span<const Migration> migrations();
inline std::int64_t newest_version() {
  return static_cast<std::int64_t>(migrations().size());
}

/// Brings a file of version user_version to the last of `migrations`, each in one transaction. Throws mail::FaultError;
/// the file then is of the version before the one that failed.
void migrate(Writer& writer, std::span<const Migration> migrations);

}  // namespace store
