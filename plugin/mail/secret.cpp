#include "mail/secret.h"

#include <cstring>
#include <utility>

namespace mail {

void wipe(void* memory, std::size_t size) noexcept {
  // Through a pointer that might change: else a write to memory that nobody reads again would be left out.
  static void* (*const volatile set)(void*, int, std::size_t) = &std::memset;
  if (size > 0) set(memory, 0, size);
}

void wipe(std::string& text) noexcept {
  text.resize(text.capacity());  // within its room: nothing is allocated
  wipe(text.data(), text.size());
  text.clear();
}

Secret::Secret(std::string_view text) : bytes_(text.empty() ? nullptr : new char[text.size()]), size_(text.size()) {
  if (!text.empty()) std::memcpy(bytes_.get(), text.data(), text.size());
}

Secret::Secret(Secret&& other) noexcept : bytes_(std::move(other.bytes_)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(const Secret& other) {
  if (this != &other) *this = Secret(other);
  return *this;
}

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  clear();
  bytes_ = std::move(other.bytes_);
  size_ = std::exchange(other.size_, 0);
  return *this;
}

void Secret::clear() noexcept {
  wipe(bytes_.get(), size_);
  bytes_.reset();
  size_ = 0;
}

}  // namespace mail
