// Mails that cannot be read: each is set aside, holds nobody back, and is given up only when it alone is at fault.
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
using mail::Verdict;

const char* const with_file =
    R"({"@odata.type":"#microsoft.graph.fileAttachment","id":"a2","name":"invoice.pdf","contentType":"application/pdf","size":4000,"isInline":false})";

class IncomingUnreadableTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingUnreadableTest);
  CPPUNIT_TEST(a_mail_that_cannot_be_read_does_not_hold_up_the_others);
  CPPUNIT_TEST(a_mail_whose_answers_are_garbage_is_stepped_around);
  CPPUNIT_TEST(after_a_day_an_unreadable_mail_is_moved_away);
  CPPUNIT_TEST(an_outage_of_a_day_moves_nothing);
  CPPUNIT_TEST(after_a_day_a_mail_of_garbage_is_moved_away);
  CPPUNIT_TEST(a_day_of_garbage_for_many_moves_nothing);
  CPPUNIT_TEST(an_incident_over_a_mail_of_garbage_holds_nobody_back);
  CPPUNIT_TEST(five_unreadable_mails_pause_the_stream);
  CPPUNIT_TEST_SUITE_END();

 public:
  void tearDown() override { rig_.server.reset(); }

  void a_mail_that_cannot_be_read_does_not_hold_up_the_others() {
    fake::Message poison;
    poison.attachments = with_file;
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
    poison.attachments = with_file;
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
    poison.attachments = with_file;
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
    fake::Message filed;
    filed.attachments = with_file;
    std::vector<std::string> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(rig_.world->put(support_user, filed));
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
    fake::Message filed;
    filed.attachments = with_file;
    for (int i = 0; i < 12; ++i) ids.push_back(rig_.world->put(support_user, filed));
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
      if (i % 2 == 0) message.attachments = with_file;
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

 private:
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
    poison.attachments = with_file;
    std::vector<std::string> ids;
    for (int i = 0; i < count; ++i) ids.push_back(rig_.world->put(support_user, poison));
    rig_.world->set_intercept([broken](const m365::GraphRequest& request) -> std::optional<Reply> {
      if ((broken != nullptr && !*broken) || request.path.find("/attachments") == std::string::npos)
        return std::nullopt;
      return Reply{200, "<html>gateway</html>", {}};
    });
    return ids;
  }

  Inbox inbox_;
  Rig rig_;
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingUnreadableTest);

}  // namespace
