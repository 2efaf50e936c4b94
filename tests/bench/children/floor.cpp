#include "children/floor.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string_view>

namespace bench {
namespace {

struct Free {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("floor: ") + what);
}

int connect_to(int port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  require(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connect");
  const int one = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

void write_all(SSL* ssl, std::string_view bytes) {
  while (!bytes.empty()) {
    const int sent = SSL_write(ssl, bytes.data(), static_cast<int>(bytes.size()));
    require(sent > 0, "write");
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::string read_exactly(std::istream& in, std::size_t size) {
  std::string bytes(size, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(size));
  return in ? bytes : std::string();
}

}  // namespace

void write_requests(const std::string& file, const std::vector<std::string>& requests) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  for (const std::string& request : requests) {
    const auto size = static_cast<std::uint32_t>(request.size());
    out.write(reinterpret_cast<const char*>(&size), sizeof size);
    out.write(request.data(), static_cast<std::streamsize>(request.size()));
  }
  if (!out.flush()) throw std::runtime_error(file + " cannot be written");
}

int run_floor(const std::vector<std::string>& arguments) {
  const std::string& file = arguments.at(0);
  const int port = std::stoi(arguments.at(1));
  const std::unique_ptr<SSL_CTX, Free> context(SSL_CTX_new(TLS_client_method()));
  require(context && SSL_CTX_load_verify_locations(context.get(), arguments.at(2).c_str(), nullptr) == 1, "CA");
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  const std::unique_ptr<SSL, Free> ssl(SSL_new(context.get()));
  const int fd = connect_to(port);
  SSL_set_fd(ssl.get(), fd);
  require(SSL_connect(ssl.get()) == 1, "handshake");
  std::ifstream in(file, std::ios::binary);
  std::string buffer(256 * 1024, '\0');
  std::uint64_t count = 0;
  for (;;) {
    std::uint32_t size = 0;
    in.read(reinterpret_cast<char*>(&size), sizeof size);
    if (!in) break;
    const std::string request = read_exactly(in, size);
    write_all(ssl.get(), request);
    std::size_t filled = 0;
    std::size_t head = std::string::npos;
    while (head == std::string::npos) {
      const int got = SSL_read(ssl.get(), buffer.data() + filled, static_cast<int>(buffer.size() - filled));
      require(got > 0, "read");
      filled += static_cast<std::size_t>(got);
      head = std::string_view(buffer).substr(0, filled).find("\r\n\r\n");
    }
    const std::string_view text = std::string_view(buffer).substr(0, head);
    require(text.starts_with("HTTP/1.1 2"), "the answer is none of 200 to 299");
    std::uint64_t length = 0;
    if (const std::size_t at = text.find("Content-Length: "); at != std::string_view::npos)
      std::from_chars(text.data() + at + 16, text.data() + text.size(), length);
    for (std::uint64_t have = filled - head - 4; have < length;) {
      const int got = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()));
      require(got > 0, "read");
      have += static_cast<std::uint64_t>(got);
    }
    ++count;
  }
  SSL_shutdown(ssl.get());
  ::close(fd);
  std::printf("%llu\n", static_cast<unsigned long long>(count));
  return count > 0 ? 0 : 1;
}

}  // namespace bench
