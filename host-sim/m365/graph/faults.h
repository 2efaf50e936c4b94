// Faults on request: rules that break chosen exchanges in chosen ways.
#ifndef HOST_SIM_M365_FAULTS_H_
#define HOST_SIM_M365_FAULTS_H_

#include <cstddef>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "m365/json.h"
#include "m365/server/http.h"

namespace embedded {

// What a request is to a rule.
struct FaultSubject {
  std::string method, target, operation, mailbox;  // mailbox: its primary address, or empty
};

enum class Work {
  none,  // the request is not carried out
  done,  // carried out, its answer replaced
  later  // carried out after `later_ms`, while the answer goes out at once
};

struct FaultEffect {
  int status = 0;             // 0: the answer of the work itself
  std::string code, message;  // of the error body
  std::string retry_after;    // text as given: integer, decimal or date
  std::string location;
  Work work = Work::none;
  int delay_ms = 0;  // before anything else
  int later_ms = 0;
  enum class Cut { no, before, after } cut = Cut::no;
  enum class Body { whole, half, garbage, html, empty } body = Body::whole;
  bool clean_close = false;  // of a half body, or of a cut: with close_notify
};

class Faults {
 public:
  // Adds rules; throws JsonError or std::runtime_error with the place and the reason. `rules` is one object or an
  // array.
  void add(const Json& rules);
  void clear();
  Json report() const;  // the rules and how often each met and hit
  // The effect of the first rule that hits; counts as it goes.
  std::optional<FaultEffect> match(const FaultSubject& subject);

 private:
  struct Rule {
    Json source;
    std::string method, operation, mailbox;
    std::optional<std::regex> path;
    std::size_t nth = 0, every = 0;  // 0: not asked for; both 0: each one
    std::size_t count = 0;           // at most so often; 0: no end
    FaultEffect effect;
    std::size_t met = 0, hit = 0;
  };
  static Rule parse(const Json& source);

  mutable std::mutex mutex_;
  std::vector<Rule> rules_;  // guarded by mutex_
};

// How an exchange ends that is cut.
Departure departure_of_cut(const FaultEffect& effect);
// Bends the answer as the effect says (status, body, cut); delays and work are the caller's.
void apply_fault(const FaultEffect& effect, HttpResponse& response);

}  // namespace embedded

#endif  // HOST_SIM_M365_FAULTS_H_
