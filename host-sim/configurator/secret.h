// A secret as the configuration names it, and its present value.
#ifndef HOST_SIM_CONFIGURATOR_SECRET_H_
#define HOST_SIM_CONFIGURATOR_SECRET_H_

#include <filesystem>
#include <stdexcept>
#include <string>

namespace configurator {

// The secret cannot be read: which variable or file, why, what to do. Never holds the secret.
class SecretError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class SecretSource {
 public:
  static SecretSource literal(std::string value) { return SecretSource(Kind::kLiteral, std::move(value)); }
  static SecretSource environment(std::string variable) {
    return SecretSource(Kind::kEnvironment, std::move(variable));
  }
  static SecretSource file(const std::filesystem::path& path) { return SecretSource(Kind::kFile, path.string()); }

  // The present value: the file is read anew each time, for an administrator may have repaired it. Line breaks at the
  // end of a file are not part of the secret. Throws SecretError (also when empty). May be called from any thread.
  std::string read() const;
  bool is_literal() const { return kind_ == Kind::kLiteral; }
  // The file, empty for the other kinds.
  std::filesystem::path path() const;

 private:
  enum class Kind { kLiteral, kEnvironment, kFile };
  SecretSource(Kind kind, std::string what) : kind_(kind), what_(std::move(what)) {}

  Kind kind_;
  std::string what_;
};

}  // namespace configurator

#endif  // HOST_SIM_CONFIGURATOR_SECRET_H_
