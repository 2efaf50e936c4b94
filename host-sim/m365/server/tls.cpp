#include "m365/server/tls.h"

#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include "m365/mime/text.h"

namespace embedded {
namespace {

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* object) const {
    Free(object);
  }
};
using Key = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freer<X509_free>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>>;
using Bio = std::unique_ptr<BIO, Freer<BIO_free_all>>;
using Context = std::unique_ptr<SSL_CTX, Freer<SSL_CTX_free>>;

void require(bool good, const char* what) {
  if (good) return;
  std::array<char, 256> text{};
  ERR_error_string_n(ERR_get_error(), text.data(), text.size());
  throw std::runtime_error(std::string("cannot make the TLS certificate: ") + what + ": " + text.data());
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, OBJ_nid2sn(nid));
}

Certificate make_certificate(EVP_PKEY* key, const char* name, int days, X509* issuer) {
  Certificate certificate(X509_new());
  require(certificate != nullptr, "X509_new");
  const std::string serial = random_bytes(8);
  std::uint64_t number = 0;
  std::memcpy(&number, serial.data(), sizeof number);
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), number >> 1);
  // A day of grace for a clock that is a little behind.
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -86400);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 86400L * days);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  const auto* text = reinterpret_cast<const unsigned char*>(name);
  require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0) == 1, "subject");
  X509_set_issuer_name(certificate.get(), issuer != nullptr ? X509_get_subject_name(issuer) : subject);
  X509* signer = issuer != nullptr ? issuer : certificate.get();
  const bool authority = issuer == nullptr;
  extend(certificate.get(), signer, NID_basic_constraints,
         authority ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE");
  extend(certificate.get(), signer, NID_key_usage,
         authority ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
  extend(certificate.get(), signer, NID_subject_key_identifier, "hash");
  extend(certificate.get(), signer, NID_authority_key_identifier, "keyid");
  if (!authority) extend(certificate.get(), signer, NID_ext_key_usage, "serverAuth");
  return certificate;
}

std::string pem(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  require(bio && PEM_write_bio_X509(bio.get(), certificate) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

std::string pem(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  require(bio && PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "PEM");
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

bool is_ip_address(const std::string& address) {
  const std::unique_ptr<ASN1_OCTET_STRING, Freer<ASN1_OCTET_STRING_free>> parsed(a2i_IPADDRESS(address.c_str()));
  return parsed != nullptr;
}

}  // namespace

struct Tls::Impl {
  Key authority_key, server_key;
  Certificate authority, server;
  Context context;
};

Tls::Tls(const std::string& address) : impl_(std::make_unique<Impl>()) {
  auto& impl = *impl_;
  impl.authority_key.reset(EVP_EC_gen("P-256"));
  impl.server_key.reset(EVP_EC_gen("P-256"));
  require(impl.authority_key && impl.server_key, "key");
  impl.authority = make_certificate(impl.authority_key.get(), "Embedded Microsoft 365 Authority", 3650, nullptr);
  require(X509_sign(impl.authority.get(), impl.authority_key.get(), EVP_sha256()) > 0, "signature");
  impl.server = make_certificate(impl.server_key.get(), "localhost", 397, impl.authority.get());
  std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
  if (is_ip_address(address)) {
    if (address != "127.0.0.1" && address != "::1") names += ",IP:" + address;
  } else if (!address.empty() && address != "localhost") {
    names += ",DNS:" + address;
  }
  extend(impl.server.get(), impl.authority.get(), NID_subject_alt_name, names);
  require(X509_sign(impl.server.get(), impl.authority_key.get(), EVP_sha256()) > 0, "signature");

  impl.context.reset(SSL_CTX_new(TLS_server_method()));
  require(impl.context != nullptr, "context");
  SSL_CTX* context = impl.context.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);  // graph-mail.md section 2
  SSL_CTX_set_mode(context, SSL_MODE_AUTO_RETRY | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_num_tickets(context, 1);
  static constexpr unsigned char session_id[] = "embedded-m365";
  SSL_CTX_set_session_id_context(context, session_id, sizeof session_id - 1);
  require(SSL_CTX_use_certificate(context, impl.server.get()) == 1, "certificate");
  require(SSL_CTX_use_PrivateKey(context, impl.server_key.get()) == 1, "key");
}

Tls::~Tls() = default;

SSL_CTX* Tls::context() const {
  return impl_->context.get();
}

void Tls::write_files(const std::filesystem::path& dir) const {
  write_file(dir / "ca.pem", pem(impl_->authority.get()), 0644);
  write_file(dir / "server.pem", pem(impl_->server.get()), 0644);
  write_file(dir / "server.key", pem(impl_->server_key.get()), 0600);
}

void write_file(const std::filesystem::path& path, const std::string& content, unsigned mode) {
  const std::filesystem::path temporary = path.string() + ".new";
  const auto fail = [&](const char* what) {
    throw std::runtime_error("cannot " + std::string(what) + " " + temporary.string() + ": " + std::strerror(errno));
  };
  ::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (file < 0) fail("create");
  std::string_view rest = content;
  while (!rest.empty()) {
    const auto written = ::write(file, rest.data(), rest.size());
    if (written < 0) {
      const int error = errno;
      ::close(file);
      errno = error;
      fail("write");
    }
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(file) != 0) fail("close");
  if (::rename(temporary.c_str(), path.c_str()) != 0) fail("rename");
}

}  // namespace embedded
