// How what is not known is written in JSON values: null, never left out.
#ifndef HOST_SIM_RUNTIME_KNOWN_H_
#define HOST_SIM_RUNTIME_KNOWN_H_

#include <string>
#include <utility>

#include "base/json.h"

namespace runtime {

inline base::Json known(std::string text) {
  return text.empty() ? base::Json() : base::Json(std::move(text));
}

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_KNOWN_H_
