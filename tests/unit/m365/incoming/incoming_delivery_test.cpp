// From the folder to the host and back: verdicts, receipts, marking.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>

#include "m365/incoming/incoming_rig.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::Received;
using fake::Rig;
using fake::support_user;
using mail::Verdict;

class IncomingDeliveryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingDeliveryTest);
  CPPUNIT_TEST(fetches_delivers_and_marks);
  CPPUNIT_TEST(delivers_in_order_of_time);
  CPPUNIT_TEST(a_second_start_hands_nothing_over_again);
  CPPUNIT_TEST(retry_later_is_offered_again_with_growing_time);
  CPPUNIT_TEST(the_host_may_change_the_time);
  CPPUNIT_TEST(no_verdict_counts_as_retry_later);
  CPPUNIT_TEST(rejected_mails_move_to_a_sibling_folder);
  CPPUNIT_TEST(a_rejected_mail_that_comes_back_gets_one_new_try);
  CPPUNIT_TEST(pending_mails_fill_a_window_and_go_on_when_decided);
  CPPUNIT_TEST(acknowledged_before_the_callback_returned);
  CPPUNIT_TEST(acknowledge_refuses_what_it_does_not_know);
  CPPUNIT_TEST(without_a_verdict_at_stop_it_comes_again_as_redelivered);
  CPPUNIT_TEST(ten_rejected_stop_the_stream_and_move_nothing);
  CPPUNIT_TEST(an_hour_of_rejections_empties_no_inbox);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  void fetches_delivers_and_marks() {
    const std::string id = rig_.world->put();
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    const Received mail = inbox_.received().front();
    CPPUNIT_ASSERT_EQUAL(id, mail.service_id);
    CPPUNIT_ASSERT_EQUAL(0u, mail.flags & mail::redelivered);
    CPPUNIT_ASSERT_EQUAL(m365::stable_id_of("contoso.onmicrosoft.com", id), mail.stable_id);
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == mail::State::ready);
    rig_.until("server ready", [&] { return rig_.watcher.health(0).state == mail::State::ready; });
    const std::string later = rig_.world->put();
    rig_.until_idle(inbox_, 2);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT(rig_.world->find(support_user, later)->read);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rig_.world->count("read a mail"));  // the row had it all
  }

  void delivers_in_order_of_time() {
    for (int i = 0; i < 5; ++i) {
      fake::Message message;
      message.received = rig_.clock.wall() - std::chrono::minutes(i);
      message.subject = std::to_string(i);
      rig_.world->put(support_user, message);
    }
    rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    std::string order;
    for (const Received& mail : inbox_.received()) order += mail.subject;
    CPPUNIT_ASSERT_EQUAL(std::string("43210"), order);
    CPPUNIT_ASSERT(!inbox_.overlapped());
  }

  void a_second_start_hands_nothing_over_again() {
    for (int i = 0; i < 120; ++i) rig_.world->put();
    rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{120}, inbox_.count());
    CPPUNIT_ASSERT(rig_.server->stop(5s));
    rig_.start();
    rig_.until_idle(inbox_, 2);
    rig_.restart();
    Inbox again;
    rig_.open(again);
    rig_.start();
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{120}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, again.count());
  }

  void retry_later_is_offered_again_with_growing_time() {
    rig_.world->put();
    const std::string other = rig_.world->put();
    inbox_.decide = [&](const Received& mail, std::chrono::milliseconds&) {
      return mail.service_id == other || inbox_.count() > 8 ? Verdict::accepted : Verdict::retry_later;
    };
    rig_.open(inbox_);
    rig_.start();
    rig_.until("the other one", [&] { return rig_.world->find(support_user, other)->read; });
    rig_.until(
        "eight tries", [&] { return inbox_.count() >= 9; }, 5s, 3h);
    rig_.until_idle(inbox_, 1);
    std::vector<long> seconds;
    const auto proposals = inbox_.proposals();
    for (std::size_t i = 0; i < proposals.size(); ++i) {
      if (inbox_.received()[i].service_id != other) seconds.push_back(proposals[i].count() / 1000);
    }
    CPPUNIT_ASSERT((std::vector<long>{30, 60, 120, 240, 480, 900, 900, 900} == seconds));
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.received().back().flags & mail::redelivered);
  }

  void the_host_may_change_the_time() {
    rig_.world->put();
    inbox_.decide = [&](const Received&, std::chrono::milliseconds& retry_after) {
      retry_after = 3s;
      return inbox_.count() > 1 ? Verdict::accepted : Verdict::retry_later;
    };
    rig_.open(inbox_);
    rig_.start();
    rig_.until(
        "accepted", [&] { return inbox_.count() == 2; }, 250ms, 10s);
  }

  void no_verdict_counts_as_retry_later() {
    const std::string id = rig_.world->put();
    inbox_.decide = [&](const Received&, std::chrono::milliseconds&) {
      return inbox_.count() > 1 ? Verdict::accepted : Verdict::none;
    };
    rig_.open(inbox_);
    rig_.start();
    rig_.until("offered", [&] { return inbox_.count() == 1; });
    rig_.pass(20s);
    CPPUNIT_ASSERT(!rig_.world->find(support_user, id)->read);
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
  }

  void rejected_mails_move_to_a_sibling_folder() {
    const std::string id = rig_.world->put();
    inbox_.decide = [](const Received&, std::chrono::milliseconds&) { return Verdict::rejected; };
    rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    const auto folder = rig_.world->folder_named(support_user, "Rejected");
    CPPUNIT_ASSERT(folder.has_value());
    CPPUNIT_ASSERT_EQUAL(std::string("root@") + support_user, folder->parent);
    CPPUNIT_ASSERT_EQUAL(folder->id, rig_.world->find(support_user, id)->folder);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void a_rejected_mail_that_comes_back_gets_one_new_try() {
    const std::string id = rig_.world->put();
    inbox_.decide = [](const Received&, std::chrono::milliseconds&) { return Verdict::rejected; };
    rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    for (int round = 0; round < 3; ++round) {
      rig_.world->move(support_user, id, "inbox");
      rig_.pass(30s);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(inbox_.received()[0].stable_id, inbox_.received()[1].stable_id);
  }

  void pending_mails_fill_a_window_and_go_on_when_decided() {
    for (int i = 0; i < 50; ++i) rig_.world->put();
    inbox_.decide = [](const Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    rig_.open(inbox_);
    Inbox other;
    rig_.world->put("sales@contoso.com");
    rig_.open(other, {{"address", "sales@contoso.com"}});
    rig_.start();
    rig_.until("the window is full", [&] { return inbox_.count() == 32; });
    rig_.until_idle(other, 1);
    rig_.pass(60s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{32}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.idles());
    std::size_t decided = 0;
    while (decided < 50) {
      for (const Received& mail : inbox_.received()) {
        if (rig_.server->acknowledge(mail.delivery, Verdict::accepted, 0ms)) ++decided;
      }
      rig_.pass(1s);
    }
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{50}, inbox_.count());
    for (const fake::Message& message : rig_.world->in_folder(support_user, "inbox")) CPPUNIT_ASSERT(message.read);
  }

  void acknowledged_before_the_callback_returned() {
    const std::string id = rig_.world->put();
    inbox_.decide = [&](const Received& mail, std::chrono::milliseconds&) {
      CPPUNIT_ASSERT(rig_.server->acknowledge(mail.delivery, Verdict::accepted, 0ms));
      CPPUNIT_ASSERT(!rig_.server->acknowledge(mail.delivery, Verdict::accepted, 0ms));
      return Verdict::pending;
    };
    rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
  }

  void acknowledge_refuses_what_it_does_not_know() {
    rig_.world->put();
    inbox_.decide = [](const Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    rig_.open(inbox_);
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 1; });
    const mail::DeliveryId id = inbox_.received().front().delivery;
    CPPUNIT_ASSERT(!rig_.server->acknowledge(id + 1, Verdict::accepted, 0ms));
    CPPUNIT_ASSERT(!rig_.server->acknowledge(id, Verdict::pending, 0ms));
    CPPUNIT_ASSERT(!rig_.server->acknowledge(id, Verdict::none, 0ms));
    CPPUNIT_ASSERT(rig_.server->acknowledge(id, Verdict::rejected, 0ms));
    CPPUNIT_ASSERT(!rig_.server->acknowledge(id, Verdict::accepted, 0ms));
  }

  void without_a_verdict_at_stop_it_comes_again_as_redelivered() {
    const std::string id = rig_.world->put();
    inbox_.decide = [](const Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    rig_.open(inbox_);
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 1; });
    CPPUNIT_ASSERT(rig_.server->stop(5s));
    CPPUNIT_ASSERT(!rig_.server->acknowledge(inbox_.received().front().delivery, Verdict::accepted, 0ms));
    rig_.restart();
    Inbox again;
    rig_.open(again);
    rig_.start();
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, again.count());
    CPPUNIT_ASSERT(again.received().front().flags & mail::redelivered);
    CPPUNIT_ASSERT_EQUAL(inbox_.received().front().stable_id, again.received().front().stable_id);
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
  }

  void ten_rejected_stop_the_stream_and_move_nothing() {
    for (int i = 0; i < 40; ++i) rig_.world->put();
    bool refuses = true;
    inbox_.decide = [&](const Received&, std::chrono::milliseconds&) {
      return refuses ? Verdict::rejected : Verdict::accepted;
    };
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until("host refuses", [&] { return rig_.watcher.health(box).cause == mail::Cause::host_refuses; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == mail::State::failed);
    rig_.pass(10min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{10}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{40}, rig_.world->in_folder(support_user, "inbox").size());
    rig_.until(
        "a probe", [&] { return inbox_.count() == 11; }, 5s, 20min);
    rig_.pass(10min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{11}, inbox_.count());
    refuses = false;
    rig_.until(
        "recovered", [&] { return inbox_.idles() == 1; }, 10s, 2h);
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == mail::State::ready);
    CPPUNIT_ASSERT_EQUAL(std::size_t{40}, rig_.world->in_folder(support_user, "inbox").size());
    for (const fake::Message& message : rig_.world->in_folder(support_user, "inbox")) CPPUNIT_ASSERT(message.read);
    CPPUNIT_ASSERT_EQUAL(std::size_t{51}, inbox_.count());  // each accepted once, eleven times rejected before
  }

  // The host takes a minute for each: by the tenth the first nine had been moved. For an hour it refuses, whatever
  // comes.
  void an_hour_of_rejections_empties_no_inbox() {
    bool refuses = true;
    std::size_t most_away = 0;
    inbox_.decide = [&](const Received&, std::chrono::milliseconds&) {
      return refuses ? Verdict::rejected : Verdict::accepted;
    };
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    std::size_t sent = 0;
    for (int minute = 0; minute < 60; ++minute) {
      rig_.world->put();
      ++sent;
      rig_.pass(60s, 5s);
      const std::size_t in_place = rig_.world->in_folder(support_user, "inbox").size();
      most_away = std::max(most_away, sent - in_place);
      if (minute >= 10) CPPUNIT_ASSERT_EQUAL(sent, in_place);
    }
    CPPUNIT_ASSERT(most_away > 0 && most_away < 10);
    CPPUNIT_ASSERT(rig_.watcher.health(box).cause == mail::Cause::host_refuses);
    const unsigned idles = inbox_.idles();
    refuses = false;
    rig_.until(
        "recovered", [&] { return inbox_.idles() > idles; }, 10s, 5h);
    std::map<std::string, std::size_t> accepted;
    for (const auto& mail : inbox_.received()) ++accepted[mail.service_id];
    CPPUNIT_ASSERT_EQUAL(sent, accepted.size());
    CPPUNIT_ASSERT_EQUAL(sent, rig_.world->in_folder(support_user, "inbox").size());
    for (const fake::Message& message : rig_.world->in_folder(support_user, "inbox")) CPPUNIT_ASSERT(message.read);
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == mail::State::ready);
    // One that is rejected when all is well is moved as ever.
    const std::string bad = rig_.world->put();
    inbox_.decide = [&](const Received&, std::chrono::milliseconds&) { return Verdict::rejected; };
    rig_.until_idle(inbox_, inbox_.idles() + 1);
    CPPUNIT_ASSERT_EQUAL(rig_.world->folder_named(support_user, "Rejected")->id,
                         rig_.world->find(support_user, bad)->folder);
  }

 private:
  Inbox inbox_;  // outlives the server
  Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingDeliveryTest);

}  // namespace
