#include "http/pool.h"

#include <algorithm>
#include <chrono>
#include <utility>

namespace http {
namespace {

/// Services move behind their names (graph-mail.md, section 2: honour the time to live of DNS, which getaddrinfo does
/// not tell). A handshake every five minutes is not felt.
constexpr std::chrono::minutes longest_life{5};

bool worn(const Connection& connection, mail::SteadyTime now) {
  return now >= connection.idle_until || now - connection.born >= longest_life;
}

}  // namespace

std::unique_ptr<Connection> Pool::take(const std::string& origin, mail::SteadyTime now) {
  for (;;) {
    std::unique_ptr<Connection> connection;
    {
      const std::lock_guard lock(mutex_);
      const auto found = idle_.find(origin);
      if (found == idle_.end() || found->second.empty()) return nullptr;
      connection = std::move(found->second.back());
      found->second.pop_back();
    }
    // Looked at outside the lock: it is ours alone now. Readable while idle means closed (feasibility.md, 2.5, point
    // 4).
    if (!worn(*connection, now) && connection->still_open()) return connection;
  }
}

void Pool::give(const std::string& origin, std::unique_ptr<Connection> connection, mail::SteadyTime now) {
  if (worn(*connection, now)) return;
  std::vector<std::unique_ptr<Connection>> closing;  // outside the lock: closing writes to the network
  const std::lock_guard lock(mutex_);
  auto& idle = idle_[origin];
  idle.push_back(std::move(connection));
  for (auto& [name, connections] : idle_) {
    const auto keep = std::stable_partition(connections.begin(), connections.end(),
                                            [now](const auto& each) { return worn(*each, now); });
    std::move(connections.begin(), keep, std::back_inserter(closing));
    connections.erase(connections.begin(), keep);
  }
  if (idle.size() > most_) {
    closing.push_back(std::move(idle.front()));
    idle.erase(idle.begin());
  }
}

}  // namespace http
