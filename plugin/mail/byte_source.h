#pragma once

#include <cstddef>
#include <memory>

namespace mail {

/// Bytes on demand: the reader sets the pace. One thread at a time.
class ByteSource {
 public:
  virtual ~ByteSource() = default;
  /// Bytes read, 0 at the end (only when the content is known to be complete). Throws FaultError; a
  /// source that threw is not read again.
  virtual std::size_t read(char* buffer, std::size_t capacity) = 0;
};

}  // namespace mail
