// Receipts of accepted mails are written together, soon, and before anything is done that rests on them.
#include <cppunit/extensions/HelperMacros.h>

#include <map>
#include <set>

#include "m365/incoming/incoming_rig.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::Rig;
using fake::support_user;
using mail::Verdict;

class IncomingReceiptsTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingReceiptsTest);
  CPPUNIT_TEST(a_page_is_one_transaction);
  CPPUNIT_TEST(mailboxes_share_one);
  CPPUNIT_TEST(a_lone_mail_does_not_wait_for_others);
  CPPUNIT_TEST(late_verdicts_are_written_together);
  CPPUNIT_TEST(lost_ones_come_again_as_redelivered);
  CPPUNIT_TEST(a_closed_mailbox_leaves_none);
  CPPUNIT_TEST(a_second_id_of_a_mail_just_accepted_is_absorbed);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  void a_page_is_one_transaction() {
    for (int i = 0; i < 50; ++i) rig_.world->put();
    rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{50}, inbox_.count());
    // Where the clock moves while they are handed over, the turn for all writes those that are there by then.
    CPPUNIT_ASSERT(rig_.decisions >= 1 && rig_.decisions <= 3);
  }

  void mailboxes_share_one() {
    std::vector<Inbox> inboxes(5);
    for (std::size_t i = 0; i < inboxes.size(); ++i) {
      const std::string user = "box" + std::to_string(i) + "@contoso.com";
      rig_.world->put(user);
      rig_.open(inboxes[i], {{"address", user}, {"after_fetch", "leave"}});
      // All five are in the host before the first gives its verdict, so that all verdicts fall into one moment.
      inboxes[i].decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    }
    rig_.start();
    rig_.until("handed over",
               [&] { return std::ranges::all_of(inboxes, [](const Inbox& inbox) { return inbox.count() == 1; }); });
    for (const Inbox& inbox : inboxes)
      CPPUNIT_ASSERT(rig_.server->acknowledge(inbox.received().front().delivery, Verdict::accepted, 0ms));
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    CPPUNIT_ASSERT_EQUAL(1u, rig_.decisions.load());
  }

  void a_lone_mail_does_not_wait_for_others() {
    const std::string id = rig_.world->put();
    rig_.open(inbox_);
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 1; });
    const mail::SteadyTime then = rig_.clock.now();
    rig_.until("marked", [&] { return rig_.world->find(support_user, id)->read; });
    CPPUNIT_ASSERT(rig_.clock.now() - then < 1s);
    CPPUNIT_ASSERT_EQUAL(1u, rig_.decisions.load());
  }

  void late_verdicts_are_written_together() {
    for (int i = 0; i < 30; ++i) rig_.world->put();
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    rig_.open(inbox_);
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 30; });
    for (const auto& mail : inbox_.received())
      CPPUNIT_ASSERT(rig_.server->acknowledge(mail.delivery, Verdict::accepted, 0ms));
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(1u, rig_.decisions.load());
    for (const auto& mail : inbox_.received()) CPPUNIT_ASSERT(rig_.world->find(support_user, mail.service_id)->read);
  }

  // The process dies between the verdicts and their receipts: the disk takes none of them, and the memory is gone.
  void lost_ones_come_again_as_redelivered() {
    for (int i = 0; i < 10; ++i) rig_.world->put();
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      rig_.disk_fails = true;
      return Verdict::accepted;
    };
    rig_.open(inbox_);
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 10; });
    std::map<std::string, std::string> first;
    for (const auto& mail : inbox_.received()) {
      CPPUNIT_ASSERT_EQUAL(0u, mail.flags & mail::redelivered);
      first[mail.service_id] = mail.stable_id;
    }
    rig_.restart();
    rig_.disk_fails = false;
    Inbox again;
    rig_.open(again);
    rig_.start();
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(first.size(), again.count());
    for (const auto& mail : again.received()) {
      CPPUNIT_ASSERT(mail.flags & mail::redelivered);
      CPPUNIT_ASSERT_EQUAL(first.at(mail.service_id), mail.stable_id);
      CPPUNIT_ASSERT(rig_.world->find(support_user, mail.service_id)->read);
    }
    rig_.server.reset();
  }

  void a_closed_mailbox_leaves_none() {
    for (int i = 0; i < 3; ++i) rig_.world->put();
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    const mail::MailboxId box = rig_.open(inbox_);
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 3; });
    for (const auto& mail : inbox_.received())
      CPPUNIT_ASSERT(rig_.server->acknowledge(mail.delivery, Verdict::accepted, 0ms));
    CPPUNIT_ASSERT(rig_.server->close_mailbox(box));  // the clock stands still: no turn for all comes between
    Inbox again;
    rig_.open(again);
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, again.count());
    for (const auto& mail : inbox_.received()) CPPUNIT_ASSERT(rig_.world->find(support_user, mail.service_id)->read);
    rig_.server.reset();
  }

  void a_second_id_of_a_mail_just_accepted_is_absorbed() {
    fake::Message message;
    message.internet_id = "<one@example.com>";
    message.received = rig_.clock.wall() - 1h;
    bool twin = false;
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      if (!std::exchange(twin, true)) rig_.world->put(support_user, message);  // archive and import change ids
      return Verdict::accepted;
    };
    rig_.world->put(support_user, message);
    for (int i = 0; i < 60; ++i) rig_.world->put();  // the twin stands on the next page
    rig_.open(inbox_);
    rig_.start();
    rig_.until("absorbed", [&] { return rig_.log.has("under a second id"); });
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{61}, inbox_.count());
  }

 private:
  Inbox inbox_;
  Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingReceiptsTest);

}  // namespace
