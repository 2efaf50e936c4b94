#include "mail/random.h"

#include <cppunit/extensions/HelperMacros.h>

#include <array>
#include <cstdint>
#include <regex>
#include <set>
#include <string>

#include "support/fixed_random.h"

class RandomTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(RandomTest);
  CPPUNIT_TEST(stays_below_its_bound_and_reaches_all_of_it);
  CPPUNIT_TEST(is_not_the_same_each_time);
  CPPUNIT_TEST(uuids_are_of_version_4_and_lower_case);
  CPPUNIT_TEST(uuids_reach_every_digit_at_every_place);
  CPPUNIT_TEST_SUITE_END();

 public:
  void stays_below_its_bound_and_reaches_all_of_it() {
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 1'000; ++i) seen.insert(mail::system_random().below(4));
    CPPUNIT_ASSERT((std::set<std::uint64_t>{0, 1, 2, 3}) == seen);
    CPPUNIT_ASSERT_EQUAL(std::uint64_t{0}, mail::system_random().below(1));
  }

  void is_not_the_same_each_time() {
    mail::Random& random = mail::system_random();
    CPPUNIT_ASSERT(random.below(UINT64_MAX) != random.below(UINT64_MAX));
    CPPUNIT_ASSERT(random.uuid() != random.uuid());
  }

  void uuids_are_of_version_4_and_lower_case() {
    const std::regex version_4("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}");
    support::FixedRandom random;
    for (int i = 0; i < 100; ++i) {
      const std::string uuid = random.uuid();
      CPPUNIT_ASSERT_MESSAGE(uuid, std::regex_match(uuid, version_4));
    }
    random.always(0);
    CPPUNIT_ASSERT_EQUAL(std::string("00000000-0000-4000-8000-000000000000"), random.uuid());
    random.always(UINT64_MAX);
    CPPUNIT_ASSERT_EQUAL(std::string("ffffffff-ffff-4fff-bfff-ffffffffffff"), random.uuid());
  }

  void uuids_reach_every_digit_at_every_place() {
    support::FixedRandom random;
    std::array<std::set<char>, 36> seen;
    for (int i = 0; i < 500; ++i) {
      const std::string uuid = random.uuid();
      for (std::size_t at = 0; at < seen.size(); ++at) seen[at].insert(uuid[at]);
    }
    for (std::size_t at = 0; at < seen.size(); ++at) {
      const std::size_t want = at == 8 || at == 13 || at == 18 || at == 23 || at == 14 ? 1u : at == 19 ? 4u : 16u;
      CPPUNIT_ASSERT_EQUAL_MESSAGE("place " + std::to_string(at), want, seen[at].size());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(RandomTest);
