// One concern of a request's way, as a class that gets the request and the rest of the way: it may act before, after,
// again, or instead.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <stop_token>

#include "http/message.h"
#include "http/transport.h"

namespace http {

/// One logical request on its way; its repeats share it.
struct Call {
  Request request;
  std::stop_token stop;
  std::optional<std::size_t>
      body_limit;  ///< the body is read whole, up to so many bytes; unset: it stays in the exchange
};

struct Answer {
  Response response;               ///< body only when it was read whole
  std::unique_ptr<Exchange> rest;  ///< the body still to be read, else null
};

class Step;

/// The steps after the one that holds this.
class Next {
 public:
  explicit Next(const std::unique_ptr<Step>* step) : step_(step) {}
  Answer operator()(Call& call) const;

 private:
  const std::unique_ptr<Step>* step_;
};

/// Any thread.
class Step {
 public:
  virtual ~Step() = default;
  virtual Answer send(Call& call, Next next) = 0;
};

inline Answer Next::operator()(Call& call) const {
  return (*step_)->send(call, Next(step_ + 1));
}

}  // namespace http
