// Secrets leave nothing behind: every piece of memory that is given back is looked at.
#include "mail/secret.h"

#include <cppunit/extensions/HelperMacros.h>
#include <malloc.h>

#include <atomic>
#include <cstdlib>
#include <new>
#include <utility>
#include <vector>

namespace {

// Not as one text in the program, so that only copies are found.
std::string needle() {
  std::string text;
  for (const char c : {'Z', 'q', '8', '~', 'n', 'o', 't', '-', 'a', '-', 'r', 'e', 'a', 'l', '-', 'o', 'n', 'e'})
    text += c;
  return text;
}

std::atomic<bool> watching{false};
std::atomic<int> left_behind{0};

void give_back(void* memory) noexcept {
  if (memory != nullptr && watching) {
    const std::string_view block(static_cast<const char*>(memory), malloc_usable_size(memory));
    if (block.find("not-a-real") != std::string_view::npos) ++left_behind;
  }
  std::free(memory);
}

}  // namespace

// For this program alone. The sanitizers have allocators of their own, which these would stand in front of.
void* operator new(std::size_t size) {
  void* const memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept {
  give_back(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  give_back(memory);
}

class SecretTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SecretTest);
  CPPUNIT_TEST(is_the_text_it_was_made_of);
  CPPUNIT_TEST(leaves_nothing_behind);
  CPPUNIT_TEST(a_string_does);
  CPPUNIT_TEST(wiping_covers_all_the_room);
  CPPUNIT_TEST(an_empty_one_can_be_wiped);
  CPPUNIT_TEST_SUITE_END();

  // What `use` leaves in memory that it gives back.
  template <typename Use>
  static int found_after(Use use) {
    left_behind = 0;
    watching = true;
    use();
    watching = false;
    return left_behind;
  }

 public:
  void is_the_text_it_was_made_of() {
    mail::Secret secret("abc");
    CPPUNIT_ASSERT(secret == "abc");
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, secret.size());
    mail::Secret copy = secret;
    CPPUNIT_ASSERT(copy == secret);
    mail::Secret moved = std::move(copy);
    CPPUNIT_ASSERT(copy.empty() && copy == "");
    copy = moved;
    copy = *&copy;
    CPPUNIT_ASSERT(copy == "abc");
    copy = std::string("");
    CPPUNIT_ASSERT(copy.empty() && !(copy == secret));
    secret.clear();
    CPPUNIT_ASSERT(secret == mail::Secret());
  }

  void leaves_nothing_behind() {
    const std::string text = needle();
    CPPUNIT_ASSERT_EQUAL(0, found_after([&] { const mail::Secret secret(text); }));
    CPPUNIT_ASSERT_EQUAL(0, found_after([&] {
                           mail::Secret secret(text);
                           secret = "other";
                         }));
    CPPUNIT_ASSERT_EQUAL(0, found_after([&] {
                           std::vector<mail::Secret> many;
                           for (int i = 0; i < 10; ++i) many.emplace_back(text);
                           many.erase(many.begin());
                         }));
    CPPUNIT_ASSERT_EQUAL(0, found_after([&] {
                           std::string copy = text;
                           const mail::WipedAtEnd end(copy);
                         }));
  }

  void a_string_does() {  // or the tests above prove nothing
    const std::string text = needle();
    CPPUNIT_ASSERT_EQUAL(1, found_after([&] { const std::string copy = text; }));
  }

  void wiping_covers_all_the_room() {
    std::string text = needle() + needle();
    text.resize(4);
    const char* const room = text.data();
    const std::size_t size = text.capacity();
    mail::wipe(text);
    CPPUNIT_ASSERT(text.empty());
    CPPUNIT_ASSERT_EQUAL(size, text.capacity());
    for (std::size_t i = 0; i < size; ++i) CPPUNIT_ASSERT_EQUAL('\0', room[i]);
  }

  void an_empty_one_can_be_wiped() {
    std::string text;
    mail::wipe(text);
    mail::Secret secret;
    secret.clear();
    mail::wipe(nullptr, 0);
    CPPUNIT_ASSERT(text.empty() && secret.empty() && secret.view().empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SecretTest);
