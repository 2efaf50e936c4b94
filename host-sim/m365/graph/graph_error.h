// A refusal of Graph, thrown by whatever notices it and turned into the documented JSON in one place.
#ifndef HOST_SIM_M365_GRAPH_ERROR_H_
#define HOST_SIM_M365_GRAPH_ERROR_H_

#include <stdexcept>
#include <string>
#include <utility>

namespace embedded {

struct GraphError : std::runtime_error {
  GraphError(int http_status, std::string error_code, const std::string& message, std::string wait = {})
      : std::runtime_error(message), status(http_status), code(std::move(error_code)), retry_after(std::move(wait)) {}

  int status;
  std::string code;
  std::string retry_after;  // text of the header; empty: none
};

inline GraphError bad_request(const std::string& message) {
  return {400, "BadRequest", message};
}
inline GraphError item_not_found() {
  return {404, "ErrorItemNotFound", "The specified object was not found in the store."};
}
inline GraphError malformed_id() {
  return {400, "ErrorInvalidIdMalformed", "Id is malformed."};
}
inline GraphError access_denied() {
  return {403, "ErrorAccessDenied", "Access is denied. Check credentials and try again."};
}

}  // namespace embedded

#endif  // HOST_SIM_M365_GRAPH_ERROR_H_
