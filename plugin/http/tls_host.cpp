#include "http/tls_host.h"

#include <Poco/DateTimeFormatter.h>
#include <Poco/Net/InvalidCertificateHandler.h>
#include <Poco/Net/VerificationErrorArgs.h>
#include <Poco/Net/X509Certificate.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <new>
#include <set>
#include <utility>

namespace http {
namespace {

/// The handshake on this thread that wants to know. A plain pointer: a thread_local with a destructor would pin the
/// plugin in the host's threads (feasibility.md, section 3).
thread_local CertificateWitness* witness = nullptr;

/// Names in a certificate are written by whoever made it.
std::string printable(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  if (text.size() > 200) text.resize(200);
  return text;
}

std::string date(const Poco::DateTime& time) {
  return Poco::DateTimeFormatter::format(time, "%Y-%m-%d %H:%M UTC");
}

std::string names_in(const Poco::Net::X509Certificate& certificate) {
  std::string common_name;
  std::set<std::string> names;
  certificate.extractNames(common_name, names);
  if (names.empty()) names.insert(common_name);
  std::string text;
  std::size_t count = 0;
  for (const std::string& name : names) {
    if (++count > 5) return text + ", ...";
    text += (text.empty() ? "" : ", ") + name;
  }
  return printable(text);
}

std::string sentence(const Poco::Net::VerificationErrorArgs& error) {
  const Poco::Net::X509Certificate& certificate = error.certificate();
  switch (error.errorNumber()) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "has a certificate that expired on " + date(certificate.expiresOn()) +
             "; its operator must renew it, unless this machine's clock is wrong";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "has a certificate that is not valid before " + date(certificate.validFrom()) +
             "; check this machine's clock";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "has a certificate for another name (" + names_in(certificate) +
             "); check the address, and whether something on the way answers in its place";
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_UNTRUSTED:
      return "has a certificate of an issuer this machine does not trust (" +
             printable(certificate.issuerName(Poco::Net::X509Certificate::NID_COMMON_NAME)) +
             "); if the issuer is your own, give its certificate as ca_file";
    default:
      return "has a certificate that is refused";
  }
}

}  // namespace

/// Set on every Context: without a handler of its own the process-wide SSLManager decides, and another module may have
/// told that one to accept everything (feasibility.md, 2.5, point 2).
class RejectingHandler final : public Poco::Net::InvalidCertificateHandler {
 public:
  RejectingHandler() : InvalidCertificateHandler(false) {}
  void onInvalidCertificate(const void*, Poco::Net::VerificationErrorArgs& error) override {
    error.setIgnoreError(false);
    if (witness && !witness->problem_) {
      witness->problem_ = sentence(error) + " (" + X509_verify_cert_error_string(error.errorNumber()) + ")";
    }
  }
};

namespace {

// While an answer comes in: two records at once. With more OpenSSL moves what is left to the front too often.
constexpr std::size_t read_buffer = 32 * 1024;

Poco::Net::Context::Ptr make_context(const Trust& trust, const Url& url) {
  using Poco::Net::Context;
  Context::Params params;
  params.verificationMode = Context::VERIFY_STRICT;
  params.verificationDepth = 9;
  params.loadDefaultCAs = false;  // `trust` has them
  params.cipherList = "DEFAULT:!aNULL";
  Context::Ptr context = new Context(Context::TLS_CLIENT_USE, params);
  context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
  context->setInvalidCertificateHandler(new RejectingHandler);
  // Poco's own comparison of names resolves them in DNS and comes after the handshake, or never (2.5, point 1): off.
  context->enableExtendedCertificateVerification(false);
  context->enableSessionCache(true);

  SSL_CTX* const ssl = context->sslContext();
  SSL_CTX_set1_cert_store(ssl, trust.store());
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);  // 34 KB less for an idle connection
  // What was received and handed on does not stay in OpenSSL's buffer: tokens are among it.
  SSL_CTX_set_options(ssl, SSL_OP_CLEANSE_PLAINTEXT);
  // Without it OpenSSL asks the kernel twice for each record: for its 5 bytes of header, then for the rest.
  SSL_CTX_set_read_ahead(ssl, 1);
  SSL_CTX_set_default_read_buffer_len(ssl, read_buffer);
  // An end without close_notify must not look like one with it: a body without a length may be cut there.
  SSL_CTX_clear_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);

  // The name is compared by OpenSSL inside the handshake: no byte leaves before the peer has proved it (point 1).
  X509_VERIFY_PARAM* const verify = SSL_CTX_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(verify, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int bound = url.address ? X509_VERIFY_PARAM_set1_ip_asc(verify, url.host.c_str())
                                : X509_VERIFY_PARAM_set1_host(verify, url.host.data(), url.host.size());
  if (bound != 1) throw std::bad_alloc();
  return context;
}

}  // namespace

TlsHost::TlsHost(const Trust& trust, const Url& url)
    : server_name_(url.address ? "" : url.host), context_(make_context(trust, url)) {}

Poco::Net::Session::Ptr TlsHost::session() const {
  const std::lock_guard lock(mutex_);
  return session_;
}

void TlsHost::keep(Poco::Net::Session::Ptr session) {
  const std::lock_guard lock(mutex_);
  session_ = std::move(session);
}

CertificateWitness::CertificateWitness() {
  witness = this;
}
CertificateWitness::~CertificateWitness() {
  witness = nullptr;
}

}  // namespace http
