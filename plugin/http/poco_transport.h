#pragma once

#include <memory>
#include <string>

#include "http/transport.h"
#include "mail/clock.h"
#include "mail/secret.h"

namespace http {

struct TransportOptions {
  std::string ca_file;                ///< PEM, trusted in addition to the system's store; empty: none
  mail::Secret proxy;                 ///< "http://[user:password@]host:port"; empty: none
  std::size_t idle_connections = 16;  ///< kept per origin
};

/// HTTPS over Poco NetSSL's sockets, with the measures of architecture section 8. May be called from any thread:
/// SIGPIPE is blocked on it while it talks, and its mask is left as it was. Connections are kept and TLS sessions
/// resumed; `clock` has to outlive the transport and its exchanges, which may outlive the transport. Throws
/// mail::FaultError (Cause::tls) when ca_file cannot be read, (Cause::proxy) when proxy is not such a URL. http:// URLs
/// are refused (Kind::tls), others that cannot be asked with Kind::name; std::invalid_argument for a header that would
/// break the lines.
std::shared_ptr<Transport> make_poco_transport(TransportOptions options, mail::Clock& clock);

}  // namespace http
