#pragma once

#include <Poco/Net/Context.h>
#include <Poco/Net/Session.h>

#include <mutex>
#include <optional>
#include <string>

#include "http/trust.h"
#include "http/url.h"

namespace http {

/// What all TLS connections to one host share: a Context bound to its name, and the latest session to resume.
/// Any thread.
class TlsHost {
 public:
  TlsHost(const Trust& trust, const Url& url);

  const Poco::Net::Context::Ptr& context() const { return context_; }
  /// For SNI; empty for addresses.
  const std::string& server_name() const { return server_name_; }

  Poco::Net::Session::Ptr session() const;
  void keep(Poco::Net::Session::Ptr session);

 private:
  const std::string server_name_;
  const Poco::Net::Context::Ptr context_;
  mutable std::mutex mutex_;
  Poco::Net::Session::Ptr session_;  // guarded by mutex_
};

/// Notes what is wrong with a certificate while a handshake runs on this thread.
class CertificateWitness {
 public:
  CertificateWitness();
  ~CertificateWitness();
  CertificateWitness(const CertificateWitness&) = delete;
  CertificateWitness& operator=(const CertificateWitness&) = delete;
  /// Completes "SERVER ..."; unset when no certificate was refused.
  const std::optional<std::string>& problem() const { return problem_; }

 private:
  friend class RejectingHandler;
  std::optional<std::string> problem_;
};

}  // namespace http
