#include "ways.h"

#include <algorithm>
#include <list>
#include <string>
#include <utility>

namespace faults {

const std::vector<Way>& ways() {
  using Kind = Way::Kind;
  static const std::vector<Way> all = [] {
    std::vector<Way> table = {
        {"refused", Kind::refused},
        {"reset-before", Kind::reset},
        {"reset-after", Kind::reset, Work::done},
        {"reset-later", Kind::reset, Work::later},
        {"reset-after-lag", Kind::reset, Work::done, 0, false, {}, {}, true},
        {"reset-later-lag", Kind::reset, Work::later, 0, false, {}, {}, true},
        {"half", Kind::half, Work::done},
        {"tls-half", Kind::half_closed, Work::done},
        {"tls-close-before", Kind::closed},
        {"tls-close", Kind::closed, Work::done},
        {"tls-close-later", Kind::closed, Work::later},
        {"garbage", Kind::garbage, Work::done},
        {"429", Kind::status, Work::none, 429},
        {"429-after", Kind::status, Work::none, 429, false, "120"},
        {"401", Kind::void_token, Work::done},
        {"410-next", Kind::lost_delta, Work::none, 410, false, {}, "skiptoken"},
        {"410-delta", Kind::lost_delta, Work::none, 410, false, {}, "deltatoken"},
        {"stall", Kind::stall, Work::done},
        {"timeout", Kind::timeout, Work::done},
        {"inner-429-after", Kind::inner_status, Work::none, 429, false, "30"},
        {"inner-500", Kind::inner_status, Work::none, 500},
        {"inner-503-done", Kind::inner_status, Work::done, 503},
        {"inner-504-later", Kind::inner_status, Work::later, 504},
        // As Graph itself says it, beside the gateways' pages below.
        {"500-json", Kind::status, Work::none, 500},
        {"503-json", Kind::status, Work::none, 503},
        {"503-json-done", Kind::status, Work::done, 503},
        {"504-json-later", Kind::status, Work::later, 504},
    };
    static std::list<std::string> names;  // a Way has only views of them
    for (const int status : {500, 502, 503, 504}) {
      const std::string name = std::to_string(status);
      for (const auto& [suffix, work] :
           {std::pair{"", Work::none}, std::pair{"-done", Work::done}, std::pair{"-later", Work::later}}) {
        table.push_back({names.emplace_back(name + suffix), Kind::status, work, status, true});
        if (work == Work::none) continue;  // nothing is there to be found
        table.push_back({names.emplace_back(name + suffix + "-lag"), Kind::status, work, status, true, {}, {}, true});
      }
    }
    return table;
  }();
  return all;
}

const Way* find_way(std::string_view name) {
  const auto found = std::find_if(ways().begin(), ways().end(), [&](const Way& way) { return way.name == name; });
  return found == ways().end() ? nullptr : &*found;
}

}  // namespace faults
