#include "http/body.h"

#include <algorithm>

namespace http {
namespace {

constexpr std::size_t longest_chunk_line = 4 * 1024;
constexpr std::size_t longest_trailer = 64 * 1024;

constexpr const char* early_end = "closed the connection in the middle of its answer";

}  // namespace

std::size_t Body::read(Connection& connection, char* buffer, std::size_t capacity, Patience& patience) {
  if (complete() || capacity == 0) return 0;
  if (framing_.kind == Framing::Kind::chunked) return read_chunked(connection, buffer, capacity, patience);
  if (framing_.kind == Framing::Kind::until_close) {
    // Only close_notify is an end; without it the connection was lost, and the read has thrown.
    const std::size_t got = connection.read(buffer, capacity, patience);
    complete_ = got == 0;
    return got;
  }
  const std::size_t got =
      connection.read(buffer, static_cast<std::size_t>(std::min<std::uint64_t>(capacity, left_)), patience);
  if (got == 0) patience.cut(early_end);
  left_ -= got;
  complete_ = left_ == 0;
  return got;
}

std::size_t Body::read_chunked(Connection& connection, char* buffer, std::size_t capacity, Patience& patience) {
  try {
    std::size_t total = 0;
    // Small chunks are common; one read() takes as many as are there without waiting for more.
    do {
      if (left_ == 0) next_chunk(connection, patience);
      if (complete_) break;
      const std::size_t got = connection.read(
          buffer + total, static_cast<std::size_t>(std::min<std::uint64_t>(capacity - total, left_)), patience);
      if (got == 0) patience.cut(early_end);
      left_ -= got;
      total += got;
    } while (total < capacity && connection.has_leftovers());
    return total;
  } catch (const BadAnswer& error) {
    patience.cut(error.what());
  }
}

void Body::next_chunk(Connection& connection, Patience& patience) {
  std::size_t budget = longest_chunk_line;
  if (in_chunk_ && !connection.read_line(budget, patience).empty()) throw BadAnswer("sent a broken chunked body");
  left_ = parse_chunk_size(connection.read_line(budget, patience));
  in_chunk_ = left_ != 0;
  if (left_ != 0) return;
  budget = longest_trailer;  // fields after the body; nothing we use comes there
  while (!connection.read_line(budget, patience).empty()) continue;
  complete_ = true;
}

}  // namespace http
