#include "store/hash.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <stdexcept>

namespace store {
namespace {

constexpr std::size_t sha256_size = 32;
constexpr std::size_t salt_size = 16;

const unsigned char* unsigned_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* unsigned_bytes(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// Looking the algorithm up and making a context costs several times what hashing a short text does. Any thread.
class Sha256 {
 public:
  Hash128 hash(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    {
      const std::lock_guard lock(mutex_);
      if (algorithm_ == nullptr || context_ == nullptr || EVP_DigestInit_ex2(context_, algorithm_, nullptr) != 1 ||
          EVP_DigestUpdate(context_, text.data(), text.size()) != 1 ||
          EVP_DigestFinal_ex(context_, digest.data(), nullptr) != 1) {
        throw std::runtime_error("SHA-256 is not to be had from OpenSSL");
      }
    }
    Hash128 hash{};
    std::copy_n(digest.begin(), hash.size(), hash.begin());
    return hash;
  }

 private:
  const EVP_MD* const algorithm_ = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  std::mutex mutex_;
  EVP_MD_CTX* const context_ = EVP_MD_CTX_new();  // guarded by mutex_
};

// Each part with its length, so that no two fingerprints run together into one text.
void append(std::string& text, std::string_view part) {
  text += std::to_string(part.size());
  text += ':';
  text += part;
}

constexpr int seconds_bits = 40;
constexpr std::uint64_t all_seconds = (std::uint64_t{1} << seconds_bits) - 1;

// A hash that is only to keep mailboxes apart (FNV-1a), above the seconds; the highest bit but the sign, so that it is
// never 0.
std::uint64_t near_base(std::string_view mailbox) {
  std::uint32_t hash = 2'166'136'261u;
  for (const char c : lower_case(mailbox)) hash = (hash ^ static_cast<unsigned char>(c)) * 16'777'619u;
  return std::uint64_t{(hash & 0x3fffff) | 0x400000} << seconds_bits;
}

}  // namespace

Hash128 hash_of(std::string_view text) {
  // For the life of the process, and never freed, because OpenSSL may be gone before our statics are.
  static Sha256& sha256 = *new Sha256;
  return sha256.hash(text);
}

bool comparable(const Fingerprint& fingerprint) {
  return !fingerprint.internet_message_id.empty() && fingerprint.received != WallTime{};
}

Hash128 likeness_of(const Fingerprint& fingerprint) {
  std::string text;
  append(text, lower_case(fingerprint.mailbox));
  append(text, fingerprint.internet_message_id);
  append(text, std::to_string(fingerprint.received.time_since_epoch().count()));
  append(text, lower_case(fingerprint.from));
  return hash_of(text);
}

std::int64_t near_of(const Fingerprint& fingerprint) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(fingerprint.received.time_since_epoch()).count();
  return static_cast<std::int64_t>(near_base(fingerprint.mailbox) |
                                   (static_cast<std::uint64_t>(seconds) & all_seconds));
}

std::pair<std::int64_t, std::int64_t> near_range(std::string_view mailbox) {
  const std::uint64_t base = near_base(mailbox);
  return {static_cast<std::int64_t>(base), static_cast<std::int64_t>(base | all_seconds)};
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string slow_hash(std::string_view password, std::string_view salt, int iterations) {
  std::string hash(sha256_size, '\0');
  if (PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()), unsigned_bytes(salt),
                        static_cast<int>(salt.size()), iterations, EVP_sha256(), static_cast<int>(hash.size()),
                        unsigned_bytes(hash)) != 1) {
    throw std::runtime_error("PBKDF2 is not to be had from OpenSSL");
  }
  return hash;
}

std::string new_salt() {
  std::string salt(salt_size, '\0');
  if (RAND_bytes(unsigned_bytes(salt), static_cast<int>(salt.size())) != 1)
    throw std::runtime_error("random bytes are not to be had from OpenSSL");
  return salt;
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace store
