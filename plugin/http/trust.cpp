#include "http/trust.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <new>

#include "mail/fault.h"

namespace http {
namespace {

// OpenSSL takes a certificate apart when it is first needed, by whichever thread. Done now, none changes afterwards.
void take_apart(X509_STORE* store) {
  const STACK_OF(X509_OBJECT)* const objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    if (X509* const certificate = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i)))
      X509_check_purpose(certificate, -1, 0);
  }
}

}  // namespace

Trust::Trust(const std::string& ca_file) : store_(X509_STORE_new()) {
  if (!store_) throw std::bad_alloc();
  // A machine without a store of its own may still have a ca_file; when neither helps, the handshake says so.
  X509_STORE_set_default_paths(store_.get());
  const bool loaded = ca_file.empty() || X509_STORE_load_file(store_.get(), ca_file.c_str()) == 1;
  take_apart(store_.get());
  ERR_clear_error();
  if (loaded) return;
  mail::Fault fault;
  fault.cause = mail::Cause::tls;
  fault.remedy = mail::Remedy::administrator;
  fault.text = "ca_file " + ca_file + " cannot be read as PEM certificates; name a readable file with the CA to trust";
  throw mail::FaultError(std::move(fault));
}

}  // namespace http
