#pragma once

#include <memory>
#include <string>

#include "http/transport.h"
#include "mail/clock.h"

namespace http {

struct TransportOptions {
  std::string ca_file;                ///< PEM, trusted in addition to the system's store; empty: none
  std::string proxy;                  ///< "http://[user:password@]host:port"; empty: none
  std::size_t idle_connections = 16;  ///< kept per origin
};

/// HTTPS through Poco NetSSL with the measures of architecture section 8. Throws mail::FaultError (Cause::tls) when
/// ca_file cannot be read, (Cause::proxy) when proxy is not such a URL. http:// URLs are refused (Kind::tls).
std::shared_ptr<Transport> make_poco_transport(TransportOptions options, mail::Clock& clock);

}  // namespace http
