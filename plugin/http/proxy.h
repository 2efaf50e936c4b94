#pragma once

#include <optional>
#include <string_view>

#include "http/patience.h"
#include "http/url.h"
#include "mail/secret.h"

namespace http {

struct Proxy {
  Url url;                     ///< without user and password
  mail::Secret authorization;  ///< value of Proxy-Authorization, empty when no credentials were given
};

/// From "http://[user:password@]host:port"; nullopt when it is empty. Throws mail::FaultError (Cause::proxy).
std::optional<Proxy> parse_proxy(std::string_view text);

/// Asks the proxy at the other end of a connected, non-blocking socket, whom `patience` names, for a tunnel (RFC 9110,
/// section 9.3.6). Throws TransportError (proxy, timeout, cancelled).
void open_tunnel(int socket, const Proxy& proxy, const Url& url, Patience& patience);

}  // namespace http
