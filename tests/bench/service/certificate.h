// An authority of our own and one server certificate it signed, for 127.0.0.1.
#pragma once

#include <openssl/ssl.h>

#include <filesystem>
#include <memory>

namespace bench {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ServerContext = std::unique_ptr<SSL_CTX, FreeContext>;

/// A context that shows a fresh certificate, TLS 1.2 and 1.3 with tickets, as Microsoft's front doors do. The
/// authority's certificate is written to `ca_file` (PEM) for clients to trust. Throws std::runtime_error.
ServerContext make_server_context(const std::filesystem::path& ca_file);

}  // namespace bench
