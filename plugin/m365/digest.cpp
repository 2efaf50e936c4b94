#include "m365/digest.h"

#include <openssl/evp.h>

#include <stdexcept>

namespace m365 {

std::string digest(std::string_view text) {
  std::string value(EVP_MAX_MD_SIZE, '\0');
  std::size_t size = 0;
  if (EVP_Q_digest(nullptr, "SHA256", nullptr, text.data(), text.size(), reinterpret_cast<unsigned char*>(value.data()),
                   &size) != 1) {
    throw std::runtime_error("OpenSSL has no SHA-256");
  }
  value.resize(size);
  return value;
}

}  // namespace m365
