// Many mailboxes, few threads; starting, stopping, signing in.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <condition_variable>
#include <set>
#include <thread>

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

/// Holds a callback until let go.
class Turnstile {
 public:
  void pass() {
    std::unique_lock lock(mutex_);
    inside_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return open_; });
  }
  void await_inside() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return inside_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool inside_ = false, open_ = false;
};

class IncomingServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingServerTest);
  CPPUNIT_TEST(quiet_mailboxes_share_batches);
  CPPUNIT_TEST(without_batches_each_goes_alone);
  CPPUNIT_TEST(a_throttled_mailbox_polls_alone);
  CPPUNIT_TEST(a_failed_batch_is_nobodys_loss);
  CPPUNIT_TEST(a_batch_that_cannot_be_read_is_told_of_nobody);
  CPPUNIT_TEST(the_lowest_priority_value_is_served_first);
  CPPUNIT_TEST(a_host_that_blocks_holds_up_its_own_mailbox_only);
  CPPUNIT_TEST(stop_waits_no_longer_than_its_deadline);
  CPPUNIT_TEST(mails_in_hand_at_stop_are_no_redeliveries);
  CPPUNIT_TEST(close_waits_for_the_callback);
  CPPUNIT_TEST(nothing_is_called_after_stop);
  CPPUNIT_TEST(destroyed_while_it_works);
  CPPUNIT_TEST(a_refused_secret_is_told_and_its_repair_noticed);
  CPPUNIT_TEST(the_end_of_a_secret_is_warned_of);
  CPPUNIT_TEST(a_mailbox_opened_while_running);
  CPPUNIT_TEST(late_verdicts_race_with_fetching);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  void quiet_mailboxes_share_batches() {
    std::vector<Inbox> inboxes(100);
    rig_.start();
    // Opened one after the other, each has a moment of its own; those that lie close come to share their polls.
    for (std::size_t i = 0; i < inboxes.size(); ++i) {
      rig_.open(inboxes[i], {{"address", "box" + std::to_string(i) + "@contoso.com"}});
      rig_.until_idle(inboxes[i], 1);
      rig_.pass(45ms, 15ms);
    }
    rig_.pass(30s, 100ms);
    const std::size_t batches = rig_.world->batches, polls = rig_.world->count("read the changes of the folder");
    rig_.pass(100s, 100ms);
    const std::size_t rounds = (rig_.world->count("read the changes of the folder") - polls) / inboxes.size();
    CPPUNIT_ASSERT(rounds >= 8 && rounds <= 11);
    CPPUNIT_ASSERT((rig_.world->batches - batches) <= 11 * 6);  // 5 a round when all are full
    rig_.server.reset();
  }

  void without_batches_each_goes_alone() {
    rig_.world->batches_offered = false;
    std::vector<Inbox> inboxes(10);
    open_many(inboxes);
    rig_.start();
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    // The marks of one mailbox may still go together: the client sends them one after the other.
    std::size_t mixed = 0;
    {
      const std::lock_guard lock(rig_.world->mutex);
      rig_.world->intercept_batch = [&](const std::vector<m365::GraphRequest>& requests) -> std::optional<Reply> {
        for (const m365::GraphRequest& request : requests) mixed += request.mailbox != requests[0].mailbox ? 1 : 0;
        return std::nullopt;
      };
    }
    for (std::size_t i = 0; i < inboxes.size(); ++i) rig_.world->put("box" + std::to_string(i) + "@contoso.com");
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 2);
    rig_.pass(30s);
    for (const Inbox& inbox : inboxes) CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, mixed);
    rig_.server.reset();
  }

  void a_throttled_mailbox_polls_alone() {
    std::vector<Inbox> inboxes(10);
    open_many(inboxes);
    rig_.start();
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    std::size_t asked = 0;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.mailbox != "box3@contoso.com") return std::nullopt;
      ++asked;
      return fake::error(429, "ApplicationThrottled");
    });
    rig_.pass(60s, 1s);
    CPPUNIT_ASSERT(asked < 10);  // ever more seldom
    for (int i = 0; i < 10; ++i) rig_.world->put("box" + std::to_string(i) + "@contoso.com");
    for (std::size_t i = 0; i < inboxes.size(); ++i) {
      if (i != 3) rig_.until_idle(inboxes[i], 2);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inboxes[3].count());
    rig_.world->set_intercept(nullptr);
    rig_.until_idle(inboxes[3], 2);
    rig_.server.reset();
  }

  void a_failed_batch_is_nobodys_loss() {
    std::vector<Inbox> inboxes(10);
    open_many(inboxes);
    rig_.start();
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    int left = 3;
    {
      const std::lock_guard lock(rig_.world->mutex);
      rig_.world->intercept_batch = [&](const std::vector<m365::GraphRequest>&) -> std::optional<Reply> {
        return left-- > 0 ? std::optional<Reply>(fake::error(504, "UnknownError")) : std::nullopt;
      };
    }
    for (int i = 0; i < 10; ++i) rig_.world->put("box" + std::to_string(i) + "@contoso.com");
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 2);
    for (const Inbox& inbox : inboxes) CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox.count());
    rig_.server.reset();
  }

  // Whose trouble it is shows when each asks alone, which it then does at once; also where nothing was opened yet.
  void a_batch_that_cannot_be_read_is_told_of_nobody() {
    std::size_t unread = 0;
    rig_.world->intercept_batch = [&unread](const std::vector<m365::GraphRequest>&) -> std::optional<Reply> {
      ++unread;
      return fake::error(502, "UnknownError");
    };
    std::vector<Inbox> inboxes(10);
    std::vector<mail::MailboxId> boxes;
    for (std::size_t i = 0; i < inboxes.size(); ++i)
      boxes.push_back(rig_.open(inboxes[i], {{"address", "box" + std::to_string(i) + "@contoso.com"}}));
    rig_.start();
    rig_.pass(1s, 100ms);
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    for (const mail::MailboxId box : boxes) {
      for (const mail::Health& told : rig_.watcher.history(box)) CPPUNIT_ASSERT(told.state != mail::State::degraded);
    }
    rig_.pass(2min, 1s);
    CPPUNIT_ASSERT(unread > 0);
    CPPUNIT_ASSERT(unread < 30);  // a batch is tried again with the next round, not on the spot
    rig_.server.reset();
  }

  void the_lowest_priority_value_is_served_first() {
    rig_.settings.tenant.workers = 1;
    rig_.restart();
    std::vector<Inbox> inboxes(3);
    std::vector<int> order;
    const char* priorities[] = {"10", "", "5"};
    for (int i = 0; i < 3; ++i) {
      const std::string user = "box" + std::to_string(i) + "@contoso.com";
      rig_.world->put(user);
      inboxes[static_cast<std::size_t>(i)].decide = [&order, i](const fake::Received&, std::chrono::milliseconds&) {
        order.push_back(i);
        return Verdict::accepted;
      };
      mail::Settings settings{{"address", user}};
      if (priorities[i][0] != '\0') settings["priority"] = priorities[i];
      rig_.open(inboxes[static_cast<std::size_t>(i)], settings);
    }
    rig_.start();
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    CPPUNIT_ASSERT((std::vector<int>{2, 0, 1} == order));
    rig_.server.reset();
  }

  void a_host_that_blocks_holds_up_its_own_mailbox_only() {
    Turnstile turnstile;
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      turnstile.pass();
      return Verdict::accepted;
    };
    rig_.world->put();
    rig_.open(inbox_);
    std::vector<Inbox> others(3);
    open_many(others);
    rig_.start();
    turnstile.await_inside();
    rig_.busy = 1;
    for (int i = 0; i < 3; ++i) rig_.world->put("box" + std::to_string(i) + "@contoso.com");
    for (const Inbox& other : others) rig_.until("goes on", [&] { return other.count() == 1; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    turnstile.open();
    rig_.until_idle(inbox_, 1);
    rig_.busy = 0;
    rig_.server.reset();
  }

  void stop_waits_no_longer_than_its_deadline() {
    Turnstile turnstile;
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      turnstile.pass();
      return Verdict::accepted;
    };
    const std::string id = rig_.world->put();
    rig_.world->put();
    rig_.open(inbox_);
    rig_.start();
    turnstile.await_inside();
    CPPUNIT_ASSERT(!rig_.server->stop(20ms));
    CPPUNIT_ASSERT(!rig_.server->stop(1ms));
    turnstile.open();
    CPPUNIT_ASSERT(rig_.server->stop(10s));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());  // no new call began
    // The verdict that came late was kept.
    rig_.start();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
  }

  void mails_in_hand_at_stop_are_no_redeliveries() {
    Turnstile turnstile;
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      turnstile.pass();
      return Verdict::accepted;
    };
    for (int i = 0; i < 5; ++i) rig_.world->put();
    rig_.open(inbox_);
    rig_.start();
    turnstile.await_inside();
    CPPUNIT_ASSERT(!rig_.server->stop(1ms));
    turnstile.open();
    CPPUNIT_ASSERT(rig_.server->stop(10s));
    rig_.start();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, inbox_.count());
    for (const auto& mail : inbox_.received()) CPPUNIT_ASSERT_EQUAL(0u, mail.flags & mail::redelivered);
  }

  void close_waits_for_the_callback() {
    Turnstile turnstile;
    std::atomic<bool> inside{false};
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      inside = true;
      turnstile.pass();
      inside = false;
      return Verdict::accepted;
    };
    rig_.world->put();
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    turnstile.await_inside();
    std::thread closer([&] {
      rig_.server->close_mailbox(box);
      CPPUNIT_ASSERT(!inside);
    });
    turnstile.open();
    closer.join();
    rig_.world->put();
    rig_.pass(60s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void nothing_is_called_after_stop() {
    rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT(rig_.server->stop(10s));
    CPPUNIT_ASSERT(rig_.server->stop(1ms));
    const std::size_t told = rig_.watcher.history(0).size();
    rig_.world->put();
    rig_.clock.advance(10min);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(1u, inbox_.idles());
    CPPUNIT_ASSERT_EQUAL(told, rig_.watcher.history(0).size());
  }

  void destroyed_while_it_works() {
    for (int i = 0; i < 200; ++i) rig_.world->put();
    rig_.open(inbox_);
    rig_.start();
    rig_.until("some", [&] { return inbox_.count() > 0; });
    rig_.server.reset();
    const std::size_t before = inbox_.count();
    CPPUNIT_ASSERT_EQUAL(before, inbox_.count());
    rig_.restart();
    Inbox again;
    rig_.open(again);
    rig_.start();
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{200}, before + again.count());
    rig_.server.reset();
  }

  void a_refused_secret_is_told_and_its_repair_noticed() {
    rig_.tokens->refuse_all_but("new");
    rig_.watcher.set_secret("old");
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.world->put();
    rig_.start();
    rig_.until("server", [&] { return rig_.watcher.health(0).cause == Cause::secret_refused; });
    rig_.until("mailbox", [&] { return rig_.watcher.health(box).cause == Cause::secret_refused; });
    CPPUNIT_ASSERT(rig_.watcher.health(0).state == State::failed);
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS7000215"), rig_.watcher.health(0).code);
    rig_.pass(20min, 2s);  // backed off to minutes by now
    rig_.watcher.set_secret("new");
    rig_.until(
        "handed over", [&] { return inbox_.count() == 1; }, 500ms, 15s);
    rig_.until("server ready", [&] { return rig_.watcher.health(0).state == State::ready; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::ready);
  }

  void the_end_of_a_secret_is_warned_of() {
    rig_.settings.tenant.secret_expires = rig_.clock.wall() + 24h * 61;
    rig_.restart();
    rig_.open(inbox_);
    rig_.start();
    rig_.until("ready", [&] { return rig_.watcher.health(0).state == State::ready; });
    rig_.pass(48h, 10min);
    rig_.until(
        "warned", [&] { return rig_.watcher.health(0).cause == Cause::secret_expires_soon; }, 10min, 12h);
    CPPUNIT_ASSERT(rig_.watcher.health(0).state == State::degraded);
    CPPUNIT_ASSERT(rig_.log.has("2026-03-03"));
  }

  void a_mailbox_opened_while_running() {
    rig_.start();
    rig_.pass(5s);
    rig_.world->put();
    rig_.open(inbox_);
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  // Verdicts come on the host's thread at any moment of a page, a list or a retry.
  void late_verdicts_race_with_fetching() {
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    for (int i = 0; i < 200; ++i) rig_.world->put();
    rig_.open(inbox_, {{"after_fetch", "leave"}});
    std::atomic<bool> ended{false};
    std::thread host([&] {
      std::size_t next = 0;
      while (!ended) {
        const auto received = inbox_.received();
        for (; next < received.size(); ++next)
          rig_.server->acknowledge(received[next].delivery, Verdict::accepted, 0ms);
        std::this_thread::yield();
      }
    });
    rig_.start();
    for (int round = 0; round < 5; ++round) {
      rig_.world->lose_delta_state();
      for (int i = 0; i < 40; ++i) rig_.world->put();
      rig_.pass(20min, 10s);
    }
    rig_.until("idle", [&] { return inbox_.idles() > 0 && inbox_.count() >= 400; });
    ended = true;
    host.join();
    std::set<std::string> distinct;
    for (const auto& mail : inbox_.received()) distinct.insert(mail.stable_id);
    CPPUNIT_ASSERT_EQUAL(std::size_t{400}, distinct.size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{400}, inbox_.count());
  }

 private:
  void open_many(std::vector<Inbox>& inboxes) {
    for (std::size_t i = 0; i < inboxes.size(); ++i)
      rig_.open(inboxes[i], {{"address", "box" + std::to_string(i) + "@contoso.com"}});
  }

  Inbox inbox_;
  Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingServerTest);

}  // namespace
