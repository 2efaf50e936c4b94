#include "mail/random.h"

#include <mutex>
#include <random>

namespace mail {
namespace {

class SystemRandom final : public Random {
 public:
  std::uint64_t below(std::uint64_t bound) override {
    const std::lock_guard lock(mutex_);
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(device_);
  }

 private:
  std::mutex mutex_;
  std::random_device device_;
};

}  // namespace

std::string Random::uuid() {
  static constexpr char digits[] = "0123456789abcdef";
  std::string text = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";  // RFC 9562, section 5.4
  for (char& c : text) {
    if (c == 'x') c = digits[below(16)];
    if (c == 'y') c = digits[8 + below(4)];
  }
  return text;
}

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace mail
