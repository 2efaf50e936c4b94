// Command line options.
#ifndef HOST_SIM_BASE_OPTIONS_H_
#define HOST_SIM_BASE_OPTIONS_H_

#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace base {

// Wrong usage: which option, what would be right.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct OptionSpec {
  std::string name;   // "--config"
  std::string value;  // "FILE"; empty: a switch without a value
  std::string help;
  bool required = false;
  bool repeatable = false;
  std::string short_name = {};  // "-o" or empty
};

struct CommandSpec {
  std::string name;
  std::string arguments;  // as the usage line shows them: "[show ID | export ID]"
  std::string summary;    // one line
  std::string details;    // for --help, may be empty
  std::vector<OptionSpec> options;
  std::size_t most_positionals = 0;
};

class Options {
 public:
  // Throws UsageError: unknown option (the nearest known one named), value missing, given twice, required one missing,
  // too many words. "--name=value" and "--name value" are the same; "--" ends the options.
  static Options parse(const std::vector<std::string>& arguments, const CommandSpec& spec);

  bool has(const std::string& name) const { return values_.count(name) > 0; }
  std::optional<std::string> value(const std::string& name) const;
  std::vector<std::string> values(const std::string& name) const;
  // A whole number between `least` and `most`. Throws UsageError.
  std::optional<std::int64_t> number(const std::string& name, std::int64_t least, std::int64_t most) const;
  const std::vector<std::string>& positionals() const { return positionals_; }

 private:
  std::map<std::string, std::vector<std::string>> values_;
  std::vector<std::string> positionals_;
};

// The text of --help.
std::string help_of(const CommandSpec& spec, const std::string& program);

}  // namespace base

#endif  // HOST_SIM_BASE_OPTIONS_H_
