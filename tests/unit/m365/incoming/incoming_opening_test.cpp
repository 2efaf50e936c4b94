// The first opening, folders, identity.
#include <cppunit/extensions/HelperMacros.h>

#include "m365/incoming/incoming_rig.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::Reply;
using fake::Rig;
using fake::support_user;
using mail::Cause;
using mail::State;

class IncomingOpeningTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingOpeningTest);
  CPPUNIT_TEST(unread_hands_over_what_is_unread);
  CPPUNIT_TEST(all_hands_everything_over);
  CPPUNIT_TEST(now_hands_over_what_comes);
  CPPUNIT_TEST(a_time_hands_over_what_came_since);
  CPPUNIT_TEST(an_old_mail_moved_in_later_is_new);
  CPPUNIT_TEST(start_from_decides_only_the_first_opening);
  CPPUNIT_TEST(too_many_unread_wait_for_the_administrator);
  CPPUNIT_TEST(held_backlog_goes_on_when_somebody_read_it);
  CPPUNIT_TEST(a_long_folder_starts_with_the_newest);
  CPPUNIT_TEST(a_long_folder_is_read_whole_when_all_is_wanted);
  CPPUNIT_TEST(lost_state_in_a_long_folder_is_absorbed);
  CPPUNIT_TEST(a_list_that_ends_in_504_is_asked_for_in_smaller_pages);
  CPPUNIT_TEST(a_folder_by_its_path);
  CPPUNIT_TEST(a_hidden_folder_by_its_path);
  CPPUNIT_TEST(a_missing_folder_is_told_and_found_when_it_comes);
  CPPUNIT_TEST(a_renamed_folder_is_still_read);
  CPPUNIT_TEST(a_deleted_folder_is_told_and_recovers);
  CPPUNIT_TEST(two_addresses_of_one_folder);
  CPPUNIT_TEST(the_second_gets_it_when_the_first_closes);
  CPPUNIT_TEST(a_faulty_setting_is_refused_without_network);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  void unread_hands_over_what_is_unread() {
    fill(3, 4);
    run({});
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, inbox_.count());
    CPPUNIT_ASSERT(rig_.log.has("7 mails, 4 unread"));
  }

  void all_hands_everything_over() {
    fill(3, 4);
    run({{"start_from", "all"}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{7}, inbox_.count());
  }

  void now_hands_over_what_comes() {
    fill(3, 4);
    run({{"start_from", "now"}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    rig_.world->put();
    rig_.until("the new one", [&] { return inbox_.count() == 1; });
  }

  void a_time_hands_over_what_came_since() {
    fill(6, 0);  // one a minute, the newest now
    run({{"start_from", m365::format_time(rig_.clock.wall() - 150s)}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, inbox_.count());
  }

  void an_old_mail_moved_in_later_is_new() {
    fill(2, 0);
    rig_.world->add_folder(support_user, {"junkemail@x", "Junk Email", "root"});
    fake::Message old;
    old.received = rig_.clock.wall() - 24h * 9;
    old.read = true;
    const std::string id = rig_.world->put(support_user, old, "junkemail@x");
    run({{"start_from", "now"}});
    rig_.world->move(support_user, id, "inbox");
    rig_.until("released", [&] { return inbox_.count() == 1; });
    rig_.pass(20min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void start_from_decides_only_the_first_opening() {
    fill(3, 2);
    run({{"start_from", "now"}});
    rig_.restart();
    Inbox again;
    rig_.open(again, {{"start_from", "all"}});
    rig_.start();
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, again.count());
  }

  void too_many_unread_wait_for_the_administrator() {
    fill(0, 12);
    const mail::MailboxId box = rig_.open(inbox_, {{"first_fetch_limit", "10"}});
    rig_.start();
    rig_.until("held", [&] { return rig_.watcher.health(box).cause == Cause::first_fetch; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::degraded);
    CPPUNIT_ASSERT(rig_.watcher.health(box).text.find("12") != std::string::npos);
    rig_.world->put();  // arrives after the first opening
    rig_.until("the new one", [&] { return inbox_.count() == 1; });
    rig_.pass(40min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT(rig_.watcher.health(box).cause == Cause::first_fetch);
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.idles());
    rig_.restart();
    Inbox again;
    const mail::MailboxId now = rig_.open(again, {{"first_fetch_limit", "10"}, {"start_from", "all"}});
    rig_.start();
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{12}, again.count());
    CPPUNIT_ASSERT(rig_.watcher.health(now).state == State::ready);
  }

  void held_backlog_goes_on_when_somebody_read_it() {
    fill(0, 12);
    rig_.open(inbox_, {{"first_fetch_limit", "10"}});
    rig_.start();
    rig_.pass(30s);
    for (const fake::Message& message : rig_.world->in_folder(support_user, "inbox"))
      rig_.world->change(support_user, message.id, [](fake::Message& m) { m.read = true; });
    rig_.until(
        "idle", [&] { return inbox_.idles() == 1; }, 5s, 1h);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
  }

  void a_long_folder_starts_with_the_newest() {
    fill(2'010, 0);
    fake::Message old;
    old.received = rig_.clock.wall() - 24h * 30;
    const std::string id = rig_.world->put(support_user, old);
    rig_.world->put();
    run({});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rig_.world->count("read a mail"));  // the old one, by the list
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
  }

  void a_long_folder_is_read_whole_when_all_is_wanted() {
    fill(2'010, 0);
    run({{"start_from", "all"}, {"after_fetch", "leave"}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{2'010}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rig_.world->count("read a mail"));
  }

  void lost_state_in_a_long_folder_is_absorbed() {
    fill(2'010, 2);
    run({});
    rig_.world->lose_delta_state();
    rig_.pass(60s);
    rig_.world->put();
    rig_.until("the new one", [&] { return inbox_.count() == 3; });
    rig_.pass(20min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, inbox_.count());
  }

  // Repeatable in big mailboxes, and dependent on $top: the first opening must come through all the same.
  void a_list_that_ends_in_504_is_asked_for_in_smaller_pages() {
    fill(3, 40);
    rig_.world->set_intercept([](const m365::GraphRequest& request) -> std::optional<Reply> {
      const std::size_t at = request.path.find("$top=");
      if (request.operation != "list the folder" || at == std::string::npos) return std::nullopt;
      if (std::stoi(request.path.substr(at + 5)) <= 20) return std::nullopt;
      return fake::error(504, "UnknownError");
    });
    run({});
    CPPUNIT_ASSERT_EQUAL(std::size_t{40}, inbox_.count());
    CPPUNIT_ASSERT(rig_.world->count("list the folder") < 15);
  }

  void a_folder_by_its_path() {
    rig_.world->add_folder(support_user, {"claims", "Claims", "inbox"});
    rig_.world->add_folder(support_user, {"slash", "a/b", "claims"});
    fake::Message message;
    rig_.world->put(support_user, message, "slash");
    run({{"folder", "Inbox/claims/a\\/B"}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void a_hidden_folder_by_its_path() {
    rig_.world->add_folder(support_user, {"claims", "Claims", "inbox", false, true});
    rig_.world->put(support_user, {}, "claims");
    run({{"folder", "inbox/Claims"}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void a_missing_folder_is_told_and_found_when_it_comes() {
    const mail::MailboxId box = rig_.open(inbox_, {{"folder", "inbox/Claims"}});
    rig_.start();
    rig_.until("missing", [&] { return rig_.watcher.health(box).cause == Cause::folder_missing; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).text.find("inbox/Claims") != std::string::npos);
    rig_.world->add_folder(support_user, {"claims", "Claims", "inbox"});
    rig_.world->put(support_user, {}, "claims");
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::ready);
  }

  void a_renamed_folder_is_still_read() {
    rig_.world->add_folder(support_user, {"claims", "Claims", "inbox"});
    run({{"folder", "inbox/Claims"}});
    rig_.world->change_folder(support_user, "claims", [](fake::Folder& folder) { folder.name = "Schaden"; });
    rig_.restart();
    Inbox again;
    rig_.open(again, {{"folder", "inbox/Claims"}});
    rig_.start();
    rig_.until_idle(again, 1);
    rig_.world->put(support_user, {}, "claims");
    rig_.until("read", [&] { return again.count() == 1; });
  }

  void a_deleted_folder_is_told_and_recovers() {
    rig_.world->add_folder(support_user, {"claims", "Claims", "inbox"});
    const mail::MailboxId box = rig_.open(inbox_, {{"folder", "inbox/Claims"}});
    rig_.start();
    rig_.until_idle(inbox_, 1);
    rig_.world->change_folder(support_user, "claims", [](fake::Folder& folder) { folder.deleted = true; });
    rig_.until("missing", [&] { return rig_.watcher.health(box).cause == Cause::folder_missing; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::failed);
    rig_.world->add_folder(support_user, {"claims-2", "Claims", "inbox"});
    rig_.world->put(support_user, {}, "claims-2");
    rig_.until("read again", [&] { return inbox_.count() == 1; });
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == State::ready);
  }

  void two_addresses_of_one_folder() {
    rig_.world->put();
    const mail::MailboxId first = rig_.open(inbox_);
    Inbox second;
    const mail::MailboxId other = rig_.open(second, {{"address", "help@contoso.com"}, {"email_account", support_user}});
    rig_.start();
    rig_.until("one is refused", [&] {
      return rig_.watcher.health(first).cause == Cause::folder_shared ||
             rig_.watcher.health(other).cause == Cause::folder_shared;
    });
    rig_.pass(60s);
    const mail::Health refused = rig_.watcher.health(first).cause == Cause::folder_shared ? rig_.watcher.health(first)
                                                                                          : rig_.watcher.health(other);
    CPPUNIT_ASSERT(refused.state == State::failed);
    CPPUNIT_ASSERT(refused.text.find("help@contoso.com") != std::string::npos);
    CPPUNIT_ASSERT(refused.text.find(support_user) != std::string::npos);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count() + second.count());
    rig_.server.reset();  // before the inbox of this scope
  }

  void the_second_gets_it_when_the_first_closes() {
    const mail::MailboxId first = rig_.open(inbox_);
    rig_.start();
    rig_.until_idle(inbox_, 1);
    Inbox second;
    const mail::MailboxId other = rig_.open(second, {{"address", "help@contoso.com"}, {"email_account", support_user}});
    rig_.until("refused", [&] { return rig_.watcher.health(other).cause == Cause::folder_shared; });
    CPPUNIT_ASSERT(rig_.server->close_mailbox(first));
    CPPUNIT_ASSERT(!rig_.server->close_mailbox(first));
    rig_.until_idle(second, 1);
    rig_.world->put();
    rig_.until("handed over", [&] { return second.count() == 1; });
    CPPUNIT_ASSERT(rig_.watcher.health(other).state == State::ready);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    rig_.server.reset();
  }

  void a_faulty_setting_is_refused_without_network() {
    struct Kept final : mail::Problems {
      void add(std::string_view key, std::string_view) override { keys.emplace_back(key); }
      std::vector<std::string> keys;
    } problems;
    CPPUNIT_ASSERT(!rig_.server->open_mailbox(rig_.address({{"start_from", "yesterday"}}), inbox_, problems));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, problems.keys.size());
    CPPUNIT_ASSERT_EQUAL(std::string("start_from"), problems.keys.front());
  }

 private:
  void fill(int read, int unread) {
    for (int i = 0; i < read + unread; ++i) {
      fake::Message message;
      message.read = i < read;
      message.received = rig_.clock.wall() - std::chrono::minutes(i) - 1s;
      rig_.world->put(support_user, message);
    }
  }

  void run(mail::Settings settings) {
    rig_.open(inbox_, std::move(settings));
    rig_.start();
    rig_.until_idle(inbox_, 1);
  }

  Inbox inbox_;
  Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingOpeningTest);

}  // namespace
