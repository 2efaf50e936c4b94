// Structs as hosts of other versions hand them over.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>

namespace conformance {

/// A struct of `size` bytes, as its struct_size says, in memory of just that size: whoever looks beyond is seen by the
/// address sanitizer. What a later version appended is garbage.
template <typename T>
class Sized {
 public:
  Sized(const T& value, std::size_t size) : bytes_(new unsigned char[std::max(size, sizeof(std::uint32_t))]) {
    std::memset(bytes_.get(), 0x5a, std::max(size, sizeof(std::uint32_t)));
    std::memcpy(bytes_.get(), &value, std::min(size, sizeof value));
    const auto told = static_cast<std::uint32_t>(size);
    std::memcpy(bytes_.get(), &told, sizeof told);  // every struct opens with it
  }
  T* get() { return reinterpret_cast<T*>(bytes_.get()); }
  T* operator->() { return get(); }

 private:
  std::unique_ptr<unsigned char[]> bytes_;
};

template <typename T>
Sized<T> of_the_future(const T& value) {
  return Sized<T>(value, sizeof(T) + 64);
}

/// Every size a struct could have that is less than `enough`.
template <typename T, typename Try>
void each_smaller(const T& value, std::size_t enough, Try attempt) {
  for (std::size_t size = 0; size < enough; size += 4) attempt(Sized<T>(value, size));
}

}  // namespace conformance
