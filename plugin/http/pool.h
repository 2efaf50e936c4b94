#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "http/connection.h"
#include "mail/clock.h"

namespace http {

/// Connections between two requests, by origin. Any thread.
class Pool {
 public:
  explicit Pool(std::size_t idle_connections) : most_(idle_connections) {}

  /// The one used last, if it is still good; null when there is none. Dead ones are closed on the way.
  std::unique_ptr<Connection> take(const std::string& origin, mail::SteadyTime now);
  void give(const std::string& origin, std::unique_ptr<Connection> connection, mail::SteadyTime now);

 private:
  const std::size_t most_;
  std::mutex mutex_;
  std::map<std::string, std::vector<std::unique_ptr<Connection>>> idle_;  // guarded by mutex_; used last at the end
};

}  // namespace http
