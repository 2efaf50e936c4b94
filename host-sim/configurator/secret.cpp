#include "configurator/secret.h"

#include <cstdlib>

#include "base/file.h"

namespace configurator {

namespace {
constexpr std::uint64_t kLargestSecret = 64 * 1024;
}

std::filesystem::path SecretSource::path() const {
  return kind_ == Kind::kFile ? std::filesystem::path(what_) : std::filesystem::path();
}

std::string SecretSource::read() const {
  if (kind_ == Kind::kLiteral) return what_;
  if (kind_ == Kind::kEnvironment) {
    const char* value = std::getenv(what_.c_str());
    if (value == nullptr || *value == '\0') {
      throw SecretError("the environment variable " + what_ + " is not set; set it to the secret before starting");
    }
    return value;
  }
  std::string text;
  try {
    text = base::read_file(what_, kLargestSecret);
  } catch (const base::FileError& error) {
    throw SecretError(std::string(error.what()) + "; put the secret into this file and let this user read it");
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) throw SecretError("the file " + what_ + " is empty; put the secret into it");
  return text;
}

}  // namespace configurator
