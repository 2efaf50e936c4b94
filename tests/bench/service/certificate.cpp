#include "service/certificate.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace bench {
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

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("the load server's certificate cannot be made: ") + what);
}

void extend(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, Freer<X509_EXTENSION_free>> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  require(extension && X509_add_ext(certificate, extension.get(), -1) == 1, OBJ_nid2sn(nid));
}

Certificate make(EVP_PKEY* key, const char* name, X509* issuer, EVP_PKEY* signer) {
  Certificate certificate(X509_new());
  require(certificate != nullptr, "X509_new");
  std::uint64_t serial = 0;
  require(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "serial");
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate.get()), serial >> 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 7 * 86400L);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME* subject = X509_get_subject_name(certificate.get());
  require(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(name), -1, -1,
                                     0) == 1,
          "subject");
  X509_set_issuer_name(certificate.get(), issuer != nullptr ? X509_get_subject_name(issuer) : subject);
  X509* parent = issuer != nullptr ? issuer : certificate.get();
  const bool authority = issuer == nullptr;
  extend(certificate.get(), parent, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(certificate.get(), parent, NID_key_usage, authority ? "critical,keyCertSign" : "critical,digitalSignature");
  extend(certificate.get(), parent, NID_subject_key_identifier, "hash");
  extend(certificate.get(), parent, NID_authority_key_identifier, "keyid");
  if (!authority) {
    extend(certificate.get(), parent, NID_ext_key_usage, "serverAuth");
    extend(certificate.get(), parent, NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  }
  require(X509_sign(certificate.get(), signer, EVP_sha256()) > 0, "signature");
  return certificate;
}

}  // namespace

ServerContext make_server_context(const std::filesystem::path& ca_file) {
  const Key authority_key(EVP_EC_gen("P-256")), server_key(EVP_EC_gen("P-256"));
  require(authority_key && server_key, "key");
  const Certificate authority = make(authority_key.get(), "Load Server Authority", nullptr, authority_key.get());
  const Certificate server = make(server_key.get(), "localhost", authority.get(), authority_key.get());
  const std::unique_ptr<std::FILE, Freer<std::fclose>> file(std::fopen(ca_file.c_str(), "we"));
  require(file && PEM_write_X509(file.get(), authority.get()) == 1, ca_file.c_str());
  ServerContext context(SSL_CTX_new(TLS_server_method()));
  require(context && SSL_CTX_use_certificate(context.get(), server.get()) == 1 &&
              SSL_CTX_use_PrivateKey(context.get(), server_key.get()) == 1,
          "context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  const unsigned char name[] = "load server";
  SSL_CTX_set_session_id_context(context.get(), name, sizeof name);
  return context;
}

}  // namespace bench
