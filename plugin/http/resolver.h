#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <vector>

#include "http/patience.h"

namespace http {

struct Address {
  sockaddr_storage socket{};
  socklen_t size = 0;
  std::string text;  ///< "192.0.2.7:443", for errors
};

/// All addresses of a name, IPv6 and IPv4 in turns as the system prefers them (RFC 8305, section 4), at most eight. An
/// address is its own answer. getaddrinfo() cannot be interrupted, so it runs on a thread of its own that is left
/// behind when stop or the limit comes first; it touches nothing but what it owns. (Poco's resolver sorts IPv4 first
/// and is no more interruptible.) Throws TransportError (name, timeout, cancelled).
std::vector<Address> resolve(const std::string& host, std::uint16_t port, Patience& patience);

}  // namespace http
