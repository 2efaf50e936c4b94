// Microsoft Graph v1.0, the mail part: the way of a request from the wire to a route and back.
#ifndef HOST_SIM_M365_GRAPH_H_
#define HOST_SIM_M365_GRAPH_H_

#include <optional>
#include <string>

#include "m365/graph/call.h"
#include "m365/server/http.h"

namespace embedded {

class Graph {
 public:
  explicit Graph(World& world) : world_(world) {}

  static bool owns(std::string_view path);
  // A request from the wire: a $batch or a single one.
  HttpResponse handle(const HttpRequest& request);

 private:
  HttpResponse handle_one(const HttpRequest& request);
  HttpResponse carry_out(const HttpRequest& request);
  HttpResponse batch(const HttpRequest& request);
  HttpResponse batch_body(const HttpRequest& request);
  std::string inner_response(const HttpRequest& outer, const Json& item, HttpResponse& raw);

  void find_route(Call& call) const;
  void authenticate(Call& call) const;
  void find_owner(Call& call) const;
  void authorise(const Call& call) const;
  bool app_may(const Call& call, const std::string& role) const;
  HttpResponse refusal(const GraphError& error) const;
  void add_standard_headers(const HttpRequest& request, HttpResponse& response) const;

  World& world_;
};

}  // namespace embedded

#endif  // HOST_SIM_M365_GRAPH_H_
