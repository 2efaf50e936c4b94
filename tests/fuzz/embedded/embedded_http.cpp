// Bytes on a connection to the embedded server, after the TLS handshake.
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <filesystem>
#include <string>

#include "m365/mime/text.h"
#include "m365/server/https_server.h"
#include "m365/server/tls.h"
#include "require.h"

namespace {

embedded::HttpResponse answer(const embedded::HttpRequest& request) {
  require(!request.target.empty() && request.target.front() == '/', "a target is a path");
  require(request.body.size() <= 4096, "a body is within the limit");
  require(!request.body_too_large || request.body.empty(), "too large a body is thrown away");
  request.media_type();
  embedded::parse_form(request.query(), false);
  embedded::parse_form(request.body, true);
  embedded::HttpResponse response;
  response.headers.add("Content-Type", "application/octet-stream");
  response.body = std::string(request.path()) + request.headers.get("Host");
  response.chunked = request.method == "POST";
  return response;
}

class Client {
 public:
  explicit Client(const embedded::Tls& tls) : context_(SSL_CTX_new(TLS_client_method())) {
    std::signal(SIGPIPE, SIG_IGN);
    // The fuzzer's own alarm must not look like the end of a connection.
    struct sigaction alarm {};
    ::sigaction(SIGALRM, nullptr, &alarm);
    alarm.sa_flags |= SA_RESTART;
    ::sigaction(SIGALRM, &alarm, nullptr);
    std::string folder = (std::filesystem::temp_directory_path() / "fuzz-XXXXXX").string();
    require(::mkdtemp(folder.data()) != nullptr, "a folder for the authority");
    tls.write_files(folder);
    require(SSL_CTX_load_verify_file(context_, (folder + "/ca.pem").c_str()) == 1, "the authority");
    std::filesystem::remove_all(folder);
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
  }
  void exchange(std::uint16_t port, std::string_view bytes) {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(::connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "connected");
    // No port is left in TIME_WAIT, of which a run would need more than there are.
    const linger at_once{1, 0};
    ::setsockopt(socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    SSL* const ssl = SSL_new(context_);
    SSL_set_fd(ssl, socket);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
    require(SSL_connect(ssl) == 1, "TLS");
    std::size_t written = 0;
    if (bytes.empty() || SSL_write_ex(ssl, bytes.data(), bytes.size(), &written) == 1) {
      SSL_shutdown(ssl);  // no more from here; answers are read to their end
      std::array<char, 4096> buffer;
      std::size_t got = 0;
      while (SSL_read_ex(ssl, buffer.data(), buffer.size(), &got) == 1) continue;
    }
    SSL_free(ssl);
    ::close(socket);
    ERR_clear_error();
  }

 private:
  SSL_CTX* const context_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const embedded::Tls tls("127.0.0.1");
  static embedded::HttpsServer server(tls.context(), {"127.0.0.1", 0, [] { return std::size_t{4096}; }, 2000}, answer);
  static Client client(tls);
  client.exchange(server.port(), as_text(data, size));
  return 0;
}
