#include "http/patience.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>
#include <vector>

namespace http {
namespace {

using std::chrono::milliseconds;
using Kind = TransportError::Kind;

std::string in_words(milliseconds time) {
  if (time.count() % 1000 == 0) return std::to_string(time.count() / 1000) + " s";
  return std::to_string(time.count()) + " ms";
}

}  // namespace

Patience::Bell::Bell() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0)
    throw TransportError(Kind::refused, false, "this process cannot open another connection (too many files)");
}

Patience::Bell::~Bell() {
  ::close(fd_);
}

void Patience::Bell::ring() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}

Patience::Patience(mail::Clock& clock, const TimeLimits& limits, std::stop_token stop, std::string server)
    : clock_(clock),
      limits_(limits),
      stop_(std::move(stop)),
      server_(std::move(server)),
      connect_began_(clock.now()),
      exchange_began_(connect_began_),
      on_stop_(stop_, Ring{bell_}) {}

void Patience::begin_connect() {
  phase_ = Phase::connect;
  connect_began_ = clock_.now();
}

void Patience::begin_exchange() {
  phase_ = Phase::exchange;
  exchange_began_ = clock_.now();
}

void Patience::begin_body() {
  phase_ = Phase::body;
}

void Patience::limit_total() {
  if (phase_ == Phase::body) phase_ = Phase::whole_body;
}

std::optional<mail::SteadyTime> Patience::deadline() const {
  switch (phase_) {
    case Phase::connect:
      return limits_.connect.count() > 0 ? std::optional(connect_began_ + limits_.connect) : std::nullopt;
    case Phase::exchange:
    case Phase::whole_body:
      return limits_.total.count() > 0 ? std::optional(exchange_began_ + limits_.total) : std::nullopt;
    case Phase::body:
      break;
  }
  return std::nullopt;
}

void Patience::check() const {
  if (stop_.stop_requested()) stopped();
  if (const auto until = deadline(); until && clock_.now() >= *until) late();
}

bool Patience::wait(int socket, short events) const {
  std::array<pollfd, 1> sockets = {{{socket, events, 0}}};
  return wait(sockets);
}

bool Patience::wait(std::span<pollfd> sockets, std::optional<milliseconds> at_most) const {
  enum class End { phase, silence, at_most, never } end = End::never;
  milliseconds time = milliseconds::max();
  const auto shorten = [&](milliseconds to, End why) {
    if (to < time) time = std::max(to, milliseconds(0)), end = why;
  };
  check();
  if (const auto until = deadline()) shorten(std::chrono::ceil<milliseconds>(*until - clock_.now()), End::phase);
  if (phase_ != Phase::connect && limits_.silence.count() > 0) shorten(limits_.silence, End::silence);
  if (at_most) shorten(*at_most, End::at_most);

  std::vector<pollfd> all(sockets.begin(), sockets.end());
  all.push_back({bell_.fd(), POLLIN, 0});
  const int timeout =
      end == End::never ? -1 : static_cast<int>(std::min<milliseconds::rep>(time.count(), 1'000'000'000));
  const int ready = ::poll(all.data(), all.size(), timeout);
  if (ready < 0 && errno != EINTR) cut("cannot be waited for (out of memory?)");
  std::copy_n(all.begin(), sockets.size(), sockets.begin());
  if (stop_.stop_requested()) stopped();
  if (ready < 0) return wait(sockets, at_most);  // a signal of the host's: the limits of the phase go on running
  if (ready > 0) return true;
  if (end == End::phase) late();
  if (end == End::silence) silent();
  return false;
}

void Patience::late() const {
  if (phase_ == Phase::connect)
    fail(Kind::timeout, "did not let itself be connected within " + in_words(limits_.connect));
  fail(Kind::timeout, "did not answer in full within " + in_words(limits_.total));
}

void Patience::silent() const {
  fail(Kind::timeout, "was silent for " + in_words(limits_.silence));
}

void Patience::stopped() const {
  throw TransportError(Kind::cancelled, maybe_done_, "stopped while talking to " + server_);
}

void Patience::fail(Kind kind, const std::string& what) const {
  throw TransportError(kind, maybe_done_, server_ + " " + what);
}

}  // namespace http
