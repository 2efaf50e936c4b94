// HTTP/1.1 over TLS on loopback, one thread, epoll. Latency is injected here: a request is answered as of half a round
// trip after it came, and the answer leaves after its work and the other half.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace bench {

struct HttpRequest {
  std::string_view method, target, head, body;  ///< head: the whole of it, as it came
  /// The value of a header; empty when it is not there.
  std::string_view header(std::string_view name) const;
};

/// The body is `body`, then `block` repeated until `block_size` bytes of it have gone out.
struct HttpAnswer {
  int status = 200;
  std::string_view content_type = "application/json;odata.metadata=minimal;charset=utf-8";
  std::string extra;  ///< further header lines, each with its line end
  std::string body;
  const std::string* block = nullptr;
  std::uint64_t block_size = 0;
  std::chrono::microseconds work{0};  ///< how long the service takes, beside the round trip
  void clear();
};

/// Called on the server's thread only.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;
  virtual void answer(const HttpRequest& request, HttpAnswer& answer) = 0;
};

class HttpsServer {
 public:
  /// Listens at once, on a free port of 127.0.0.1. `handler` outlives the server. Throws std::runtime_error.
  HttpsServer(const std::filesystem::path& ca_file, HttpHandler& handler, std::chrono::microseconds round_trip);
  ~HttpsServer();

  int port() const;
  /// CPU seconds of the server's thread so far.
  double cpu() const;
  std::uint64_t handshakes() const;
  /// The most requests that were being answered at the same time since the last call.
  unsigned most_in_flight();

 private:
  struct Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace bench
