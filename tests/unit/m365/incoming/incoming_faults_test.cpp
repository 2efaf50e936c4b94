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
  CPPUNIT_TEST(a_mail_that_cannot_be_read_does_not_hold_up_the_others);
  CPPUNIT_TEST(a_mail_whose_answers_are_garbage_is_stepped_around);
  CPPUNIT_TEST(after_a_day_an_unreadable_mail_is_moved_away);
  CPPUNIT_TEST(an_outage_of_a_day_moves_nothing);
  CPPUNIT_TEST(after_a_day_a_mail_of_garbage_is_moved_away);
  CPPUNIT_TEST(a_day_of_garbage_for_many_moves_nothing);
  CPPUNIT_TEST(an_incident_over_a_mail_of_garbage_holds_nobody_back);
  CPPUNIT_TEST(five_unreadable_mails_pause_the_stream);
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

  void a_mail_that_cannot_be_read_does_not_hold_up_the_others() {
    fake::Message poison;
    poison.attachments = scanned;
    const std::string bad = rig_.world->put(support_user, poison);
    for (int i = 0; i < 4; ++i) rig_.world->put();
    bool broken = true;
    refuse_attachments(broken);
    rig_.open(inbox_);
    rig_.start();
    rig_.until("the others", [&] { return inbox_.count() == 4; });
    CPPUNIT_ASSERT(rig_.log.has("cannot be read now"));
    rig_.pass(10min, 5s);
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.idles());
    broken = false;
    rig_.until(
        "it too", [&] { return inbox_.count() == 5; }, 10s, 2h);
    CPPUNIT_ASSERT_EQUAL(bad, inbox_.received().back().service_id);
  }

  // Garbage may be a proxy's and everyone's trouble; but the others need not wait for its end, nor it much longer.
  void a_mail_whose_answers_are_garbage_is_stepped_around() {
    fake::Message poison;
    poison.attachments = scanned;
    const std::string bad = rig_.world->put(support_user, poison);
    for (int i = 0; i < 4; ++i) rig_.world->put();
    bool broken = true;
    int tries = 0;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (!broken || request.path.find("/attachments") == std::string::npos) return std::nullopt;
      ++tries;
      return Reply{200, "<html>gateway</html>", {}};
    });
    rig_.open(inbox_);
    rig_.start();
    rig_.until(
        "the others", [&] { return inbox_.count() == 4; }, 500ms, 1min);
    CPPUNIT_ASSERT_EQUAL(3, tries);
    CPPUNIT_ASSERT(rig_.log.has("cannot be read now"));
    broken = false;
    rig_.until(
        "it a minute later", [&] { return inbox_.count() == 5; }, 1s, 70s);
    CPPUNIT_ASSERT_EQUAL(bad, inbox_.received().back().service_id);

    broken = true;
    tries = 0;
    rig_.world->put(support_user, poison);
    rig_.pass(1h, 1s);
    CPPUNIT_ASSERT_MESSAGE(std::to_string(tries), tries >= 13 && tries <= 20);
    broken = false;
    rig_.until(
        "five minutes later", [&] { return inbox_.count() == 6; }, 1s, 6min);
  }

  void after_a_day_an_unreadable_mail_is_moved_away() {
    fake::Message poison;
    poison.attachments = scanned;
    const std::string bad = rig_.world->put(support_user, poison);
    rig_.world->put();
    bool broken = true;
    refuse_attachments(broken);
    rig_.open(inbox_);
    rig_.start();
    rig_.until("the other", [&] { return inbox_.count() == 1; });
    rig_.pass(23h, 60s);
    CPPUNIT_ASSERT_EQUAL("inbox@" + support_user, rig_.world->find(support_user, bad)->folder);
    rig_.world->put();
    rig_.until(
        "given up", [&] { return inbox_.idles() == 1; }, 60s, 4h);
    const auto folder = rig_.world->folder_named(support_user, "Rejected");
    CPPUNIT_ASSERT(folder.has_value());
    CPPUNIT_ASSERT_EQUAL(folder->id, rig_.world->find(support_user, bad)->folder);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
  }

  // The first mails of the page were read, then nothing was for longer than a mail is given.
  void an_outage_of_a_day_moves_nothing() {
    for (int i = 0; i < 2; ++i) rig_.world->put();
    fake::Message with_file;
    with_file.attachments = scanned;
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(rig_.world->put(support_user, with_file));
    inbox_.decide = [this, count = 0](const fake::Received&, std::chrono::milliseconds&) mutable {
      if (++count == 1) rig_.clock.advance(1s);
      if (count == 2) fail_all(500, "ErrorInternalServerError");
      return Verdict::accepted;
    };
    rig_.open(inbox_);
    rig_.start();
    rig_.until("the first", [&] { return inbox_.count() == 2; });
    rig_.pass(30h, 60s);
    rig_.world->set_intercept(nullptr);
    rig_.until(
        "all of them", [&] { return inbox_.count() == 5; }, 60s, 3h);
    rig_.until(
        "idle", [&] { return inbox_.idles() >= 1; }, 60s, 3h);
    for (const std::string& id : ids)
      CPPUNIT_ASSERT_EQUAL("inbox@" + support_user, rig_.world->find(support_user, id)->folder);
  }

  void after_a_day_a_mail_of_garbage_is_moved_away() {
    const std::string bad = put_garbage(1).front();
    rig_.open(inbox_);
    rig_.start();
    for (int hour = 0; hour < 23; ++hour) {
      rig_.world->put();
      rig_.pass(1h, 30s);
    }
    CPPUNIT_ASSERT_EQUAL("inbox@" + support_user, rig_.world->find(support_user, bad)->folder);
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.idles());
    rig_.world->put();
    rig_.until(
        "given up", [&] { return inbox_.idles() == 1; }, 30s, 2h);
    const auto folder = rig_.world->folder_named(support_user, "Rejected");
    CPPUNIT_ASSERT_EQUAL(folder.value().id, rig_.world->find(support_user, bad)->folder);
    CPPUNIT_ASSERT_EQUAL(std::size_t{24}, inbox_.count());
    CPPUNIT_ASSERT(rig_.log.count("cannot be read now") <= 5);
  }

  void a_day_of_garbage_for_many_moves_nothing() {
    bool broken = true;
    const std::vector<std::string> bad = put_garbage(10, &broken);
    rig_.open(inbox_);
    rig_.start();
    for (std::size_t hour = 1; hour <= 30; ++hour) {
      rig_.world->put();
      rig_.until(
          "another one", [&] { return inbox_.count() == hour; }, 5s, 2min);  // they hold nobody back
      rig_.pass(1h, 30s);
    }
    for (const std::string& id : bad)
      CPPUNIT_ASSERT_EQUAL("inbox@" + support_user, rig_.world->find(support_user, id)->folder);
    broken = false;
    rig_.until(
        "all of them", [&] { return inbox_.count() == 40; }, 5s, 10min);
  }

  // The host rejects everything for a while; when it accepts again, one of those that it rejected cannot be read.
  void an_incident_over_a_mail_of_garbage_holds_nobody_back() {
    std::vector<std::string> ids;
    fake::Message with_file;
    with_file.attachments = scanned;
    for (int i = 0; i < 12; ++i) ids.push_back(rig_.world->put(support_user, with_file));
    bool rejects = true, broken = false;
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      return rejects ? Verdict::rejected : Verdict::accepted;
    };
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (!broken || request.path.find(ids[5].substr(0, ids[5].size() - 1)) == std::string::npos ||
          request.path.find("/attachments") == std::string::npos)
        return std::nullopt;
      return Reply{200, "<html>gateway</html>", {}};
    });
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until(
        "refused", [&] { return rig_.watcher.health(box).cause == Cause::host_refuses; }, 1s, 10min);
    broken = true;
    rejects = false;
    const std::size_t before = inbox_.count();
    rig_.until(
        "the others", [&] { return inbox_.count() >= before + 11; }, 5s, 2h);
    rig_.world->put();
    const std::size_t others = inbox_.count();
    rig_.until(
        "and what comes", [&] { return inbox_.count() > others; }, 5s, 10min);
  }

  void five_unreadable_mails_pause_the_stream() {
    bool broken = true;
    refuse_attachments(broken);
    for (int i = 0; i < 12; ++i) {
      fake::Message message;
      if (i % 2 == 0) message.attachments = scanned;
      message.received = rig_.clock.wall() + std::chrono::seconds(i);
      rig_.world->put(support_user, message);
    }
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until("paused", [&] { return rig_.watcher.health(box).cause == Cause::service_fault; });
    rig_.pass(10min, 5s);
    const std::size_t before = inbox_.count();
    CPPUNIT_ASSERT(before < 6);
    broken = false;
    rig_.until(
        "all", [&] { return inbox_.idles() == 1; }, 10s, 3h);
    CPPUNIT_ASSERT_EQUAL(std::size_t{12}, inbox_.count());
    CPPUNIT_ASSERT(!rig_.world->folder_named(support_user, "Rejected").has_value());
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::ready);
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

  void refuse_attachments(const bool& broken) {
    rig_.world->set_intercept([&broken](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (broken && request.path.find("/attachments") != std::string::npos)
        return fake::error(500, "ErrorInternalServerError");
      return std::nullopt;
    });
  }

  // Mails whose attachments are answered with a gateway's page.
  std::vector<std::string> put_garbage(int count, const bool* broken = nullptr) {
    fake::Message poison;
    poison.attachments = scanned;
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) ids.push_back(rig_.world->put(support_user, poison));
    rig_.world->set_intercept([broken](const m365::GraphRequest& request) -> std::optional<Reply> {
      if ((broken != nullptr && !*broken) || request.path.find("/attachments") == std::string::npos)
        return std::nullopt;
      return Reply{200, "<html>gateway</html>", {}};
    });
    return ids;
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
