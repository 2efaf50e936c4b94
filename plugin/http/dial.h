#pragma once

#include <Poco/Net/StreamSocket.h>

#include <vector>

#include "http/patience.h"
#include "http/resolver.h"

namespace http {

/// A TCP connection to the first address that answers, non-blocking, close-on-exec, without Nagle's delay. Each address
/// gets a head start of 250 ms before the next is tried beside it (RFC 8305, section 5): Poco would try the first
/// alone, and one dead address would cost the whole limit. Throws TransportError (refused, timeout, cancelled).
Poco::Net::StreamSocket dial(const std::vector<Address>& addresses, Patience& patience);

}  // namespace http
