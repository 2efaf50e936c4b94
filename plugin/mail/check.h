// What a look at the real service found: settings proved without touching a mail.
#pragma once

#include <cstdint>
#include <string>

#include "mail/fault.h"

namespace mail {

struct Finding {
  /// Values are those of MAILPLUGIN_FINDING_*; boundary/ asserts it.
  enum class Result : std::uint32_t { passed = 1, warning, failed, unknown } result = Result::failed;
  std::string step;           ///< a few words: "sign in", "folder"
  std::string text;           ///< for an administrator
  Cause cause = Cause::none;  ///< of a warning or failure
  std::string code, request_id;
};

class Findings {
 public:
  virtual ~Findings() = default;
  /// On the thread that called for the check.
  virtual void add(const Finding& finding) = 0;
};

}  // namespace mail
