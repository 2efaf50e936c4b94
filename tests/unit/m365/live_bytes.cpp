#include "support/live_bytes.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace {

struct Count {
  bool on = false;
  std::ptrdiff_t now = 0, peak = 0;
};
thread_local Count counted;

void* allocate(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory != nullptr && counted.on) {
    counted.now += static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
    counted.peak = std::max(counted.peak, counted.now);
  }
  return memory;
}

void release(void* memory) {
  if (memory != nullptr && counted.on) counted.now -= static_cast<std::ptrdiff_t>(malloc_usable_size(memory));
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
  if (void* const memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void* operator new[](std::size_t size) {
  return operator new(size);
}
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept {
  return allocate(size);
}
void operator delete(void* memory) noexcept {
  release(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}
void operator delete[](void* memory) noexcept {
  release(memory);
}
void operator delete[](void* memory, std::size_t) noexcept {
  release(memory);
}
void operator delete[](void* memory, const std::nothrow_t&) noexcept {
  release(memory);
}

namespace support {

LiveBytes::LiveBytes() {
  counted = {true, 0, 0};
}
LiveBytes::~LiveBytes() {
  counted.on = false;
}
std::ptrdiff_t LiveBytes::now() const {
  return counted.now;
}
std::ptrdiff_t LiveBytes::peak() const {
  return counted.peak;
}

}  // namespace support
