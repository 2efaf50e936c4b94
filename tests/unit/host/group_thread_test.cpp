#include "runtime/group_thread.h"

#include <atomic>
#include <future>
#include <memory>

#include "host/support.h"

namespace {

using Items = std::vector<std::unique_ptr<int>>;
using runtime::GroupThread;

class GroupThreadTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(GroupThreadTest);
  CPPUNIT_TEST(what_comes_meanwhile_is_the_next_group);
  CPPUNIT_TEST(who_would_add_too_much_waits);
  CPPUNIT_TEST(the_end_does_what_waits_and_takes_no_more);
  CPPUNIT_TEST_SUITE_END();

  static constexpr std::chrono::hours never{24};

  void what_comes_meanwhile_is_the_next_group() {
    std::promise<void> began, go_on;
    std::vector<std::vector<int>> groups;
    GroupThread<std::unique_ptr<int>> thread(
        [&](Items& group) {
          auto& seen = groups.emplace_back();
          for (const auto& item : group) seen.push_back(*item);
          if (groups.size() > 1) return;
          began.set_value();
          go_on.get_future().wait();
        },
        {2, never, 1000});
    for (int i = 0; i < 2; ++i) CPPUNIT_ASSERT(thread.add(std::make_unique<int>(i), 1));
    began.get_future().wait();
    for (int i = 2; i < 6; ++i) CPPUNIT_ASSERT(thread.add(std::make_unique<int>(i), 1));
    go_on.set_value();
    thread.end();
    CPPUNIT_ASSERT((groups == std::vector<std::vector<int>>{{0, 1}, {2, 3, 4, 5}}));
  }

  void who_would_add_too_much_waits() {
    std::promise<void> began, go_on;
    std::shared_future<void> gone(go_on.get_future());
    std::atomic<int> done{0};
    GroupThread<std::unique_ptr<int>> thread(
        [&](Items& group) {
          if (done == 0) began.set_value();
          gone.wait();
          done += static_cast<int>(group.size());
        },
        {1, never, 100});
    thread.add(std::make_unique<int>(0), 1);
    began.get_future().wait();
    thread.add(std::make_unique<int>(1), 1000);  // nothing waits: however heavy, it must go in
    std::atomic<bool> added{false};
    std::thread other([&] {
      thread.add(std::make_unique<int>(2), 1);
      added = true;
    });
    CPPUNIT_ASSERT(!added);  // it has no room until the first group is done
    go_on.set_value();
    other.join();
    thread.end();
    CPPUNIT_ASSERT_EQUAL(3, done.load());
  }

  void the_end_does_what_waits_and_takes_no_more() {
    int done = 0;
    GroupThread<std::unique_ptr<int>> thread([&](Items& group) { done += static_cast<int>(group.size()); },
                                             {100, never, 1000});
    for (int i = 0; i < 3; ++i) CPPUNIT_ASSERT(thread.add(std::make_unique<int>(i), 1));
    thread.end();
    CPPUNIT_ASSERT_EQUAL(3, done);
    auto late = std::make_unique<int>(7);
    CPPUNIT_ASSERT(!thread.add(std::move(late), 1));
    CPPUNIT_ASSERT_EQUAL(7, *late);
    thread.end();
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(GroupThreadTest);

}  // namespace
