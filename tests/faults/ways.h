// The ways to break one exchange. Plain words that both halves of the runner share.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace faults {

enum class Work { none, done, later };

/// What happens to the chosen exchange. One of these for each line of the table in ways.cpp.
struct Way {
  enum class Kind {
    nothing,       ///< the scenario as it is
    refused,       ///< connection refused: nothing reaches the service
    timeout,       ///< the work is done, the answer does not come within the client's patience
    stall,         ///< the answer comes, a minute late
    reset,         ///< the connection is reset instead of an answer
    half,          ///< half of the answer's body, then the connection is cut
    half_closed,   ///< the same, but TLS is closed in order: it looks like an end
    closed,        ///< TLS is closed in order instead of an answer
    garbage,       ///< 200 with something that is no JSON
    status,        ///< another status than the work's
    void_token,    ///< every access token is void from this exchange on
    lost_delta,    ///< 410 to a request that continues a delta series
    inner_status,  ///< a status to one request, also to one inside a batch
  };
  std::string_view name;
  Kind kind = Kind::nothing;
  Work work = Work::none;
  int status = 0;
  bool html = false;                  ///< the body is a gateway's page
  std::string_view retry_after = {};  ///< header, empty: none
  std::string_view series = {};       ///< of lost_delta: what stands in the URL
  bool search_lags = false;           ///< what was stored is not found for `search_lag`
};

inline constexpr std::chrono::seconds search_lag{60};
inline constexpr std::chrono::seconds longest_later{120};  ///< late work is done 1 to so many seconds later

/// All of them, without `nothing`.
const std::vector<Way>& ways();
/// nullptr: no such way.
const Way* find_way(std::string_view name);

/// One fault: `way` at exchange `at`, counted from 1 (of lost_delta and inner_status: of those requests it can hit).
struct Break {
  Way way;
  std::size_t at = 0;
  std::chrono::milliseconds later{0};  ///< of Work::later
  bool stop = false;                   ///< when it has happened both servers are stopped, and started again

  bool armed() const { return way.kind != Way::Kind::nothing; }
  /// On the client's side of the wire; all others are the service's.
  bool at_client() const {
    return way.kind == Way::Kind::refused || way.kind == Way::Kind::timeout || way.kind == Way::Kind::stall;
  }
};

}  // namespace faults
