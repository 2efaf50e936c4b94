// An environment without network and without waiting: what tests of sign-in and of the Graph client share.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "m365/environment.h"
#include "m365/settings/server_settings.h"
#include "m365/sign_in/token_source.h"
#include "support/capturing_log.h"
#include "support/fixed_random.h"
#include "support/manual_clock.h"
#include "support/scripted_transport.h"

namespace support {

/// A folder that goes away with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "m365-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct World {
  World() : World(nullptr) {}
  /// A second process on the state of `before` (which must have let go of it).
  explicit World(std::shared_ptr<TemporaryFolder> state)
      : folder(state ? std::move(state) : std::make_shared<TemporaryFolder>()),
        environment(log, clock, random, folder->path(), [this](const http::TransportOptions&) { return wire; }) {}

  std::shared_ptr<TemporaryFolder> folder;
  CapturingLog log;
  ManualClock clock;
  FixedRandom random;
  std::shared_ptr<ScriptedTransport> wire = std::make_shared<ScriptedTransport>();
  m365::Environment environment;
};

inline m365::TenantSettings tenant_of_service() {
  m365::TenantSettings tenant;
  tenant.login_origin = "https://login.microsoftonline.com";
  tenant.tenant = "8d8a8ab6-5d6f-4b61-8b8b-0f6b3c5d1f10";
  tenant.graph_origin = "https://graph.microsoft.com";
  tenant.client_id = "e7e4dbfc-046f-4074-9b3b-2ae8f144f59b";
  tenant.secret = "s3cret~v.a+l/ue";
  return tenant;
}

inline m365::TenantSettings tenant_of_user() {
  m365::TenantSettings tenant = tenant_of_service();
  tenant.sign_in = m365::SignIn::user;
  tenant.secret.clear();
  return tenant;
}

inline ScriptedTransport::Step token_answer(const std::string& token, int life = 3600,
                                            const std::string& refresh_token = "") {
  std::string body = R"({"token_type":"Bearer","access_token":")" + token + R"(","expires_in":)" + std::to_string(life);
  if (!refresh_token.empty()) body += R"(,"refresh_token":")" + refresh_token + "\"";
  return {200, {{"Content-Type", "application/json"}}, body + "}"};
}

/// As Entra refuses (entra-oauth.md, section 9).
inline ScriptedTransport::Step refusal(int status, const std::string& error, int code,
                                       const std::string& words = "Something was refused.") {
  const std::string number = std::to_string(code);
  return {
      status,
      {{"Content-Type", "application/json"}},
      R"({"error":")" + error + R"(","error_description":"AADSTS)" + number + ": " + words +
          R"(\r\nTrace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\nCorrelation ID: aaaa0000-bb11-2222-33cc-444444dddddd)"
          R"(\r\nTimestamp: 2026-01-09 02:02:12Z","error_codes":[)" +
          number +
          R"(],"timestamp":"2026-01-09 02:02:12Z","trace_id":"0000aaaa-11bb-cccc-dd22-eeeeee333333",)"
          R"("correlation_id":"aaaa0000-bb11-2222-33cc-444444dddddd"})"};
}

inline bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != text.npos;
}

}  // namespace support
