#include "ways.h"

#include <algorithm>

namespace faults {

const std::vector<Way>& ways() {
  using Kind = Way::Kind;
  static const std::vector<Way> all = {
      {"refused", Kind::refused},
      {"reset-before", Kind::reset},
      {"reset-after", Kind::reset, Work::done},
      {"reset-later", Kind::reset, Work::later},
      {"half", Kind::half, Work::done},
      {"tls-close", Kind::half_closed, Work::done},
      {"garbage", Kind::garbage, Work::done},
      {"500", Kind::status, Work::none, 500},
      {"500-done", Kind::status, Work::done, 500},
      {"500-later", Kind::status, Work::later, 500},
      {"502-html", Kind::status, Work::none, 502, true},
      {"502-html-done", Kind::status, Work::done, 502, true},
      {"502-html-later", Kind::status, Work::later, 502, true},
      {"503", Kind::status, Work::none, 503},
      {"503-done", Kind::status, Work::done, 503},
      {"503-later", Kind::status, Work::later, 503},
      {"504", Kind::status, Work::none, 504},
      {"504-done", Kind::status, Work::done, 504},
      {"504-later", Kind::status, Work::later, 504},
      {"504-done-lag", Kind::status, Work::done, 504, false, {}, {}, true},
      {"504-later-lag", Kind::status, Work::later, 504, false, {}, {}, true},
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
  };
  return all;
}

const Way* find_way(std::string_view name) {
  const auto found = std::find_if(ways().begin(), ways().end(), [&](const Way& way) { return way.name == name; });
  return found == ways().end() ? nullptr : &*found;
}

}  // namespace faults
