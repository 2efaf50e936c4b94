#include "http/resolver.h"

#include <netdb.h>
#include <netinet/in.h>

#include <condition_variable>
#include <cstring>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

namespace http {
namespace {

constexpr std::size_t most_addresses = 8;

struct Found {
  int error = 0;
  std::vector<Address> addresses;
};

Address address_of(const addrinfo& info) {
  Address address;
  std::memcpy(&address.socket, info.ai_addr, info.ai_addrlen);
  address.size = info.ai_addrlen;
  char host[NI_MAXHOST] = "?", port[NI_MAXSERV] = "?";
  getnameinfo(info.ai_addr, info.ai_addrlen, host, sizeof host, port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV);
  address.text = info.ai_family == AF_INET6 ? "[" + std::string(host) + "]:" + port : std::string(host) + ":" + port;
  return address;
}

/// The first family first, then in turns: when one family is broken, every second address still works.
std::vector<Address> in_turns(std::vector<Address> addresses) {
  std::vector<Address> first, second, result;
  for (Address& address : addresses) {
    const bool like_first = first.empty() || address.socket.ss_family == first.front().socket.ss_family;
    (like_first ? first : second).push_back(std::move(address));
  }
  for (std::size_t i = 0; result.size() < most_addresses && (i < first.size() || i < second.size()); ++i) {
    if (i < first.size()) result.push_back(std::move(first[i]));
    if (i < second.size()) result.push_back(std::move(second[i]));
  }
  return result;
}

Found look_up(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* list = nullptr;
  Found found;
  found.error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list);
  for (const addrinfo* info = found.error == 0 ? list : nullptr; info; info = info->ai_next) {
    found.addresses.push_back(address_of(*info));
  }
  if (list) freeaddrinfo(list);
  found.addresses = in_turns(std::move(found.addresses));
  return found;
}

struct Lookup {
  std::mutex mutex;
  std::condition_variable_any done;
  // Everything below is guarded by mutex.
  bool finished = false;
  Found found;
};

}  // namespace

std::vector<Address> resolve(const std::string& host, std::uint16_t port, Patience& patience) {
  if (Found literal = look_up(host, port, AI_NUMERICHOST); literal.error == 0) return std::move(literal.addresses);

  const auto lookup = std::make_shared<Lookup>();
  try {
    std::thread([lookup, host, port] {
      Found found = look_up(host, port, 0);
      {
        const std::lock_guard lock(lookup->mutex);
        lookup->found = std::move(found);
        lookup->finished = true;
      }
      lookup->done.notify_all();
    }).detach();
  } catch (const std::system_error&) {
    patience.fail(TransportError::Kind::name, "cannot be looked up: this process cannot start another thread");
  }
  std::unique_lock lock(lookup->mutex);
  while (!lookup->finished) {
    patience.check();
    const auto until = patience.deadline().value_or(patience.clock().now() + std::chrono::minutes(1));
    patience.clock().wait_until(lock, lookup->done, until, patience.stop());
  }
  if (lookup->found.error != 0 || lookup->found.addresses.empty()) {
    patience.fail(TransportError::Kind::name, "cannot be found by its name (" +
                                                  std::string(gai_strerror(lookup->found.error)) +
                                                  "); check the spelling and this machine's DNS");
  }
  return std::move(lookup->found.addresses);
}

}  // namespace http
