#pragma once

#include <optional>
#include <string>

#include "http/patience.h"
#include "http/url.h"

namespace http {

struct Proxy {
  Url url;
  std::string authorization;  ///< value of Proxy-Authorization, empty when no credentials were given
};

/// From "http://[user:password@]host:port"; nullopt when it is empty. Throws mail::FaultError (Cause::proxy).
std::optional<Proxy> parse_proxy(const std::string& text);

/// Asks the proxy at the other end of a connected, non-blocking socket, whom `patience` names, for a tunnel (RFC 9110,
/// section 9.3.6). Throws TransportError (proxy, timeout, cancelled).
void open_tunnel(int socket, const Proxy& proxy, const Url& url, Patience& patience);

}  // namespace http
