#include "http/connection.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "http/sigpipe.h"
#include "mail/secret.h"

namespace http {
namespace {

constexpr std::size_t record = 16 * 1024;  // the largest piece TLS carries at once

short events_for(TlsSocket::Progress progress) {
  return progress == TlsSocket::Progress::wants_write ? POLLOUT : POLLIN;
}

std::string lost(const ConnectionLost& error) {
  return std::string("lost the connection (") + error.what() + ")";
}

}  // namespace

Connection::Connection(std::unique_ptr<TlsSocket> socket, mail::SteadyTime time)
    : born(time), socket_(std::move(socket)), buffer_(record) {}

Connection::~Connection() {
  const SigpipeBlock block;
  socket_.reset();
}

/// One look at the socket, into the buffer's free end.
Connection::Pump Connection::pump(TlsSocket::Progress* wants) {
  if (begin_ == end_) begin_ = end_ = 0;
  if (end_ == buffer_.size()) {
    if (begin_ == 0) buffer_.resize(2 * buffer_.size());  // a long line; its budget bounds this
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const TlsSocket::Step step = socket_->read(buffer_.data() + end_, buffer_.size() - end_);
  end_ += step.bytes;
  if (wants) *wants = step.progress;
  if (step.progress == TlsSocket::Progress::done) return Pump::bytes;
  return step.progress == TlsSocket::Progress::closed ? Pump::closed : Pump::nothing;
}

bool Connection::write(std::string_view data, Patience& patience) {
  try {
    while (!data.empty()) {
      patience.check();
      const TlsSocket::Step step = socket_->write(data.data(), std::min(data.size(), record));
      if (step.progress == TlsSocket::Progress::closed) patience.cut("closed the connection");
      if (step.progress == TlsSocket::Progress::done) {
        patience.request_leaves();
        data.remove_prefix(step.bytes);
        continue;
      }
      std::array<pollfd, 1> socket = {{{socket_->fd(), static_cast<short>(events_for(step.progress) | POLLIN), 0}}};
      patience.wait(socket);
      if ((socket[0].revents & POLLIN) == 0) continue;
      const Pump pumped = pump();
      if (pumped == Pump::bytes) return false;
      if (pumped == Pump::closed) patience.cut("closed the connection in the middle of the request");
    }
    return true;
  } catch (const ConnectionLost& error) {
    // A server that refuses a large body says so and closes; what it said may have arrived.
    try {
      if (patience.maybe_done() && pump() == Pump::bytes) return false;
    } catch (const ConnectionLost&) {
    }
    patience.cut(lost(error));
  }
}

std::size_t Connection::read(char* buffer, std::size_t capacity, Patience& patience) {
  if (begin_ != end_) {
    const std::size_t size = std::min(capacity, end_ - begin_);
    std::memcpy(buffer, buffer_.data() + begin_, size);
    mail::wipe(buffer_.data() + begin_, size);  // the buffer outlives the answer, which may be a token
    begin_ += size;
    return size;
  }
  try {
    for (;;) {
      patience.check();
      const TlsSocket::Step step = socket_->read(buffer, capacity);
      if (step.progress == TlsSocket::Progress::done) return step.bytes;
      if (step.progress == TlsSocket::Progress::closed) return 0;
      patience.wait(socket_->fd(), events_for(step.progress));
    }
  } catch (const ConnectionLost& error) {
    patience.cut(lost(error));
  }
}

std::string Connection::read_line(std::size_t& budget, Patience& patience) {
  std::size_t looked_at = 0;
  try {
    for (;;) {
      const char* const from = buffer_.data() + begin_;
      const std::size_t size = end_ - begin_;
      if (const void* const end = std::memchr(from + looked_at, '\n', size - looked_at)) {
        const std::size_t length = static_cast<std::size_t>(static_cast<const char*>(end) - from);
        if (length + 1 > budget) break;
        budget -= length + 1;
        begin_ += length + 1;
        return std::string(from, length > 0 && from[length - 1] == '\r' ? length - 1 : length);
      }
      looked_at = size;
      if (size >= budget) break;
      patience.check();
      TlsSocket::Progress wants{};
      const Pump pumped = pump(&wants);
      if (pumped == Pump::closed) patience.cut("closed the connection before its answer was complete");
      if (pumped == Pump::nothing) patience.wait(socket_->fd(), events_for(wants));
    }
  } catch (const ConnectionLost& error) {
    patience.cut(lost(error));
  }
  patience.cut("sent an answer whose header is too long");
}

bool Connection::still_open() {
  // Not by poll(): what the peer said may have been read ahead, into OpenSSL's buffer.
  try {
    return pump() == Pump::nothing;
  } catch (const ConnectionLost&) {
    return false;
  }
}

void Connection::answered() {
  if (!std::exchange(answered_, true)) socket_->keep_session();
}

}  // namespace http
