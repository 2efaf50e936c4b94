// A certificate authority made in the test, so that verification is never switched off.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <memory>
#include <string>
#include <vector>

namespace test {

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeCertificate {
  void operator()(X509* certificate) const { X509_free(certificate); }
};

struct Identity {
  std::unique_ptr<EVP_PKEY, FreeKey> key;
  std::unique_ptr<X509, FreeCertificate> certificate;
};

class TestCa {
 public:
  explicit TestCa(const std::string& common_name = "Test CA");
  ~TestCa();  ///< removes file()
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;

  /// A server certificate for these names ("DNS:localhost", "IP:127.0.0.1"), valid from and to so many days from now.
  Identity issue(const std::vector<std::string>& names, int from_day = -1, int to_day = 1) const;
  /// The CA's certificate as PEM, for ca_file.
  const std::string& file() const { return file_; }

 private:
  Identity ca_;
  std::string file_;
};

/// The one most tests use: made once, for "localhost" and 127.0.0.1.
const TestCa& shared_ca();

}  // namespace test
