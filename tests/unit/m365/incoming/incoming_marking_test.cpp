// After the verdict: what is done in the mailbox, how often, and what counts as done.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>

#include "m365/incoming/incoming_rig.h"
#include "m365/incoming/marking.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::Reply;
using fake::Rig;
using fake::support_user;
using mail::Verdict;

class IncomingMarkingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingMarkingTest);
  CPPUNIT_TEST(the_words_of_each_setting);
  CPPUNIT_TEST(moves_to_a_folder_made_when_missing);
  CPPUNIT_TEST(a_target_that_was_deleted_is_made_again);
  CPPUNIT_TEST(deletes_to_deleted_items);
  CPPUNIT_TEST(leaves_alone);
  CPPUNIT_TEST(a_requested_read_receipt_is_not_sent);
  CPPUNIT_TEST(nor_where_the_same_patch_is_too_late);
  CPPUNIT_TEST(a_read_receipt_is_sent_where_it_shall_be);
  CPPUNIT_TEST(rejected_is_left_where_after_fetch_leaves);
  CPPUNIT_TEST(rejected_stands_at_the_top_where_no_parent_is_told);
  CPPUNIT_TEST(marks_of_several_mailboxes_share_a_batch);
  CPPUNIT_TEST(a_full_page_is_marked_in_batches);
  CPPUNIT_TEST(mailboxes_with_many_marks_do_not_wait_for_each_other);
  CPPUNIT_TEST(a_batch_that_ends_with_another_mailbox_is_sent_again);
  CPPUNIT_TEST(a_404_is_done);
  CPPUNIT_TEST(cannot_delete_is_done_when_a_get_says_so);
  CPPUNIT_TEST(failures_are_repeated_and_shown);
  CPPUNIT_TEST(one_mailbox_that_refuses_marks_holds_up_no_other);
  CPPUNIT_TEST(marks_survive_a_restart);
  CPPUNIT_TEST(nothing_is_marked_before_the_verdict);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  void the_words_of_each_setting() {
    m365::MailboxSettings settings;
    CPPUNIT_ASSERT_EQUAL(std::string("read"), m365::accepted_mark(settings, false));
    CPPUNIT_ASSERT_EQUAL(std::string("read,no-receipt"), m365::accepted_mark(settings, true));
    settings.suppress_read_receipts = false;
    CPPUNIT_ASSERT_EQUAL(std::string("read"), m365::accepted_mark(settings, true));
    settings.after_fetch = {m365::AfterFetch::Kind::move, "Done"};
    CPPUNIT_ASSERT_EQUAL(std::string("move:Done"), m365::accepted_mark(settings, true));
    settings.after_fetch = {m365::AfterFetch::Kind::leave, ""};
    CPPUNIT_ASSERT_EQUAL(std::string(), m365::accepted_mark(settings, true));
    CPPUNIT_ASSERT_EQUAL(std::string("reject:Rejected"), m365::rejected_mark(settings));
    settings.rejected = {m365::AfterFetch::Kind::leave, ""};
    CPPUNIT_ASSERT_EQUAL(std::string(), m365::rejected_mark(settings));
  }

  void moves_to_a_folder_made_when_missing() {
    const std::string id = rig_.world->put(), other = rig_.world->put();
    run({{"after_fetch", "move:inbox/Done"}});
    const auto folder = rig_.world->folder_named(support_user, "Done");
    CPPUNIT_ASSERT(folder.has_value());
    CPPUNIT_ASSERT_EQUAL("inbox@" + support_user, folder->parent);
    CPPUNIT_ASSERT_EQUAL(folder->id, rig_.world->find(support_user, id)->folder);
    CPPUNIT_ASSERT_EQUAL(folder->id, rig_.world->find(support_user, other)->folder);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rig_.world->count("make the folder"));
    rig_.pass(60s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
  }

  void a_target_that_was_deleted_is_made_again() {
    rig_.world->put();
    run({{"after_fetch", "move:Done"}});
    const std::string first = rig_.world->folder_named(support_user, "Done")->id;
    rig_.world->change_folder(support_user, first, [](fake::Folder& folder) { folder.deleted = true; });
    const std::string id = rig_.world->put();
    rig_.until_idle(inbox_, 2);
    CPPUNIT_ASSERT_EQUAL(rig_.world->folder_named(support_user, "Done")->id,
                         rig_.world->find(support_user, id)->folder);
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->folder != first);
  }

  void deletes_to_deleted_items() {
    const std::string id = rig_.world->put();
    run({{"after_fetch", "delete"}});
    CPPUNIT_ASSERT_EQUAL("deleteditems@" + support_user, rig_.world->find(support_user, id)->folder);
  }

  void leaves_alone() {
    const std::string id = rig_.world->put();
    run({{"after_fetch", "leave"}});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT(!rig_.world->find(support_user, id)->read);
    rig_.pass(40min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  // Two readings of graph-mail.md, section 12: the PATCH that marks can take the request back, or it comes too late.
  void a_requested_read_receipt_is_not_sent() { no_receipt_is_sent(); }
  void nor_where_the_same_patch_is_too_late() {
    rig_.world->same_patch_is_too_late = true;
    no_receipt_is_sent();
  }

  void a_read_receipt_is_sent_where_it_shall_be() {
    fake::Message message;
    message.wants_receipt = true;
    const std::string id = rig_.world->put(support_user, message);
    run({{"read_receipts", "leave"}});
    CPPUNIT_ASSERT_EQUAL(1, rig_.world->find(support_user, id)->receipts_sent);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rig_.world->count("mark a mail as read"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rig_.world->count("take back the request for a read receipt"));
  }

  void rejected_is_left_where_after_fetch_leaves() {
    const std::string id = rig_.world->put();
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::rejected; };
    run({{"after_fetch", "leave"}});
    rig_.pass(5min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL("inbox@" + support_user, rig_.world->find(support_user, id)->folder);
  }

  // Everything but an id can be missing in an answer.
  void rejected_stands_at_the_top_where_no_parent_is_told() {
    rig_.world->set_intercept(
        [this, nested = false](const m365::GraphRequest& request) mutable -> std::optional<Reply> {
          if (nested || request.operation != "read the folder") return std::nullopt;
          nested = true;
          Reply reply = rig_.world->answer(request);
          nested = false;
          const std::size_t at = reply.body.find(",\"parentFolderId\"");
          reply.body.erase(at, reply.body.find(',', at + 1) - at);
          return reply;
        });
    const std::string id = rig_.world->put();
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::rejected; };
    run({});
    const auto folder = rig_.world->folder_named(support_user, "Rejected");
    CPPUNIT_ASSERT(folder.has_value());
    CPPUNIT_ASSERT_EQUAL("root@" + support_user, folder->parent);
    CPPUNIT_ASSERT_EQUAL(folder->id, rig_.world->find(support_user, id)->folder);
  }

  void marks_of_several_mailboxes_share_a_batch() {
    std::vector<Inbox> inboxes(15);
    std::vector<std::string> users;
    for (std::size_t i = 0; i < inboxes.size(); ++i) {
      users.push_back("box" + std::to_string(i) + "@contoso.com");
      rig_.open(inboxes[i], {{"address", users.back()}});
    }
    rig_.start();
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    std::size_t shared = 0;
    {
      const std::lock_guard lock(rig_.world->mutex);
      rig_.world->intercept_batch = [&](const std::vector<m365::GraphRequest>& requests) -> std::optional<Reply> {
        if (requests.front().method == "PATCH") shared = std::max(shared, requests.size());
        return std::nullopt;
      };
    }
    for (const std::string& user : users) rig_.world->put(user);
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 2);
    CPPUNIT_ASSERT(shared >= 5);
    rig_.server.reset();
  }

  void a_full_page_is_marked_in_batches() {
    for (int i = 0; i < 100; ++i) rig_.world->put();
    run({});
    CPPUNIT_ASSERT_EQUAL(std::size_t{100}, rig_.world->count("mark a mail as read"));
    CPPUNIT_ASSERT(rig_.world->batches >= 5);
    CPPUNIT_ASSERT(rig_.world->batches <= 12);
  }

  // Each has marks for three full batches of its own, which take a second each.
  void mailboxes_with_many_marks_do_not_wait_for_each_other() {
    rig_.world->delay = [](const m365::GraphRequest& request) -> std::chrono::milliseconds {
      return request.method == "PATCH" ? 1s : 0s;
    };
    std::vector<Inbox> inboxes(2);  // as many as there are workers
    for (std::size_t i = 0; i < inboxes.size(); ++i) {
      const std::string user = "box" + std::to_string(i) + "@contoso.com";
      for (int mail = 0; mail < 60; ++mail) rig_.world->put(user);
      rig_.open(inboxes[i], {{"address", user}});
    }
    rig_.start();
    const auto all_handed_over = [&] {
      return std::ranges::all_of(inboxes, [](const Inbox& inbox) { return inbox.count() == 60; });
    };
    rig_.until("all handed over", all_handed_over);
    const mail::SteadyTime begun = rig_.clock.now();
    rig_.until("all marked", [&] { return rig_.world->count("mark a mail as read") == 120; });
    const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(rig_.clock.now() - begun);
    CPPUNIT_ASSERT_MESSAGE(std::to_string(took.count()) + " ms", took <= 4500ms);
    rig_.server.reset();
  }

  // A shared batch ends as cancelled when the mailbox whose turn it was is closed meanwhile.
  void a_batch_that_ends_with_another_mailbox_is_sent_again() {
    std::vector<Inbox> inboxes(2);
    for (std::size_t i = 0; i < inboxes.size(); ++i)
      rig_.open(inboxes[i], {{"address", "box" + std::to_string(i) + "@contoso.com"}});
    rig_.start();
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 1);
    std::size_t cancelled = 0;
    {
      const std::lock_guard lock(rig_.world->mutex);
      rig_.world->intercept_batch = [&](const std::vector<m365::GraphRequest>& requests) -> std::optional<Reply> {
        if (requests.front().method == "PATCH" && cancelled++ == 0)
          throw mail::FaultError(
              {mail::Cause::none, mail::Remedy::cancelled, "The work was stopped.", {}, {}, {}, false});
        return std::nullopt;
      };
    }
    for (std::size_t i = 0; i < inboxes.size(); ++i) {
      for (int mail = 0; mail < 2; ++mail) rig_.world->put("box" + std::to_string(i) + "@contoso.com");
    }
    for (const Inbox& inbox : inboxes) rig_.until_idle(inbox, 2);
    CPPUNIT_ASSERT(cancelled >= 2);
    CPPUNIT_ASSERT_EQUAL(std::size_t{4}, rig_.world->count("mark a mail as read"));
    rig_.server.reset();
  }

  void a_404_is_done() {
    const std::string id = rig_.world->put();
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      rig_.world->remove(support_user, id);
      return Verdict::accepted;
    };
    const mail::MailboxId box = run({});
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT(rig_.watcher.health(box).state == mail::State::ready);
  }

  void cannot_delete_is_done_when_a_get_says_so() {
    const std::string id = rig_.world->put();
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation == "move a mail") return fake::error(403, "ErrorCannotDeleteObject");
      if (request.operation == "look for a mail" && gone_) return fake::error(404, "ErrorItemNotFound");
      return std::nullopt;
    });
    rig_.open(inbox_, {{"after_fetch", "delete"}});
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 1; });
    rig_.pass(2min, 1s);
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.idles());  // the GET still finds it
    gone_ = true;
    rig_.until_idle(inbox_, 1);
  }

  void failures_are_repeated_and_shown() {
    const std::string id = rig_.world->put();
    int left = 6;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation != "mark a mail as read" || left == 0) return std::nullopt;
      return --left % 2 == 0 ? fake::error(503, "ErrorServerBusy") : fake::error(403, "ErrorAccessDenied");
    });
    const mail::MailboxId box = run({});
    CPPUNIT_ASSERT_EQUAL(0, left);
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
    const auto history = rig_.watcher.history(box);
    CPPUNIT_ASSERT(
        std::ranges::any_of(history, [](const mail::Health& health) { return health.state == mail::State::degraded; }));
    CPPUNIT_ASSERT(history.back().state == mail::State::ready);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void one_mailbox_that_refuses_marks_holds_up_no_other() {
    const std::string bad = "bad@contoso.com";
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation == "mark a mail as read" && request.mailbox == bad) return fake::error(429, "TooMany");
      return std::nullopt;
    });
    Inbox other;
    rig_.open(other, {{"address", bad}});
    rig_.world->put(bad);
    rig_.world->put();
    run({});
    for (unsigned i = 2; i < 6; ++i) {
      rig_.world->put();
      rig_.world->put(bad);
      rig_.until_idle(inbox_, i);
    }
    CPPUNIT_ASSERT_EQUAL(0u, other.idles());
    rig_.world->set_intercept(nullptr);
    rig_.until_idle(other, 1);
    rig_.server.reset();
  }

  void marks_survive_a_restart() {
    const std::string id = rig_.world->put();
    rig_.world->set_intercept([](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation == "mark a mail as read") return fake::error(503, "ErrorServerBusy");
      return std::nullopt;
    });
    rig_.open(inbox_);
    rig_.start();
    rig_.until("handed over", [&] { return inbox_.count() == 1; });
    rig_.pass(5s);
    rig_.restart();
    rig_.world->set_intercept(nullptr);
    Inbox again;
    rig_.open(again);
    rig_.start();
    rig_.until_idle(again, 1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, again.count());
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read);
    rig_.server.reset();
  }

  void nothing_is_marked_before_the_verdict() {
    rig_.world->put();
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    rig_.open(inbox_);
    rig_.start();
    rig_.pass(5min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rig_.world->count("mark a mail as read"));
  }

 private:
  void no_receipt_is_sent() {
    fake::Message message;
    message.wants_receipt = true;
    const std::string id = rig_.world->put(support_user, message), other = rig_.world->put();
    run({});
    CPPUNIT_ASSERT(rig_.world->find(support_user, id)->read && rig_.world->find(support_user, other)->read);
    CPPUNIT_ASSERT_EQUAL(0, rig_.world->find(support_user, id)->receipts_sent);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rig_.world->count("take back the request for a read receipt"));
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rig_.world->count("mark a mail as read"));
  }

  mail::MailboxId run(mail::Settings settings) {
    const mail::MailboxId box = rig_.open(inbox_, std::move(settings));
    rig_.start();
    rig_.until_idle(inbox_, 1);
    return box;
  }

  bool gone_ = false;
  Inbox inbox_;
  Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingMarkingTest);

}  // namespace
