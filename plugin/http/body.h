#pragma once

#include <cstddef>
#include <cstdint>

#include "http/connection.h"
#include "http/http1.h"
#include "http/patience.h"

namespace http {

/// Reads a body to the end its framing tells, and knows an early end from that one.
class Body {
 public:
  explicit Body(Framing framing) : framing_(framing), left_(framing.length) {}
  /// Bytes read; 0: complete. Throws TransportError (cut, timeout, cancelled).
  std::size_t read(Connection& connection, char* buffer, std::size_t capacity, Patience& patience);
  bool complete() const { return complete_ || framing_.kind == Framing::Kind::none; }
  /// The connection may serve another request: the body had an end of its own.
  bool leaves_connection_open() const { return complete() && framing_.kind != Framing::Kind::until_close; }

 private:
  std::size_t read_chunked(Connection& connection, char* buffer, std::size_t capacity, Patience& patience);
  void next_chunk(Connection& connection, Patience& patience);

  const Framing framing_;
  std::uint64_t left_;     // of the body, or of the chunk
  bool in_chunk_ = false;  // a chunk's line end is still to be read
  bool complete_ = false;
};

}  // namespace http
