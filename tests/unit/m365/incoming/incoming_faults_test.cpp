// When the service, the disk or a mail is at fault.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <set>

#include "m365/incoming/incoming_rig.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::Reply;
using fake::Rig;
using fake::support_user;
using mail::Cause;
using mail::State;
using mail::Verdict;

const char* const scanning =
    R"({"@odata.type":"#microsoft.graph.fileAttachment","id":"a1","name":"ATP Scan In Progress.txt","contentType":"text/plain","size":10,"isInline":false})";
const char* const scanned =
    R"({"@odata.type":"#microsoft.graph.fileAttachment","id":"a2","name":"invoice.pdf","contentType":"application/pdf","size":4000,"isInline":false})";

class IncomingFaultsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingFaultsTest);
  CPPUNIT_TEST(every_exchange_broken_once);
  CPPUNIT_TEST(an_outage_of_an_hour);
  CPPUNIT_TEST(throttled_mailbox_waits_as_long_as_asked);
  CPPUNIT_TEST(a_403_after_success_is_degraded_for_half_an_hour);
  CPPUNIT_TEST(a_403_at_first_is_failed);
  CPPUNIT_TEST(a_mailbox_that_comes_back);
  CPPUNIT_TEST(a_mailbox_that_is_made_anew);
  CPPUNIT_TEST(no_receipt_no_delivery);
  CPPUNIT_TEST(a_verdict_the_disk_did_not_take_is_kept);
  CPPUNIT_TEST(a_mail_under_scan_waits);
  CPPUNIT_TEST(scanned_too_long_it_is_handed_over_and_replaced_later);
  CPPUNIT_TEST(a_quarantined_mail_is_dropped);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  // Three pages' worth of a scenario; exchange n breaks, for every n, in every way. Nothing lost, nothing twice.
  void every_exchange_broken_once() {
    const std::vector<std::function<std::optional<Reply>(fake::World&, const m365::GraphRequest&)>> ways{
        [](fake::World&, const m365::GraphRequest&) { return fake::error(500, "UnknownError"); },
        [](fake::World&, const m365::GraphRequest&) { return fake::error(429, "TooManyRequests"); },
        [](fake::World&, const m365::GraphRequest&) {
          return Reply{200, "<html>gateway</html>", {}};
        },
        [](fake::World&, const m365::GraphRequest&) {
          return Reply{200, "{\"value\":[{\"id\":\"AAk", {}};
        },
        [](fake::World&, const m365::GraphRequest& request) {
          return request.operation == "read the changes of the folder" ? fake::error(410, "SyncStateNotFound")
                                                                       : fake::error(503, "ErrorServerBusy");
        },
        // Done all the same, and the answer lost.
        [](fake::World& world, const m365::GraphRequest& request) {
          world.answer(request);
          return fake::error(504, "UnknownError");
        },
    };
    for (std::size_t way = 0; way < ways.size(); ++way) {
      for (std::size_t broken = 1;; ++broken) {
        if (!breaks(ways[way], broken, "way " + std::to_string(way) + ", exchange " + std::to_string(broken))) break;
      }
    }
  }

  void an_outage_of_an_hour() {
    for (int i = 0; i < 40; ++i) rig_.world->put();
    const mail::MailboxId box = run();
    fail_all(503, "ServiceUnavailable");
    for (int i = 0; i < 40; ++i) rig_.world->put();
    rig_.pass(60min, 10s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{40}, inbox_.count());
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::degraded);
    CPPUNIT_ASSERT(rig_.watcher.health(box).last_success != mail::WallTime{});
    CPPUNIT_ASSERT(rig_.watcher.health(box).retry_after > 0ms);
    rig_.world->set_intercept(nullptr);
    rig_.until(
        "over", [&] { return inbox_.idles() == 2; }, 1s, 7min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{80}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{80}, rig_.world->in_folder(support_user, "inbox").size());
    CPPUNIT_ASSERT(!rig_.world->folder_named(support_user, "Rejected").has_value());
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::ready);
  }

  void throttled_mailbox_waits_as_long_as_asked() {
    const mail::MailboxId box = run();
    rig_.world->set_intercept([](const m365::GraphRequest&) -> std::optional<Reply> {
      Reply reply = fake::error(429, "ApplicationThrottled");
      reply.headers.add("Retry-After", "400.5");
      return reply;
    });
    rig_.until("throttled", [&] { return rig_.watcher.health(box).cause == Cause::throttled; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::degraded);
    const std::size_t asked = rig_.world->count("read the changes of the folder");
    rig_.pass(390s, 1s);
    CPPUNIT_ASSERT_EQUAL(asked, rig_.world->count("read the changes of the folder"));
    rig_.world->set_intercept(nullptr);
    rig_.until("goes on", [&] { return rig_.watcher.health(box).state == State::ready; });
  }

  void a_403_after_success_is_degraded_for_half_an_hour() {
    const mail::MailboxId box = run();
    fail_all(403, "ErrorAccessDenied");
    rig_.until("forbidden", [&] { return rig_.watcher.health(box).cause == Cause::mailbox_forbidden; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::degraded);
    rig_.pass(20min, 5s);
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::degraded);
    rig_.until(
        "failed", [&] { return rig_.watcher.health(box).state == State::failed; }, 5s, 20min);
    rig_.world->set_intercept(nullptr);
    rig_.until(
        "ready", [&] { return rig_.watcher.health(box).state == State::ready; }, 1s, 7min);
  }

  void a_403_at_first_is_failed() {
    fail_all(403, "ErrorAccessDenied");
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until("failed", [&] { return rig_.watcher.health(box).state == State::failed; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).cause == Cause::mailbox_forbidden);
    CPPUNIT_ASSERT_EQUAL(std::string("ErrorAccessDenied"), rig_.watcher.health(box).code);
    CPPUNIT_ASSERT_EQUAL(std::string("req-1"), rig_.watcher.health(box).request_id);
  }

  void a_mailbox_that_comes_back() {
    rig_.world->put();
    const mail::MailboxId box = run();
    fail_all(404, "ErrorInvalidUser");
    rig_.until("unknown", [&] { return rig_.watcher.health(box).cause == Cause::mailbox_unknown; });
    rig_.world->put();
    rig_.pass(30min, 5s);
    rig_.world->set_intercept(nullptr);
    rig_.until(
        "again", [&] { return inbox_.count() == 2; }, 1s, 7min);
    rig_.pass(20min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
  }

  // Deleted, and made anew under its name: what links named is gone for ever, the address is not.
  void a_mailbox_that_is_made_anew() {
    rig_.world->put();
    const mail::MailboxId box = run();
    bool gone = true;
    rig_.world->set_intercept([&gone](const m365::GraphRequest& request) -> std::optional<Reply> {
      const bool by_link = request.path.find("$token=") != std::string::npos;
      return gone || by_link ? std::optional(fake::error(404, "ErrorInvalidUser")) : std::nullopt;
    });
    rig_.until("unknown", [&] { return rig_.watcher.health(box).cause == Cause::mailbox_unknown; });
    rig_.pass(5min, 5s);
    CPPUNIT_ASSERT(rig_.watcher.health(box).cause == Cause::mailbox_unknown);
    gone = false;
    rig_.world->put();
    rig_.until(
        "again", [&] { return inbox_.count() == 2; }, 1s, 7min);
    rig_.world->set_intercept(nullptr);
    rig_.until(
        "well", [&] { return rig_.watcher.health(box).state == State::ready; }, 1s, 30min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
  }

  void no_receipt_no_delivery() {
    const mail::MailboxId box = run();
    rig_.disk_fails = true;
    rig_.world->put();
    rig_.until("told", [&] { return rig_.watcher.health(box).cause == Cause::state_disk; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::failed);
    rig_.pass(5min, 1s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    rig_.disk_fails = false;
    rig_.until(
        "handed over", [&] { return inbox_.idles() == 2; }, 1s, 7min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.received().front().flags & mail::redelivered);
  }

  void a_verdict_the_disk_did_not_take_is_kept() {
    std::vector<std::string> ids;
    for (int i = 0; i < 60; ++i) ids.push_back(rig_.world->put());
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      rig_.disk_fails = true;
      return Verdict::accepted;
    };
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until("told", [&] { return rig_.watcher.health(box).cause == Cause::state_disk; });
    rig_.pass(2min, 1s);
    CPPUNIT_ASSERT(inbox_.count() >= 1);
    CPPUNIT_ASSERT(inbox_.count() <= m365::most_owed);
    for (const std::string& id : ids) CPPUNIT_ASSERT(!rig_.world->find(support_user, id)->read);
    inbox_.decide = nullptr;
    rig_.disk_fails = false;
    rig_.until(
        "idle", [&] { return inbox_.idles() == 1; }, 1s, 7min);
    CPPUNIT_ASSERT_EQUAL(ids.size(), inbox_.count());
    for (const std::string& id : ids) CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
  }

  void a_mail_under_scan_waits() {
    const std::string id = put_scanning();
    rig_.world->put();
    rig_.open(inbox_);
    rig_.start();
    rig_.until("the other", [&] { return inbox_.count() == 1; });
    rig_.pass(100s, 1s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    rig_.world->change(support_user, id, [](fake::Message& message) { message.attachments = scanned; });
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.received().back().flags & (mail::scan_pending | mail::redelivered));
    rig_.pass(30min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
  }

  void scanned_too_long_it_is_handed_over_and_replaced_later() {
    const std::string id = put_scanning();
    rig_.open(inbox_);
    rig_.start();
    rig_.pass(14min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    rig_.until(
        "handed over", [&] { return inbox_.count() == 1; }, 5s, 3min);
    CPPUNIT_ASSERT(inbox_.received().front().flags & mail::scan_pending);
    rig_.until_idle(inbox_, 1);
    rig_.pass(1h, 10s);
    rig_.world->change(support_user, id, [](fake::Message& message) { message.attachments = scanned; });
    rig_.until(
        "once more", [&] { return inbox_.count() == 2; }, 1s, 2min);
    const auto received = inbox_.received();
    CPPUNIT_ASSERT(received[1].flags & mail::attachments_replaced);
    CPPUNIT_ASSERT_EQUAL(0u, received[1].flags & mail::scan_pending);
    CPPUNIT_ASSERT_EQUAL(received[0].stable_id, received[1].stable_id);
    rig_.pass(1h, 10s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
  }

  void a_quarantined_mail_is_dropped() {
    const std::string id = put_scanning();
    rig_.open(inbox_);
    rig_.start();
    rig_.pass(30s);
    rig_.world->remove(support_user, id);
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    CPPUNIT_ASSERT(rig_.log.has(id));
  }

 private:
  // One run with exchange `broken` broken; false when the run had fewer exchanges.
  bool breaks(const std::function<std::optional<Reply>(fake::World&, const m365::GraphRequest&)>& way,
              std::size_t broken, const std::string& what) {
    Inbox inbox;
    Rig rig;
    rig.world->delta_page = 4;
    for (int i = 0; i < 10; ++i) rig.world->put();
    std::size_t exchange = 0;
    bool nested = false, reached = false;
    rig.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (nested || ++exchange != broken) return std::nullopt;
      nested = reached = true;
      std::optional<Reply> reply = way(*rig.world, request);
      nested = false;
      return reply;
    });
    rig.open(inbox, {{"after_fetch", "move:Done"}});
    rig.start();
    rig.until(
        what, [&] { return inbox.idles() > 0; }, 1s, 30min);
    std::set<std::string> distinct;
    for (const auto& mail : inbox.received()) distinct.insert(mail.stable_id);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, std::size_t{10}, distinct.size());
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, std::size_t{10}, inbox.count());
    CPPUNIT_ASSERT_EQUAL_MESSAGE(what, std::size_t{0}, rig.world->in_folder(support_user, "inbox").size());
    CPPUNIT_ASSERT_MESSAGE(what, rig.server->stop(2s));
    return reached;
  }

  mail::MailboxId run() {
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    return box;
  }

  void fail_all(int status, const std::string& code) {
    rig_.world->set_intercept(
        [status, code](const m365::GraphRequest&) -> std::optional<Reply> { return fake::error(status, code); });
  }

  std::string put_scanning() {
    fake::Message message;
    message.attachments = scanning;
    return rig_.world->put(support_user, message);
  }

  Inbox inbox_;
  Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingFaultsTest);

}  // namespace
