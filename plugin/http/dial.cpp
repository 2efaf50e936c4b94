#include "http/dial.h"

#include <Poco/Exception.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>

#include <chrono>
#include <string>
#include <system_error>

namespace http {
namespace {

constexpr std::chrono::milliseconds head_start{250};

struct Attempt {
  Poco::Net::StreamSocket socket;
  std::string address;
};

class Dialing {
 public:
  Dialing(const std::vector<Address>& addresses, Patience& patience) : addresses_(addresses), patience_(patience) {}

  Poco::Net::StreamSocket run() {
    for (;;) {
      if (attempts_.empty() || head_start_over_) begin_next();
      if (attempts_.empty()) {
        if (next_ == addresses_.size())
          patience_.fail(TransportError::Kind::refused, "cannot be reached (" + failures_ + ")");
        continue;
      }
      std::vector<pollfd> sockets;
      for (const Attempt& attempt : attempts_) sockets.push_back({attempt.socket.impl()->sockfd(), POLLOUT, 0});
      const bool more = next_ < addresses_.size();
      head_start_over_ = !patience_.wait(sockets, more ? std::optional(head_start) : std::nullopt);
      for (std::size_t i = sockets.size(); i-- > 0;) {
        if (sockets[i].revents == 0) continue;
        const int error = attempts_[i].socket.impl()->socketError();
        if (error == 0) return attempts_[i].socket;
        failed(attempts_[i].address, error);
        attempts_.erase(attempts_.begin() + static_cast<std::ptrdiff_t>(i));
        head_start_over_ = true;  // why wait: this one will not come
      }
    }
  }

 private:
  void begin_next() {
    head_start_over_ = false;
    if (next_ == addresses_.size()) return;
    const Address& address = addresses_[next_++];
    try {
      Attempt attempt{{}, address.text};
      attempt.socket.connectNB(
          Poco::Net::SocketAddress(reinterpret_cast<const sockaddr*>(&address.socket), address.size));
      attempts_.push_back(attempt);
    } catch (const Poco::Exception& error) {
      failed(address.text, error.code());
    }
  }

  void failed(const std::string& address, int error) {
    failures_ += (failures_.empty() ? "" : "; ") + address + ": " + std::generic_category().message(error);
  }

  const std::vector<Address>& addresses_;
  Patience& patience_;
  std::size_t next_ = 0;
  std::vector<Attempt> attempts_;
  bool head_start_over_ = false;
  std::string failures_;
};

}  // namespace

Poco::Net::StreamSocket dial(const std::vector<Address>& addresses, Patience& patience) {
  Poco::Net::StreamSocket socket = Dialing(addresses, patience).run();
  fcntl(socket.impl()->sockfd(), F_SETFD, FD_CLOEXEC);  // the host may fork
  socket.setNoDelay(true);
  socket.setKeepAlive(true);
  return socket;
}

}  // namespace http
