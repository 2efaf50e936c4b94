// The authority, the server's certificate and the TLS context, made anew at each start.
#ifndef HOST_SIM_M365_TLS_H_
#define HOST_SIM_M365_TLS_H_

#include <openssl/types.h>

#include <filesystem>
#include <memory>
#include <string>

namespace embedded {

class Tls {
 public:
  // Makes a CA and a leaf for localhost, 127.0.0.1, ::1 and `address`. Throws std::runtime_error.
  explicit Tls(const std::string& address);
  ~Tls();
  Tls(const Tls&) = delete;
  Tls& operator=(const Tls&) = delete;

  // DIR/ca.pem, and DIR/server.pem with DIR/server.key (0600) for a test that wants a server of its own in between.
  void write_files(const std::filesystem::path& dir) const;
  // Server side, TLS 1.2 or 1.3.
  SSL_CTX* context() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Writes a file whole: a temporary one beside it, flushed, then renamed over it. Throws std::runtime_error.
void write_file(const std::filesystem::path& path, const std::string& content, unsigned mode);

}  // namespace embedded

#endif  // HOST_SIM_M365_TLS_H_
