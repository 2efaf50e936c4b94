// A small HTTPS server: one thread a connection, HTTP/1.1 with keep-alive, and the freedom to answer badly on request.
#ifndef HOST_SIM_M365_HTTPS_SERVER_H_
#define HOST_SIM_M365_HTTPS_SERVER_H_

#include <openssl/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "m365/server/http.h"

namespace embedded {

struct ServerOptions {
  std::string address;
  std::uint16_t port = 0;  // 0: a free one
  // Larger bodies are read to their end, thrown away and marked body_too_large. Asked at each request.
  std::function<std::size_t()> body_limit;
  std::size_t connection_limit = 2000;
};

class HttpsServer {
 public:
  // Called on the connection's thread, many at once. What it throws becomes a 500.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // Listens and accepts from now on. Throws std::runtime_error ("cannot listen on 127.0.0.1:443: ...").
  HttpsServer(SSL_CTX* tls, ServerOptions options, Handler handler);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  std::uint16_t port() const;
  // Idempotent. Closes every connection and joins every thread; handlers in a pause must be woken by the caller first.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace embedded

#endif  // HOST_SIM_M365_HTTPS_SERVER_H_
