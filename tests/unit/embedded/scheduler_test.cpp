// Work that happens later, the faults' and transport's, by the service's clock.
#include "m365/server/scheduler.h"

#include <cppunit/extensions/HelperMacros.h>

#include <future>

#include "m365/mime/text.h"
#include "m365/world/synthetic.h"
#include "simulated.h"

namespace embedded {

class SchedulerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SchedulerTest);
  CPPUNIT_TEST(work_follows_the_clock);
  CPPUNIT_TEST(work_that_is_not_due_is_dropped);
  CPPUNIT_TEST(a_late_send_arrives);
  CPPUNIT_TEST(a_flood_has_mails_of_their_own);
  CPPUNIT_TEST_SUITE_END();

 public:
  void work_follows_the_clock() {
    Clock clock;
    Scheduler scheduler(clock);
    std::promise<void> first, second;
    std::atomic<bool> early{false};
    scheduler.after(std::chrono::hours(2), [&] { second.set_value(); });
    scheduler.after(std::chrono::hours(1), [&] { first.set_value(); });
    scheduler.after(std::chrono::hours(24), [&] { early = true; });
    clock.advance(std::chrono::hours(3));
    scheduler.look_again();
    first.get_future().get();
    second.get_future().get();
    CPPUNIT_ASSERT(!early);
  }

  void work_that_is_not_due_is_dropped() {
    Clock clock;
    bool ran = false;
    {
      Scheduler scheduler(clock);
      scheduler.after(std::chrono::hours(1), [&] { ran = true; });
      scheduler.stop();
      scheduler.stop();
    }
    CPPUNIT_ASSERT(!ran);
  }

  void a_late_send_arrives() {
    testing::Simulated s;
    s.world.faults.add(parse_json(R"({"match":{"operation":"sendMail"},"effect":{"work_done_ms_later":60000}})"));
    CPPUNIT_ASSERT_EQUAL(
        504, s.ask("POST", "/users/support@contoso.example/sendMail",
                   R"({"message":{"toRecipients":[{"emailAddress":{"address":"customer@fabrikam.example"}}]}})")
                 .status);
    s.world.clock.advance(std::chrono::minutes(2));
    s.world.scheduler.look_again();
    // Work runs in order: once this has run, the send has.
    std::promise<void> done;
    s.world.scheduler.after(Milliseconds(0), [&] { done.set_value(); });
    done.get_future().get();
    auto& mailbox = s.mailbox("customer@fabrikam.example");
    const auto lock = mailbox.lock();
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, mailbox.well_known("inbox")->by_received.size());
  }

  void a_flood_has_mails_of_their_own() {
    FloodOptions options;
    options.count = 3;
    options.size = 2000;
    options.attachment_size = 100;
    options.subject = "Load";
    options.to = "support@contoso.example";
    options.first = parse_rfc3339("2026-01-01T00:00:00Z").value();
    FloodMaker maker(options);
    const Message first = maker.next();
    const Message second = maker.next();
    CPPUNIT_ASSERT(first.internet_message_id != second.internet_message_id);
    CPPUNIT_ASSERT(first.from->address != second.from->address);
    CPPUNIT_ASSERT(first.received < second.received);
    CPPUNIT_ASSERT(first.mime->find(first.internet_message_id) != std::string::npos);
    CPPUNIT_ASSERT(first.html->size() >= 2000);
    CPPUNIT_ASSERT_EQUAL(std::size_t{100}, first.attachments.at(0).size());
    CPPUNIT_ASSERT(with_numbered_message_id("Subject: a\r\n\r\n", 2).find("Message-ID: <2.") == 0);
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(SchedulerTest);

}  // namespace embedded
