// What a server sends, read as the transport reads it: heads, framing, bodies; and a proxy's answer to CONNECT.
//
// The first byte says how the bytes arrive (in pieces of that many) and how the connection ends.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <stop_token>

#include "http/body.h"
#include "http/connection.h"
#include "http/http1.h"
#include "http/http_date.h"
#include "http/message.h"
#include "http/patience.h"
#include "http/proxy.h"
#include "http/url.h"
#include "require.h"

namespace {

class ScriptedSocket final : public http::TlsSocket {
 public:
  ScriptedSocket(std::string_view script, std::size_t piece, bool lost) : left_(script), piece_(piece), lost_(lost) {}
  Step read(char* buffer, std::size_t capacity) override {
    if (left_.empty()) {
      if (lost_) throw http::ConnectionLost("reset");
      return {Progress::closed, 0};
    }
    const std::size_t bytes = std::min({capacity, piece_, left_.size()});
    std::memcpy(buffer, left_.data(), bytes);
    left_.remove_prefix(bytes);
    return {Progress::done, bytes};
  }
  Step write(const char*, std::size_t size) override { return {Progress::done, size}; }
  int fd() const override { return -1; }  // never waited for: there is always something to read
  void keep_session() override {}

 private:
  std::string_view left_;
  const std::size_t piece_;
  const bool lost_;
};

void read_answer(std::string_view wire, std::string_view method, std::size_t piece, bool lost) {
  http::Patience patience(mail::system_clock(), {}, {}, "graph.example");
  http::Connection connection(std::make_unique<ScriptedSocket>(wire, piece, lost), mail::system_clock().now());
  patience.begin_exchange();
  try {
    std::size_t budget = 128 * 1024;
    http::Head head;
    do {
      http::HeadReader reader;
      while (!reader.take(connection.read_line(budget, patience))) continue;
      head = std::move(reader).head();
    } while (head.status < 200);
    http::keep_alive_timeout(head.headers);
    http::retry_after(head.headers, mail::system_clock().wall());
    http::Body body(http::framing_of(method, head));
    std::array<char, 512> buffer;
    std::size_t total = 0;
    while (const std::size_t got = body.read(connection, buffer.data(), buffer.size(), patience)) {
      require(got <= buffer.size(), "no more than asked for");
      total += got;
    }
    require(body.complete(), "0 means complete");
    require(total <= wire.size(), "no bytes out of nothing");
  } catch (const http::BadAnswer&) {
  } catch (const http::TransportError&) {
  }
}

void ask_proxy(std::string_view wire) {
  std::array<int, 2> ends;
  require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()) == 0, "a socket pair");
  // More than the buffer of a socket is not written: the rest would wait for a reader.
  const ssize_t sent = ::write(ends[1], wire.data(), std::min<std::size_t>(wire.size(), 64 * 1024));
  require(sent >= 0, "written");
  ::shutdown(ends[1], SHUT_WR);
  http::Patience patience(mail::system_clock(), {}, {}, "proxy.example:3128");
  patience.begin_connect();
  try {
    http::open_tunnel(ends[0], *http::parse_proxy("http://user:word@proxy.example:3128"),
                      *http::parse_url("https://graph.example/v1.0"), patience);
  } catch (const http::TransportError&) {
  }
  ::close(ends[0]);
  ::close(ends[1]);
}

void read_values(std::string_view text) {
  if (const auto url = http::parse_url(text)) {
    require(!url->host.empty() && url->target.starts_with('/'), "a URL has a host and a path");
    const auto again = http::parse_url((url->secure ? "https://" : "http://") + url->authority() + url->target);
    require(again && again->host == url->host && again->port == url->port && again->target == url->target,
            "a URL survives being put together");
  }
  http::origin_of(text);
  const auto decoded = http::percent_decode(http::percent_encode(text));
  require(decoded && *decoded == text, "percent-encoding is undone");
  http::percent_decode(text);
  http::parse_http_date(text);
  http::Headers headers{{"Retry-After", std::string(text)}};
  if (const auto wait = http::retry_after(headers, mail::system_clock().wall())) {
    require(wait->count() >= 0 && *wait <= std::chrono::hours(1), "a wait is at most an hour");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view rest = as_text(data + 1, size - 1);
  const std::size_t piece = (data[0] & 0x1f) == 0 ? 16 * 1024 : std::size_t{data[0]} & 0x1f;
  read_answer(rest, (data[0] & 0x20) != 0 ? "HEAD" : "GET", piece, (data[0] & 0x40) != 0);
  if ((data[0] & 0x80) != 0) ask_proxy(rest);
  read_values(rest);
  return 0;
}
