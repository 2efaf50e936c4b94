#pragma once

#include <openssl/x509_vfy.h>

#include <memory>
#include <string>

namespace http {

/// The certificates this machine trusts, and those of ca_file on top. Read once and shared by all contexts: Debian's
/// bundle alone costs 38 ms (feasibility.md, 2.1). Constant after construction.
class Trust {
 public:
  /// Throws mail::FaultError (Cause::tls) when ca_file is not readable or holds no certificate. Empty: none.
  explicit Trust(const std::string& ca_file);
  X509_STORE* store() const { return store_.get(); }

 private:
  struct Free {
    void operator()(X509_STORE* store) const { X509_STORE_free(store); }
  };
  std::unique_ptr<X509_STORE, Free> store_;
};

}  // namespace http
