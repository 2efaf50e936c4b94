// What a piece of code holds on the heap, whatever it is written with.
#pragma once

#include <cstddef>

namespace support {

/// While it lives, counts what this thread allocates by operator new less what it frees; one at a time a thread. The
/// counting operators stand in live_bytes.cpp, which a test program has to have among its sources.
class LiveBytes {
 public:
  LiveBytes();
  ~LiveBytes();
  LiveBytes(const LiveBytes&) = delete;
  LiveBytes& operator=(const LiveBytes&) = delete;
  std::ptrdiff_t now() const;
  std::ptrdiff_t peak() const;  ///< the most at any time since it was made
};

}  // namespace support
