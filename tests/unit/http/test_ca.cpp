#include "test_ca.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace test {
namespace {

constexpr long day = 24 * 60 * 60;

void require(bool done, const char* what) {
  if (!done) throw std::runtime_error(what);
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  require(extension, "extension");
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

Identity blank(const std::string& common_name, int from_day, int to_day) {
  static long serial = 1;
  Identity made;
  made.key.reset(EVP_EC_gen("P-256"));
  made.certificate.reset(X509_new());
  require(made.key && made.certificate, "key");
  X509* const certificate = made.certificate.get();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), from_day * day);
  X509_gmtime_adj(X509_getm_notAfter(certificate), to_day * day);
  X509_set_pubkey(certificate, made.key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  return made;
}

}  // namespace

TestCa::TestCa(const std::string& common_name) : ca_(blank(common_name, -2000, 2000)) {
  X509* const certificate = ca_.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  extend(certificate, certificate, NID_subject_key_identifier, "hash");
  require(X509_sign(certificate, ca_.key.get(), EVP_sha256()) > 0, "sign");

  const char* const folder = std::getenv("TMPDIR");
  file_ = std::string(folder ? folder : "/tmp") + "/test-ca-XXXXXX";
  const int fd = mkstemp(file_.data());
  std::FILE* const out = fd < 0 ? nullptr : fdopen(fd, "w");
  require(out && PEM_write_X509(out, certificate) == 1, "write");
  std::fclose(out);
}

TestCa::~TestCa() {
  ::unlink(file_.c_str());
}

Identity TestCa::issue(const std::vector<std::string>& names, int from_day, int to_day) const {
  Identity made = blank("test server", from_day, to_day);
  X509* const certificate = made.certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(ca_.certificate.get()));
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ",") + name;
  extend(certificate, ca_.certificate.get(), NID_subject_alt_name, all);
  extend(certificate, ca_.certificate.get(), NID_ext_key_usage, "serverAuth");
  require(X509_sign(certificate, ca_.key.get(), EVP_sha256()) > 0, "sign");
  return made;
}

const TestCa& shared_ca() {
  static const TestCa ca;
  return ca;
}

}  // namespace test
