// Reads one JSON object of the configuration: every fault is collected with its path and line, nothing stops at the
// first.
#ifndef HOST_SIM_CONFIGURATOR_SECTION_H_
#define HOST_SIM_CONFIGURATOR_SECTION_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "configurator/configuration.h"
#include "configurator/form.h"

namespace configurator {

// Shared by all sections of one file.
struct Findings {
  std::filesystem::path file;
  bool file_readable_by_others = false;
  std::vector<std::string> problems, warnings;

  void problem(std::size_t line, const std::string& path, const std::string& reason);
  void warning(std::size_t line, const std::string& path, const std::string& reason);

 private:
  std::string sentence(std::size_t line, const std::string& path, const std::string& reason) const;
};

class Section {
 public:
  // `object` may be nullptr: then nothing is there and nothing is wrong. `path` is empty for the whole file.
  Section(const base::Json* object, std::string path, Findings& findings);
  // Refuses the keys nobody asked for.
  ~Section();
  Section(const Section&) = delete;
  Section& operator=(const Section&) = delete;

  // Absent and null are the same: nothing given.
  std::optional<std::string> text(const std::string& key);
  std::string required_text(const std::string& key, const std::string& what);
  std::optional<std::int64_t> whole_number(const std::string& key);
  std::optional<bool> on_or_off(const std::string& key);
  const base::Json* object(const std::string& key);
  // Empty when absent or faulty.
  const base::Json::Array& list(const std::string& key);
  // A secret in one of its three forms; its present value goes into `settings` with its source.
  void secret(const std::string& key, Settings& settings);
  // A field of a plugin's form, of whatever type, into `settings`.
  void field(const Field& field, Settings& settings);
  // All fields of the form in this scope.
  void fields(const Form& form, Scope scope, Settings& settings);
  // The key is fine, whatever it holds.
  void accept(const std::string& key) { known_.push_back(key); }
  // Unknown keys cannot be told from known ones (the server type is not known): do not complain.
  void accept_all() { accept_all_ = true; }

  std::string path_of(const std::string& key) const { return path_.empty() ? key : path_ + "." + key; }
  void problem(const std::string& key, const std::string& reason);
  void warning(const std::string& key, const std::string& reason);

 private:
  const base::Json* take(const std::string& key);
  void wrong_type(const std::string& key, const base::Json& value, const std::string& expected);
  std::size_t line_of(const std::string& key) const;

  const base::Json* object_;
  const std::string path_;
  Findings& findings_;
  std::vector<std::string> known_;
  bool accept_all_ = false;
};

}  // namespace configurator

#endif  // HOST_SIM_CONFIGURATOR_SECTION_H_
