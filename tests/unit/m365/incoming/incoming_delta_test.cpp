// Rows are hints: what delta shows, hides, repeats and loses.
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
using mail::Verdict;

class IncomingDeltaTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingDeltaTest);
  CPPUNIT_TEST(incomplete_rows_are_fetched);
  CPPUNIT_TEST(rows_without_headers_are_fetched);
  CPPUNIT_TEST(echoes_of_our_marking_cost_nothing);
  CPPUNIT_TEST(drafts_are_never_handed_over);
  CPPUNIT_TEST(removed_is_believed_only_after_a_get);
  CPPUNIT_TEST(a_mail_moved_away_before_its_retry_is_the_other_queues);
  CPPUNIT_TEST(a_mail_moved_to_another_queue_is_that_queues);
  CPPUNIT_TEST(the_same_mail_under_a_new_id_is_absorbed);
  CPPUNIT_TEST(an_undecided_mail_keeps_its_identity_under_a_new_id);
  CPPUNIT_TEST(lost_state_is_absorbed);
  CPPUNIT_TEST(lost_state_in_mid_series_is_absorbed);
  CPPUNIT_TEST(state_lost_on_every_page_lets_lists_take_over);
  CPPUNIT_TEST(state_lost_after_every_round_does_not_read_the_folder_for_ever);
  CPPUNIT_TEST(moved_out_and_back_unseen_is_found_by_the_list);
  CPPUNIT_TEST(a_broken_answer_is_asked_for_again);
  CPPUNIT_TEST(an_unreadable_page_is_halved_until_the_culprit_stands_alone);
  CPPUNIT_TEST(a_link_to_another_server_is_never_kept);
  CPPUNIT_TEST(a_list_that_leads_elsewhere_is_told_and_begun_anew);
  CPPUNIT_TEST(a_504_halves_the_page);
  CPPUNIT_TEST(endless_pages_do_not_hold_up_another_mailbox);
  CPPUNIT_TEST(endless_lists_slow_down_and_are_told);
  CPPUNIT_TEST(the_cursor_waits_for_the_page);
  CPPUNIT_TEST(a_quiet_round_writes_nothing);
  CPPUNIT_TEST(without_delta_lists_do);
  CPPUNIT_TEST(delta_refused_at_trying_falls_back);
  CPPUNIT_TEST(old_mail_comes_also_where_delta_is_refused);
  CPPUNIT_TEST(a_404_of_delta_alone_is_no_missing_mailbox);
  CPPUNIT_TEST(pages_without_a_link_hold_no_mail_back);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  void incomplete_rows_are_fetched() {
    fake::Message message;
    message.sparse = true;
    rig_.world->put(support_user, message);
    run(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::string("a question"), inbox_.received().front().subject);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, rig_.world->count("read a mail"));
  }

  void rows_without_headers_are_fetched() {
    const std::string headers = ",\"internetMessageHeaders\":[{\"name\":\"Received\",\"value\":\"x\"}]";
    edit_delta([headers](Reply& reply) {
      for (std::size_t at; (at = reply.body.find(headers)) != std::string::npos;) reply.body.erase(at, headers.size());
    });
    rig_.world->put();
    rig_.world->put();
    run(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, rig_.world->count("read a mail"));
  }

  void echoes_of_our_marking_cost_nothing() {
    for (int i = 0; i < 30; ++i) rig_.world->put();
    run(1);
    rig_.pass(60s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{30}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rig_.world->count("read a mail"));
  }

  void drafts_are_never_handed_over() {
    fake::Message draft;
    draft.draft = true;
    const std::string id = rig_.world->put(support_user, draft);
    run(1);
    rig_.pass(30min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    rig_.world->change(support_user, id, [](fake::Message& message) { message.draft = false; });
    rig_.until("it is a mail now", [&] { return inbox_.count() == 1; });
  }

  void removed_is_believed_only_after_a_get() {
    const std::string stays = rig_.world->put(), leaves = rig_.world->put();
    const auto later = [&](const fake::Received&, std::chrono::milliseconds&) { return Verdict::retry_later; };
    inbox_.decide = later;
    start();
    rig_.until("both set aside", [&] { return inbox_.count() == 2; });
    // Moved out and back between two rounds: the row says removed, the mail is there.
    rig_.world->move(support_user, stays, "deleteditems");
    rig_.pass(11s);
    rig_.world->move(support_user, stays, "inbox");
    rig_.world->remove(support_user, leaves);
    inbox_.decide = nullptr;
    rig_.until_idle(inbox_, 1);
    rig_.pass(5min, 2s);
    std::size_t times = 0;
    for (const auto& mail : inbox_.received()) times += mail.service_id == stays ? 1u : 0u;
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, times);
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, inbox_.count());
  }

  void a_mail_moved_away_before_its_retry_is_the_other_queues() {
    rig_.world->add_folder(support_user, {"claims-id", "Claims", "root"});
    Inbox claims;
    const std::string id = rig_.world->put();
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::retry_later; };
    rig_.open(claims, {{"folder", "Claims"}});
    start();
    rig_.until("set aside", [&] { return inbox_.count() == 1; });
    rig_.world->move(support_user, id, "claims-id");
    rig_.until("the other queue's", [&] { return claims.count() == 1; });
    rig_.pass(20min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claims.count());
    CPPUNIT_ASSERT(inbox_.idles() > 0);
  }

  void a_mail_moved_to_another_queue_is_that_queues() {
    rig_.world->add_folder(support_user, {"claims-id", "Claims", "root"});
    Inbox claims;
    const std::string id = rig_.world->put();
    rig_.open(claims, {{"folder", "claims"}});
    run(1);
    rig_.world->move(support_user, id, "claims-id");
    rig_.until("the other queue's", [&] { return claims.count() == 1; });
    rig_.world->move(support_user, id, "inbox");
    rig_.pass(20min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, claims.count());
  }

  void the_same_mail_under_a_new_id_is_absorbed() {
    const std::string id = rig_.world->put();
    run(1);
    fake::Message moved = rig_.world->find(support_user, id).value();
    rig_.world->remove(support_user, id);
    moved.id = "AAk-other=";
    rig_.world->put(support_user, moved);
    rig_.until("absorbed", [&] { return rig_.log.has("seen under a second id"); });
    rig_.pass(20min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void an_undecided_mail_keeps_its_identity_under_a_new_id() {
    const std::string id = rig_.world->put();
    inbox_.decide = [&](const fake::Received&, std::chrono::milliseconds&) {
      return inbox_.count() > 1 ? Verdict::accepted : Verdict::retry_later;
    };
    start();
    rig_.until("set aside", [&] { return inbox_.count() == 1; });
    fake::Message moved = rig_.world->find(support_user, id).value();
    rig_.world->remove(support_user, id);
    moved.id = "AAk-other=";
    rig_.world->put(support_user, moved);
    rig_.until_idle(inbox_, 1);
    rig_.pass(5min, 2s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(inbox_.received()[0].stable_id, inbox_.received()[1].stable_id);
    CPPUNIT_ASSERT_EQUAL(std::string("AAk-other="), inbox_.received()[1].service_id);
  }

  void lost_state_is_absorbed() {
    for (int i = 0; i < 70; ++i) rig_.world->put();
    run(1);
    rig_.world->lose_delta_state();
    rig_.pass(30s);
    rig_.world->put();
    rig_.until("the new one", [&] { return inbox_.count() == 71; });
    CPPUNIT_ASSERT(rig_.log.has("read anew"));
    CPPUNIT_ASSERT(rig_.watcher.health(box_).state == mail::State::ready);
  }

  void lost_state_in_mid_series_is_absorbed() {
    for (int i = 0; i < 180; ++i) rig_.world->put();
    unsigned pages = 0;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation == "read the changes of the folder" && ++pages == 3)
        return fake::error(410, "SyncStateNotFound");
      return std::nullopt;
    });
    run(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{180}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{180}, distinct());
  }

  // Read from the beginning again and again, the folder's first page would come for ever and its last one never.
  void state_lost_on_every_page_lets_lists_take_over() {
    for (int i = 0; i < 120; ++i) rig_.world->put();
    bool forgets = true;
    forget_when([&forgets](const m365::GraphRequest& request) {
      return forgets && request.path.find("?$token=") != std::string::npos;
    });
    start();
    rig_.until("all of them, by lists", [&] { return inbox_.count() == 120; });
    const mail::Health told = rig_.watcher.health(box_);
    CPPUNIT_ASSERT(told.state == mail::State::degraded && told.cause == mail::Cause::service_fault);
    CPPUNIT_ASSERT_EQUAL(std::string("SyncStateNotFound"), told.code);
    CPPUNIT_ASSERT_EQUAL(std::string("req-1"), told.request_id);
    CPPUNIT_ASSERT(told.retry_after > 0ms);
    // The pauses grow: some tries in four hours, not one every ten seconds; mail comes all the while.
    for (int i = 1; i <= 24; ++i) {
      rig_.world->put();
      rig_.pass(10min, 5s);
      CPPUNIT_ASSERT_EQUAL(std::size_t{120} + static_cast<std::size_t>(i), inbox_.count());
      CPPUNIT_ASSERT(rig_.watcher.health(box_).state == mail::State::degraded);
    }
    CPPUNIT_ASSERT(rig_.world->count("read the changes of the folder") < 30);
    forgets = false;
    rig_.until(
        "the feed again", [&] { return rig_.watcher.health(box_).state == mail::State::ready; }, 5s, 5h);
    rig_.world->put();
    rig_.until("by the feed", [&] { return inbox_.count() == 145; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{145}, distinct());
  }

  // A first page comes, and then the link for the next round is never known: the same, for the other kind of link.
  void state_lost_after_every_round_does_not_read_the_folder_for_ever() {
    for (int i = 0; i < 30; ++i) rig_.world->put();
    forget_when([](const m365::GraphRequest& request) { return request.path.find("?$token=") != std::string::npos; });
    run(1);
    rig_.pass(4h, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{30}, inbox_.count());
    CPPUNIT_ASSERT(rig_.world->count("read the changes of the folder") < 30);
    CPPUNIT_ASSERT(rig_.watcher.health(box_).cause == mail::Cause::service_fault);
  }

  void moved_out_and_back_unseen_is_found_by_the_list() {
    run(1);
    const std::string id = rig_.world->put();
    // The trap of graph-mail.md, section 6: delta never shows it.
    rig_.world->change(support_user, id, [](fake::Message&) {});
    hide_from_delta(id);
    rig_.pass(5min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, inbox_.count());
    rig_.until(
        "found by the list", [&] { return inbox_.count() == 1; }, 5s, 20min);
    CPPUNIT_ASSERT(rig_.log.has("reconciliation found 1"));
    CPPUNIT_ASSERT_EQUAL(0u, inbox_.received().front().flags & mail::redelivered);
  }

  void a_broken_answer_is_asked_for_again() {
    rig_.world->put();
    unsigned pages = 0;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation == "read the changes of the folder" && ++pages <= 2)
        return Reply{200, R"({"value":[]})", {}};
      return std::nullopt;
    });
    run(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    const auto history = rig_.watcher.history(box_);
    CPPUNIT_ASSERT(std::ranges::any_of(
        history, [](const mail::Health& health) { return health.cause == mail::Cause::service_fault; }));
    CPPUNIT_ASSERT(history.back().state == mail::State::ready);
  }

  void an_unreadable_page_is_halved_until_the_culprit_stands_alone() {
    std::string culprit;
    for (int i = 0; i < 23; ++i) {
      const std::string id = rig_.world->put();
      if (i == 11) culprit = id;
    }
    rig_.world->set_intercept([&, nested = false](const m365::GraphRequest& request) mutable -> std::optional<Reply> {
      if (nested) return std::nullopt;
      nested = true;
      Reply reply = rig_.world->answer(request);
      nested = false;
      const std::size_t at = reply.body.find("\"id\":\"" + culprit + "\"");
      if (at != std::string::npos) reply.body.insert(reply.body.find("isRead", at), "\xff\xfe");
      if (request.operation == "read a mail") return fake::error(500, "ErrorInternalServerError");
      return reply;
    });
    start();
    rig_.until("all but one", [&] { return inbox_.count() == 22; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{22}, distinct());
    rig_.world->set_intercept(nullptr);
    rig_.until(
        "the culprit", [&] { return inbox_.count() == 23; }, 1s, 2h);
    CPPUNIT_ASSERT_EQUAL(culprit, inbox_.received().back().service_id);
  }

  // Also that of a page which cannot be read: what is salvaged from it is looked at as closely.
  void a_link_to_another_server_is_never_kept() {
    rig_.world->delta_page = 1;
    for (int i = 0; i < 3; ++i) rig_.world->put();
    bool hostile = true;
    std::size_t strangers = 0;
    rig_.world->set_intercept([&, nested = false](const m365::GraphRequest& request) mutable -> std::optional<Reply> {
      if (request.path.find("evil.example") != std::string::npos) ++strangers;
      if (nested || !hostile || request.operation != "read the changes of the folder") return std::nullopt;
      nested = true;
      Reply reply = rig_.world->answer(request);
      nested = false;
      const std::size_t link = reply.body.find("https://graph.microsoft.com");
      reply.body.replace(link, std::string("https://graph.microsoft.com").size(), "https://evil.example");
      reply.body.insert(reply.body.find("isRead"), "\xff\xfe");
      return reply;
    });
    start();
    rig_.until("told", [&] { return rig_.watcher.health(box_).cause == mail::Cause::service_fault; });
    rig_.pass(5min, 1s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, strangers);
    const auto store = rig_.environment->store();
    const auto cursor = store->cursor(store->stream({"contoso.onmicrosoft.com", "inbox@" + support_user}));
    CPPUNIT_ASSERT_EQUAL(std::string(), cursor.next_link + cursor.delta_link);
    hostile = false;
    rig_.until(
        "all", [&] { return inbox_.count() == 3; }, 1s, 10min);
  }

  void a_list_that_leads_elsewhere_is_told_and_begun_anew() {
    run(1);
    bool hostile = true;
    std::size_t strangers = 0;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.path.find("evil.example") != std::string::npos) ++strangers;
      if (!hostile || request.operation != "list the folder") return std::nullopt;
      return Reply{200, R"({"value":[],"@odata.nextLink":"https://evil.example/v1.0/users/x/messages?$skip=1"})", {}};
    });
    rig_.until(
        "told", [&] { return rig_.watcher.health(box_).cause == mail::Cause::service_fault; }, 5s, 20min);
    rig_.world->put();
    rig_.until("the feed goes on", [&] { return inbox_.count() == 1; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, strangers);
    hostile = false;
    const std::size_t before = rig_.world->count("list the folder");
    rig_.until("lists too", [&] { return rig_.world->count("list the folder") > before; });
    rig_.pass(1min, 1s);
    CPPUNIT_ASSERT(rig_.watcher.health(box_).state == mail::State::ready);
  }

  void a_504_halves_the_page() {
    for (int i = 0; i < 40; ++i) rig_.world->put();
    rig_.world->set_intercept([](const m365::GraphRequest& request) -> std::optional<Reply> {
      for (const std::string& prefer : request.prefer) {
        if (prefer.find("=50") != std::string::npos || prefer.find("=25") != std::string::npos)
          return fake::error(504, "UnknownError");
      }
      return std::nullopt;
    });
    run(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{40}, inbox_.count());
  }

  void endless_pages_do_not_hold_up_another_mailbox() {
    std::size_t link = 0;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation != "read the changes of the folder" || request.mailbox != support_user) return std::nullopt;
      return Reply{200,
                   "{\"value\":[],\"@odata.nextLink\":\"https://graph.microsoft.com/v1.0/users/x/y?" +
                       std::to_string(++link) + "\"}",
                   {}};
    });
    Inbox other;
    rig_.open(other, {{"address", "sales@contoso.com"}});
    start();
    for (unsigned i = 1; i <= 5; ++i) {
      rig_.world->put("sales@contoso.com");
      rig_.until_idle_while_busy(other, i);
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{5}, other.count());
    rig_.until("it slows down", [&] { return link >= 500; });
    const std::size_t before = link;
    rig_.pass(60s);
    CPPUNIT_ASSERT(link - before < 200);
  }

  void endless_lists_slow_down_and_are_told() {
    std::size_t link = 0;
    bool endless = true;
    rig_.world->set_intercept([&](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (!endless || request.operation != "list the folder" || request.mailbox != support_user) return std::nullopt;
      return Reply{200,
                   R"({"value":[],"@odata.nextLink":"https://graph.microsoft.com/v1.0/users/x/messages?$skip=)" +
                       std::to_string(++link) + "\"}",
                   {}};
    });
    Inbox other;
    rig_.open(other, {{"address", "sales@contoso.com"}});
    start();
    rig_.busy = 1;
    rig_.until("it slows down", [&] { return link >= 500; });
    rig_.busy = 0;
    rig_.until("told", [&] { return rig_.watcher.health(box_).cause == mail::Cause::service_fault; });
    const std::size_t before = link;
    rig_.pass(60s);
    CPPUNIT_ASSERT(link - before < 100);
    rig_.world->put("sales@contoso.com");
    rig_.until_idle(other, 2);
    endless = false;
    rig_.world->put();
    rig_.until(
        "it ends", [&] { return inbox_.count() == 1; }, 1s, 10min);
    rig_.until("well again", [&] { return rig_.watcher.health(box_).state == mail::State::ready; });
  }

  void the_cursor_waits_for_the_page() {
    for (int i = 0; i < 60; ++i) rig_.world->put();
    inbox_.decide = [](const fake::Received&, std::chrono::milliseconds&) { return Verdict::pending; };
    start();
    rig_.until("the window is full", [&] { return inbox_.count() == 32; });
    const auto store = rig_.environment->store();
    const auto stream = store->stream({"contoso.onmicrosoft.com", "inbox@" + support_user});
    CPPUNIT_ASSERT(store->cursor(stream).next_link.empty());
    CPPUNIT_ASSERT(store->cursor(stream).delta_link.empty());
    CPPUNIT_ASSERT_EQUAL(std::size_t{50}, store->asides(stream).size());
  }

  void a_quiet_round_writes_nothing() {
    rig_.world->put();
    run(1);
    rig_.pass(30s);
    const auto store = rig_.environment->store();
    const auto stream = store->stream({"contoso.onmicrosoft.com", "inbox@" + support_user});
    const store::Cursor before = store->cursor(stream);
    rig_.world->change(support_user, rig_.world->in_folder(support_user, "inbox").front().id, [](fake::Message&) {});
    rig_.pass(5min, 2s);
    CPPUNIT_ASSERT(before == store->cursor(stream));
  }

  void without_delta_lists_do() {
    rig_.settings.tenant.delta_offered = false;
    rig_.restart();
    fake::Message old;
    old.received = rig_.clock.wall() - 24h;
    old.read = true;
    rig_.world->put(support_user, old);
    rig_.world->put();
    run(1);
    rig_.world->put();
    rig_.until("the next", [&] { return inbox_.count() == 2; });
    rig_.pass(60s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, rig_.world->count("read the changes of the folder"));
  }

  void delta_refused_at_trying_falls_back() {
    rig_.world->delta_offered = false;
    rig_.world->put();
    run(1);
    rig_.world->put();
    rig_.until("the next", [&] { return inbox_.count() == 2; });
    CPPUNIT_ASSERT(rig_.log.has("not offered here"));
    rig_.world->delta_offered = true;
    rig_.pass(70min, 10s);
    rig_.world->put();
    rig_.until("by delta again", [&] { return inbox_.count() == 3; });
    CPPUNIT_ASSERT(rig_.world->count("read the changes of the folder") > 1);
  }

  // The lists that stand in for the feed go back hours; what stood there unread before the first opening is older.
  void old_mail_comes_also_where_delta_is_refused() {
    rig_.world->delta_offered = false;
    put_old();
    run(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
    rig_.pass(30min, 5s);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, inbox_.count());
  }

  void a_404_of_delta_alone_is_no_missing_mailbox() {
    rig_.world->set_intercept([](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation == "read the changes of the folder") return fake::error(404, "ResourceNotFound");
      return std::nullopt;
    });
    put_old();
    rig_.world->put();
    run(1);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, inbox_.count());
    CPPUNIT_ASSERT(rig_.watcher.health(box_).state == mail::State::ready);
  }

  void pages_without_a_link_hold_no_mail_back() {
    edit_delta([](Reply& reply) {
      const std::size_t at = reply.body.find(",\"@odata.");
      if (at != std::string::npos) reply.body = reply.body.substr(0, at) + "}";
    });
    put_old();
    rig_.world->put();
    start();
    rig_.until("what the page shows is handed over", [&] { return inbox_.count() == 2; });
    rig_.until_idle(inbox_, 1);
    CPPUNIT_ASSERT(rig_.log.has("not offered here"));
    rig_.world->put();
    rig_.until("by lists", [&] { return inbox_.count() == 3; });
    CPPUNIT_ASSERT_EQUAL(std::size_t{3}, distinct());
    CPPUNIT_ASSERT(rig_.watcher.health(box_).state == mail::State::ready);
  }

 private:
  void put_old() {
    fake::Message old;
    old.received = rig_.clock.wall() - 24h * 5;
    rig_.world->put(support_user, old);
  }

  void start() {
    box_ = rig_.open(inbox_);
    rig_.start();
  }

  void run(unsigned idles) {
    start();
    rig_.until_idle(inbox_, idles);
  }

  std::size_t distinct() {
    std::set<std::string> ids;
    for (const auto& mail : inbox_.received()) ids.insert(mail.stable_id);
    return ids.size();
  }

  void forget_when(std::function<bool(const m365::GraphRequest&)> when) {
    rig_.world->set_intercept([when = std::move(when)](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (request.operation == "read the changes of the folder" && when(request))
        return fake::error(410, "SyncStateNotFound");
      return std::nullopt;
    });
  }

  void hide_from_delta(const std::string& id) {
    edit_delta([id](Reply& reply) {
      if (reply.body.find(id) == std::string::npos) return;
      const std::size_t from = reply.body.find('[') + 1;
      reply.body.erase(from, reply.body.rfind(']') - from);
    });
  }

  void edit_delta(std::function<void(Reply&)> edit) {
    rig_.world->set_intercept([this, edit = std::move(edit),
                               nested = false](const m365::GraphRequest& request) mutable -> std::optional<Reply> {
      if (nested || request.operation != "read the changes of the folder") return std::nullopt;
      nested = true;
      Reply reply = rig_.world->answer(request);
      nested = false;
      edit(reply);
      return reply;
    });
  }

  Inbox inbox_;
  Rig rig_;
  mail::MailboxId box_ = 0;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingDeltaTest);

}  // namespace
