// Texts that must not stay in memory: secrets, passwords, tokens.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace mail {

/// Overwrites `size` bytes; the compiler cannot leave it out.
void wipe(void* memory, std::size_t size) noexcept;
/// Overwrites everything that the string has room for, and empties it.
void wipe(std::string& text) noexcept;

/// A text that is overwritten before its memory is given back: at its end, when it is assigned, when it was moved away.
/// Not a std::string, which keeps short texts within itself and leaves copies behind wherever it grows or moves. One
/// thread at a time for writing, as with a string.
class Secret {
 public:
  Secret() = default;
  Secret(std::string_view text);
  Secret(const std::string& text) : Secret(std::string_view(text)) {}
  Secret(const char* text) : Secret(std::string_view(text)) {}
  Secret(const Secret& other) : Secret(other.view()) {}
  Secret(Secret&& other) noexcept;
  Secret& operator=(const Secret& other);
  Secret& operator=(Secret&& other) noexcept;
  ~Secret() { clear(); }

  void clear() noexcept;
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  /// Until the secret changes. Whoever makes a string of it has to wipe that.
  std::string_view view() const { return {bytes_.get(), size_}; }
  operator std::string_view() const { return view(); }

  friend bool operator==(const Secret& a, const Secret& b) { return a.view() == b.view(); }

 private:
  std::unique_ptr<char[]> bytes_;
  std::size_t size_ = 0;
};

/// Wipes a string, of which somebody else made a secret's copy, at the end of a block.
class WipedAtEnd {
 public:
  explicit WipedAtEnd(std::string& text) : text_(text) {}
  ~WipedAtEnd() { wipe(text_); }
  WipedAtEnd(const WipedAtEnd&) = delete;
  WipedAtEnd& operator=(const WipedAtEnd&) = delete;

 private:
  std::string& text_;
};

}  // namespace mail
