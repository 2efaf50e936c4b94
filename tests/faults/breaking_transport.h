// The seam to the network with one exchange broken: what cannot be done by a server, or would take its minute.
#pragma once

#include <memory>
#include <mutex>

#include "fast_clock.h"
#include "http/transport.h"
#include "ways.h"

namespace faults {

/// Shared by every transport of a host. Any thread.
class Breaker {
 public:
  void arm(const Break& what);
  /// Counts one exchange; the fault that is its.
  Break take();
  std::size_t exchanges() const;
  bool broken() const;

 private:
  mutable std::mutex mutex_;
  // Guarded by mutex_:
  Break next_;
  std::size_t count_ = 0;
  bool happened_ = false;
};

/// `inner` does the work. `clock` and `breaker` outlive the transport and its exchanges.
std::shared_ptr<http::Transport> make_breaking_transport(std::shared_ptr<http::Transport> inner, FastClock& clock,
                                                         Breaker& breaker);

}  // namespace faults
