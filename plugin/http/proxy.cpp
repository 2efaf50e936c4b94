#include "http/proxy.h"

#include <openssl/evp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>

#include "http/http1.h"
#include "mail/fault.h"

namespace http {
namespace {

using Kind = TransportError::Kind;

constexpr std::size_t longest_proxy_head = 16 * 1024;

// RFC 7617.
mail::Secret basic(std::string_view user, std::string_view password) {
  constexpr std::string_view scheme = "Basic ";
  std::string pair, value;
  const mail::WipedAtEnd pair_end(pair), value_end(value);
  pair.reserve(user.size() + 1 + password.size());
  pair.append(user).append(":").append(password);
  value.assign(scheme.size() + 4 * ((pair.size() + 2) / 3) + 1, '\0');  // EncodeBlock ends with a NUL
  value.replace(0, scheme.size(), scheme);
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(value.data() + scheme.size()),
                                   reinterpret_cast<const unsigned char*>(pair.data()), static_cast<int>(pair.size()));
  return std::string_view(value).substr(0, scheme.size() + static_cast<std::size_t>(size));
}

std::string reason(int error) {
  return std::generic_category().message(error);
}

void send_all(int socket, std::string_view text, const Patience& patience) {
  while (!text.empty()) {
    const ssize_t sent = ::send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      text.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      patience.wait(socket, POLLOUT);
    } else if (errno != EINTR) {
      patience.fail(Kind::proxy, "closed the connection (" + reason(errno) + ")");
    }
  }
}

/// Byte by byte: what follows the head belongs to TLS, and a tunnel is opened rarely.
Head receive_head(int socket, const Patience& patience) {
  HeadReader reader;
  std::string line;
  for (std::size_t total = 0; total < longest_proxy_head;) {
    char c;
    const ssize_t got = ::recv(socket, &c, 1, 0);
    if (got == 0) patience.fail(Kind::proxy, "closed the connection instead of opening a tunnel");
    if (got < 0) {
      if (errno == EAGAIN || errno == EWOULDBLOCK) {
        patience.wait(socket, POLLIN);
      } else if (errno != EINTR) {
        patience.fail(Kind::proxy, "closed the connection (" + reason(errno) + ")");
      }
      continue;
    }
    ++total;
    if (c != '\n') {
      line += c;
      continue;
    }
    if (line.ends_with('\r')) line.pop_back();
    if (reader.take(line)) return std::move(reader).head();
    line.clear();
  }
  patience.fail(Kind::proxy, "sent an answer that is too long");
}

}  // namespace

std::optional<Proxy> parse_proxy(std::string_view text) {
  if (text.empty()) return {};
  auto url = parse_url(text);
  std::string userinfo = url ? std::move(url->userinfo) : std::string();
  const mail::WipedAtEnd userinfo_end(userinfo);
  const std::string_view pair = userinfo;
  const std::size_t colon = std::min(pair.find(':'), pair.size());
  auto user = percent_decode(pair.substr(0, colon));
  auto password = percent_decode(pair.substr(std::min(colon + 1, pair.size())));
  std::string nothing;
  const mail::WipedAtEnd password_end(password ? *password : nothing);
  if (!url || url->secure || url->target != "/" || !user || !password) {
    mail::Fault fault;  // its value stays out of the sentence: there may be a password in it
    fault.cause = mail::Cause::proxy;
    fault.remedy = mail::Remedy::administrator;
    fault.text = "the proxy is not of the form http://[user:password@]host:port";
    throw mail::FaultError(std::move(fault));
  }
  mail::wipe(url->userinfo);  // a short one stays in a string that was moved away
  Proxy proxy{*std::move(url), {}};
  if (!userinfo.empty()) proxy.authorization = basic(*user, *password);
  return proxy;
}

void open_tunnel(int socket, const Proxy& proxy, const Url& url, Patience& patience) {
  std::string request = "CONNECT " + url.host_port() + " HTTP/1.1\r\nHost: " + url.host_port() + "\r\n";
  const mail::WipedAtEnd end(request);
  request.reserve(request.size() + proxy.authorization.size() + 64);
  if (!proxy.authorization.empty())
    request.append("Proxy-Authorization: ").append(proxy.authorization.view()).append("\r\n");
  send_all(socket, request += "\r\n", patience);
  Head head;
  try {
    do head = receive_head(socket, patience);
    while (head.status < 200);
  } catch (const BadAnswer& error) {
    patience.fail(Kind::proxy, error.what());
  }
  if (head.status == 407) {
    patience.fail(Kind::proxy, proxy.authorization.empty()
                                   ? "asks for a user and a password (407); give them in the proxy's URL"
                                   : "refuses the user or the password of its URL (407)");
  }
  if (head.status >= 300) {
    patience.fail(Kind::proxy, "answered " + std::to_string(head.status) + " when asked for a tunnel to " +
                                   url.host_port() + "; its administrator must allow that host");
  }
}

}  // namespace http
