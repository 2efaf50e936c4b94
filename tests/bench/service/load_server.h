// The service and its server in one, on a thread whose CPU is measured apart.
#pragma once

#include <filesystem>
#include <string>

#include "service/graph_service.h"
#include "service/https_server.h"

namespace bench {

struct Latency {
  std::chrono::microseconds round_trip{0}, work{0};
};

class LoadServer {
 public:
  LoadServer(const WorldShape& shape, Latency latency, const std::filesystem::path& ca_file)
      : graph(shape, latency.work), server_(ca_file, graph, latency.round_trip) {
    graph.set_port(server_.port());
  }

  std::string origin() const { return "https://127.0.0.1:" + std::to_string(server_.port()); }
  int port() const { return server_.port(); }
  double cpu() const { return server_.cpu(); }
  std::uint64_t handshakes() const { return server_.handshakes(); }
  unsigned most_in_flight() { return server_.most_in_flight(); }

  GraphService graph;

 private:
  HttpsServer server_;  // last: its thread calls graph
};

}  // namespace bench
