// The plugin's state file, made as large as years would make it. This is the one place where the benchmark knows how
// the plugin keeps its receipts; it says so when that has changed.
#pragma once

#include <cstdint>
#include <filesystem>

namespace bench {

/// The SQLite file below `folder` that has a table of receipts. Throws std::runtime_error when there is none.
std::filesystem::path find_state_file(const std::filesystem::path& folder);

std::uint64_t receipts_in(const std::filesystem::path& file);

/// Copies receipts, under ids of their own, until there are at least `count` of them, spread over all streams. Nobody
/// may have the file open.
void fill_receipts(const std::filesystem::path& file, std::uint64_t count);

/// Microseconds of CPU for one look-up by stream and id, as SQLite does it, among `looks` of random ones of which half
/// are there.
double lookup_us(const std::filesystem::path& file, int looks);

/// Of the log of changes beside it, in bytes.
std::uint64_t log_size(const std::filesystem::path& file);
/// Of both.
std::uint64_t size_of(const std::filesystem::path& file);

}  // namespace bench
