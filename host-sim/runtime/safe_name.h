// File names for what mails brought. The name in a mail is data: it may say anything.
#ifndef HOST_SIM_RUNTIME_SAFE_NAME_H_
#define HOST_SIM_RUNTIME_SAFE_NAME_H_

#include <set>
#include <string>
#include <string_view>

namespace runtime {

// A name that is safe as a file in a folder on any system: the last part of a path only, no control characters, no
// bidirectional overrides (which let "fdp.exe" show as "exe.pdf"), none of <>:"/\|?*, no device name (CON, NUL, COM1),
// no leading or trailing dots and blanks, at most 200 bytes with its ending kept. `fallback` when nothing is left.
std::string safe_name(std::string_view name, std::string_view fallback);

// Gives each name once in a folder; names are compared without case, as Windows and macOS do.
class UniqueNames {
 public:
  // `name`, or "name (2).ending", ...
  std::string take(const std::string& name);

 private:
  std::set<std::string> taken_;
};

}  // namespace runtime

#endif  // HOST_SIM_RUNTIME_SAFE_NAME_H_
