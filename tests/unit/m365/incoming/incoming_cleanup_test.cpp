// Receipts of mails that left the mailbox go after a while, so that the state file does not grow for ever.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/incoming/incoming_rig.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::support_user;

class IncomingCleanupTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingCleanupTest);
  CPPUNIT_TEST(receipts_of_deleted_mails_go_within_days);
  CPPUNIT_TEST(receipts_of_mails_that_stand_elsewhere_stay);
  CPPUNIT_TEST(a_run_of_a_day_reaches_all);
  CPPUNIT_TEST_SUITE_END();

 public:
  void setUp() override {
    rig_.settings.poll = 30min;
    rig_.restart();
  }
  void tearDown() override { rig_.server.reset(); }

  void receipts_of_deleted_mails_go_within_days() {
    const std::vector<std::string> ids = fetch(300);
    for (const std::string& id : ids) rig_.world->remove(support_user, id);
    rig_.pass(24h * 2, 10min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{300}, receipts());  // each was missed once at most
    rig_.pass(24h * 3, 10min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, receipts());
    CPPUNIT_ASSERT_EQUAL(std::size_t{300}, inbox_.count());
  }

  void receipts_of_mails_that_stand_elsewhere_stay() {
    const std::vector<std::string> ids = fetch(30);
    for (const std::string& id : ids) rig_.world->move(support_user, id, "deleteditems");
    rig_.pass(24h * 5, 10min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{30}, receipts());
  }

  void a_run_of_a_day_reaches_all() {
    const std::vector<std::string> ids = fetch(60);
    for (const std::string& id : ids) rig_.world->remove(support_user, id);
    for (int day = 0; day < 4; ++day) {
      rig_.pass(26h, 10min);
      rig_.restart();
      open();
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, receipts());
  }

 private:
  void open() {
    rig_.open(inbox_, {{"after_fetch", "leave"}, {"reconcile_minutes", "720"}});
    rig_.start();
  }

  std::vector<std::string> fetch(std::size_t count) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < count; ++i) ids.push_back(rig_.world->put());
    open();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(count, inbox_.count());
    return ids;
  }

  std::size_t receipts() {
    const auto store = rig_.environment->store();
    const store::StreamId stream = store->stream({rig_.settings.tenant.tenant, "inbox@" + support_user});
    return store->receipts_after(stream, "", 1'000).size();
  }

  Inbox inbox_;
  fake::Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingCleanupTest);

}  // namespace
