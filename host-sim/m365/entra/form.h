// What a request to the token endpoint says, and how it is refused. Private to this folder.
#ifndef HOST_SIM_M365_ENTRA_FORM_H_
#define HOST_SIM_M365_ENTRA_FORM_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "m365/entra/entra.h"

namespace embedded {

constexpr std::string_view kGraphId = "00000003-0000-0000-c000-000000000000";

struct Refusal {
  int status;
  const char* error;
  int code;
  std::string text;
  const char* suberror = "";
};

struct Entra::Form {
  std::vector<std::pair<std::string, std::string>> fields;
  std::string correlation_id;
  bool basic = false;

  const std::string* find(std::string_view name) const {
    for (const auto& field : fields) {
      if (field.first == name && !field.second.empty()) return &field.second;
    }
    return nullptr;
  }
  const std::string& need(const char* name) const {
    if (const std::string* value = find(name)) return *value;
    throw Refusal{400, "invalid_request", 900144,
                  "The request body must contain the following parameter: '" + std::string(name) + "'."};
  }
};

HttpResponse entra_json(int status, const Json& body);
// A GUID or something with a dot that could be a domain (section 10, 900023).
bool is_tenant_name(std::string_view name);

}  // namespace embedded

#endif  // HOST_SIM_M365_ENTRA_FORM_H_
