// HTTPS to the embedded Microsoft 365, for the demo: what a customer's mail program and a person at the service do.
#ifndef HOST_SIM_COMMANDS_WEB_CLIENT_H_
#define HOST_SIM_COMMANDS_WEB_CLIENT_H_

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/json.h"

namespace commands {

class WebClient {
 public:
  // Trusts the certificates of this file and no others.
  explicit WebClient(const std::filesystem::path& ca_file);
  ~WebClient();

  struct Answer {
    int status = 0;
    std::string body;
  };
  // One request on a connection of its own. Throws std::runtime_error when there is no answer.
  Answer ask(const std::string& method, const std::string& url, const std::map<std::string, std::string>& headers,
             const std::string& body);

  // JSON both ways; null for an empty answer. Throws std::runtime_error unless the status is 2xx.
  base::Json json(const std::string& method, const std::string& url, const base::Json& body = nullptr);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace commands

#endif  // HOST_SIM_COMMANDS_WEB_CLIENT_H_
