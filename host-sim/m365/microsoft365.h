// The embedded Microsoft 365: Entra ID's token endpoint and Microsoft Graph mail over TLS, in this process.
//
// A stateful stand-in that follows the public documents and shares no code with any plugin, so that two readings of the
// same documents check each other. What the service refuses with 400 is refused with 400 here.
#ifndef HOST_SIM_M365_MICROSOFT365_H_
#define HOST_SIM_M365_MICROSOFT365_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace embedded {

struct Options {
  // Where ca.pem, contact-center.json, control.json and the secrets are written; created if missing.
  std::filesystem::path dir;
  // To listen on: an IPv4 or IPv6 address or "localhost".
  std::string address = "127.0.0.1";
  // 0: a free one. Login and Graph share this origin; upload URLs live on a second free port (another origin, as in the
  // service) and the control door on a third.
  std::uint16_t port = 0;
  // JSON: users, shared mailboxes, apps, secrets, policies, mails (.eml paths relative to it). None: a built-in tenant.
  std::optional<std::filesystem::path> tenant_file;
};

// Starts in the constructor, stops in the destructor. All functions may be called from any thread.
class Microsoft365 {
 public:
  // Throws std::runtime_error with a sentence: the directory cannot be written, the port is taken, the tenant file is
  // faulty (with the JSON path and the reason).
  explicit Microsoft365(Options options);
  ~Microsoft365();
  Microsoft365(const Microsoft365&) = delete;
  Microsoft365& operator=(const Microsoft365&) = delete;

  // "https://localhost:PORT"; the certificate covers localhost, 127.0.0.1, ::1 and the address listened on.
  std::string origin() const;
  // Where the control door (control.h) listens, on loopback only.
  std::string control_origin() const;
  // The certificate of the authority that signed the server's, PEM.
  std::filesystem::path ca_file() const;
  // DIR/contact-center.json: written last and whole (temporary file and rename), mode 0600.
  std::filesystem::path configuration_file() const;
  // Idempotent; ends within a second.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace embedded

#endif  // HOST_SIM_M365_MICROSOFT365_H_
