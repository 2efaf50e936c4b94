// The server as the host sees it: taken at once, told exactly once, one after the other, stopped in the middle.
#include "m365/outgoing/outgoing_server.h"

#include <cppunit/extensions/HelperMacros.h>

#include <condition_variable>
#include <thread>

#include "m365/outgoing/outgoing_world.h"

namespace outgoing {

namespace {

/// Collects what the host is told; waits for it in real time, without asserting any.
class Told final : public mail::SubmissionListener {
 public:
  void on_sent(const mail::Outcome& outcome) override {
    const std::lock_guard lock(mutex_);
    outcomes_.push_back(outcome);
    changed_.notify_all();
  }
  mail::Outcome wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !outcomes_.empty(); });
    return outcomes_.front();
  }
  std::size_t count() {
    const std::lock_guard lock(mutex_);
    return outcomes_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<mail::Outcome> outcomes_;
};

class Administrator final : public mail::ServerListener {
 public:
  void on_health(mail::MailboxId mailbox, const mail::Health& now) override {
    const std::lock_guard lock(mutex_);
    CPPUNIT_ASSERT_EQUAL(mail::MailboxId{0}, mailbox);
    seen_.push_back(now);
    changed_.notify_all();
  }
  std::optional<mail::Secret> read_secret(mail::MailboxId, std::string_view key) override {
    const std::lock_guard lock(mutex_);
    CPPUNIT_ASSERT_EQUAL(std::string("password"), std::string(key));
    return secret_;
  }
  void set_secret(const std::string& secret) {
    const std::lock_guard lock(mutex_);
    secret_ = secret;
  }
  mail::Health await(mail::State state, support::ManualClock* clock = nullptr) {
    std::unique_lock lock(mutex_);
    while (seen_.empty() || seen_.back().state != state) {
      if (clock != nullptr) clock->advance(std::chrono::seconds(1));
      changed_.wait_for(lock, std::chrono::milliseconds(2));
    }
    return seen_.back();
  }
  std::vector<mail::State> states() {
    const std::lock_guard lock(mutex_);
    std::vector<mail::State> out;
    for (const auto& health : seen_) out.push_back(health.state);
    return out;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<mail::Health> seen_;
  std::optional<std::string> secret_;
};

/// A door in the middle of a request: the test sees somebody arrive, and lets him through.
class Door {
 public:
  void pass(std::stop_token stop = {}) {
    std::unique_lock lock(mutex_);
    ++arrived_;
    changed_.notify_all();
    changed_.wait(lock, stop, [this] { return open_; });
  }
  void await(int count = 1) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return arrived_ >= count; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable_any changed_;
  int arrived_ = 0;
  bool open_ = false;
};

m365::OutgoingSettings settings() {
  m365::OutgoingSettings out;
  out.tenant.tenant = "contoso.com";
  out.tenant.client_id = "app";
  out.tenant.secret = "first";
  out.tenant.workers = 4;
  return out;
}

struct Site {
  Site()
      : folder(make_folder()),
        environment(world.log, world.clock, world.random, folder,
                    [](const http::TransportOptions&) { return std::make_shared<support::ScriptedTransport>(); }) {
    graph = std::shared_ptr<m365::GraphClient>(&world.mailbox, [](m365::GraphClient*) {});
    server = make();
  }
  ~Site() {
    server.reset();
    std::filesystem::remove_all(folder);
  }
  std::unique_ptr<m365::OutgoingMailServer> make() {
    return std::make_unique<m365::OutgoingMailServer>(environment, settings(), administrator, [this] { return graph; });
  }
  static std::filesystem::path make_folder() {
    std::string name = (std::filesystem::temp_directory_path() / "outgoing-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    return name;
  }

  World world;
  std::filesystem::path folder;
  m365::Environment environment;
  Administrator administrator;
  std::shared_ptr<m365::GraphClient> graph;
  std::unique_ptr<m365::OutgoingMailServer> server;
};

}  // namespace

class OutgoingServerTest final : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingServerTest);
  CPPUNIT_TEST(sends_and_tells);
  CPPUNIT_TEST(refuses_what_cannot_be_sent);
  CPPUNIT_TEST(stopped_before_start_and_after_stop);
  CPPUNIT_TEST(equal_keys_share_one_fate);
  CPPUNIT_TEST(a_known_key_is_answered_after_a_restart);
  CPPUNIT_TEST(a_mailbox_sends_in_order);
  CPPUNIT_TEST(mailboxes_go_side_by_side);
  CPPUNIT_TEST(waiting_lets_others_of_the_mailbox_pass);
  CPPUNIT_TEST(thirty_a_minute);
  CPPUNIT_TEST(a_draft_that_is_made_late_is_removed);
  CPPUNIT_TEST(stop_in_the_middle_answers_everyone);
  CPPUNIT_TEST(stop_with_a_host_that_hangs);
  CPPUNIT_TEST(wrong_secret_and_its_repair);
  CPPUNIT_TEST(secret_that_expires_soon);
  CPPUNIT_TEST_SUITE_END();

  void sends_and_tells() {
    Site site;
    site.server->start();
    const mail::Mail mail = simple_mail();
    Told told;
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(mail, told, why) == mail::Taken::ok);
    assert_accepted(told.wait());
    site.administrator.await(mail::State::ready);
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, told.count());
    CPPUNIT_ASSERT(site.world.log.has("submission 'out-1' from support@contoso.com: accepted, attempts 1"));
  }

  void refuses_what_cannot_be_sent() {
    Site site;
    site.server->start();
    Told told;
    const auto refused = [&](auto change, const std::string& part_of_why) {
      mail::Mail mail = simple_mail();
      change(mail);
      std::string why;
      CPPUNIT_ASSERT_MESSAGE(part_of_why, site.server->submit(mail, told, why) == mail::Taken::invalid);
      CPPUNIT_ASSERT_MESSAGE(why, why.find(part_of_why) != std::string::npos);
    };
    refused([](mail::Mail& m) { m.stable_id.clear(); }, "stable_id");
    refused([](mail::Mail& m) { m.stable_id = std::string(201, 'k'); }, "201 bytes");
    refused([](mail::Mail& m) { m.stable_id = "\xff"; }, "UTF-8");
    refused([](mail::Mail& m) { m.to.clear(); }, "no recipient");
    refused([](mail::Mail& m) { m.to.push_back({"", "nobody"}); }, "to[1].address");
    refused([](mail::Mail& m) { m.cc = {{"", "a b@example.com"}}; }, "cc[0].address");
    refused([](mail::Mail& m) { m.bcc = {{"", "x@"}}; }, "bcc[0].address");
    refused([](mail::Mail& m) { m.reply_to = {{"", ""}}; }, "reply_to[0].address");
    refused([](mail::Mail& m) { m.to[0].address = "a@example.com\r\nBcc: b@example.com"; }, "to[0].address");
    refused([](mail::Mail& m) { m.from.address.clear(); }, "from.address");
    refused([](mail::Mail& m) { m.headers = {{"Auto-Submitted", "auto-replied"}}; }, "X-");
    refused([](mail::Mail& m) { m.headers = {{"X-A", "1\r\nX-B: 2"}}; }, "headers[0]");
    refused([](mail::Mail& m) { m.headers.assign(6, {"X-A", "1"}); }, "5 at most");
    refused(
        [](mail::Mail& m) {
          m.headers.assign(5, {"X-A", "1"});
          m.flags = mail::auto_submitted;
        },
        "5 at most");
    refused([](mail::Mail& m) { m.parts.push_back(part(mail::PartKind::link, "x", "y")); }, "parts[1]");
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, told.count());
  }

  void stopped_before_start_and_after_stop() {
    Site site;
    const mail::Mail mail = simple_mail();
    Told told;
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(mail, told, why) == mail::Taken::stopped);
    site.server->start();
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    CPPUNIT_ASSERT(site.server->submit(mail, told, why) == mail::Taken::stopped);
    site.server->start();
    CPPUNIT_ASSERT(site.server->submit(mail, told, why) == mail::Taken::ok);
    assert_accepted(told.wait());
  }

  void equal_keys_share_one_fate() {
    Site site;
    Door door;
    site.world.mailbox.answer = [&](const std::string&, const std::string& path) -> std::optional<http::Response> {
      if (path == "/messages") door.pass();
      return std::nullopt;
    };
    site.server->start();
    const mail::Mail first = simple_mail(), second = simple_mail();
    Told told_first, told_second;
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(first, told_first, why) == mail::Taken::ok);
    door.await();
    CPPUNIT_ASSERT(site.server->submit(second, told_second, why) == mail::Taken::ok);
    door.open();
    assert_accepted(told_first.wait());
    assert_accepted(told_second.wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, site.world.mailbox.in("sentitems").size());
  }

  void a_known_key_is_answered_after_a_restart() {
    Site site;
    const mail::Mail mail = simple_mail();
    std::string why, message_id;
    for (int life = 0; life < 2; ++life) {
      Told told;
      site.server->start();
      CPPUNIT_ASSERT(site.server->submit(mail, told, why) == mail::Taken::ok);
      const mail::Outcome outcome = told.wait();
      assert_accepted(outcome);
      if (life == 1) CPPUNIT_ASSERT_EQUAL(message_id, outcome.internet_message_id);
      message_id = outcome.internet_message_id;
      CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
      site.server = site.make();
    }
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, site.world.mailbox.in("sentitems").size());
  }

  void a_mailbox_sends_in_order() {
    Site site;
    Door door;
    site.world.mailbox.answer = [&](const std::string&, const std::string& path) -> std::optional<http::Response> {
      if (path == "/messages") door.pass();
      return std::nullopt;
    };
    site.server->start();
    std::vector<mail::Mail> mails;
    for (int i = 0; i < 10; ++i) mails.push_back(simple_mail("out-" + std::to_string(i)));
    mails[5].from.address = "SUPPORT@contoso.com";  // the same mailbox
    std::vector<Told> told(mails.size());
    std::string why;
    for (std::size_t i = 0; i < mails.size(); ++i)
      CPPUNIT_ASSERT(site.server->submit(mails[i], told[i], why) == mail::Taken::ok);
    door.open();
    for (Told& each : told) assert_accepted(each.wait());
    const auto sent = site.world.mailbox.in("sentitems");
    for (std::size_t i = 0; i < mails.size(); ++i) CPPUNIT_ASSERT_EQUAL("out-" + std::to_string(i), sent[i].key);
  }

  void mailboxes_go_side_by_side() {
    Site site;
    Door door;
    site.world.mailbox.hold = [&](const std::string& mailbox) {
      if (mailbox == "slow@contoso.com") door.pass();
    };
    site.server->start();
    mail::Mail slow = simple_mail("slow");
    slow.mailbox = "slow@contoso.com";
    const mail::Mail quick = simple_mail("quick");
    Told told_slow, told_quick;
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(slow, told_slow, why) == mail::Taken::ok);
    door.await();
    CPPUNIT_ASSERT(site.server->submit(quick, told_quick, why) == mail::Taken::ok);
    assert_accepted(told_quick.wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, told_slow.count());
    door.open();
    assert_accepted(told_slow.wait());
  }

  void waiting_lets_others_of_the_mailbox_pass() {
    Site site;
    site.world.mailbox.break_exchange(2, Break::cut_before);  // the first one's send: it is looked for over ten minutes
    site.server->start();
    const mail::Mail first = simple_mail("first"), second = simple_mail("second");
    Told told_first, told_second;
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(first, told_first, why) == mail::Taken::ok);
    CPPUNIT_ASSERT(site.server->submit(second, told_second, why) == mail::Taken::ok);
    assert_accepted(told_second.wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, told_first.count());
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    const mail::Outcome outcome = told_first.wait();
    assert_verdict(mail::Verdict::retry_later, outcome);
    CPPUNIT_ASSERT(!outcome.reason.empty());
  }

  void thirty_a_minute() {
    Site site;
    site.server->start();
    std::vector<mail::Mail> mails;
    for (int i = 0; i < 31; ++i) mails.push_back(simple_mail("out-" + std::to_string(i)));
    std::vector<Told> told(mails.size());
    std::string why;
    for (std::size_t i = 0; i < mails.size(); ++i)
      CPPUNIT_ASSERT(site.server->submit(mails[i], told[i], why) == mail::Taken::ok);
    for (std::size_t i = 0; i < 30; ++i) assert_accepted(told[i].wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, told[30].count());
    CPPUNIT_ASSERT_EQUAL(std::size_t{30}, site.world.mailbox.in("sentitems").size());
    site.world.clock.advance(std::chrono::seconds(2));
    assert_accepted(told[30].wait());
  }

  // Made five minutes after its refusal, when the reply has left by another draft and the process is another one.
  void a_draft_that_is_made_late_is_removed() {
    Site site;
    World& world = site.world;
    world.mailbox.late = std::chrono::minutes(5);
    world.mailbox.break_exchange(1, Break::s504_late);
    const std::shared_ptr<store::Store> store = site.environment.store();
    {
      const m365::SubmissionContext context{world.mailbox, *store,    world.limits,      world.clock,
                                            world.random,  world.log, "contoso.com/app", "outgoing contoso.com",
                                            site.folder,   {}};
      const mail::Mail mail = simple_mail();
      m365::SubmissionRun run(context, mail, "support@contoso.com");
      m365::NextMove move;
      while ((move = run.advance({})).kind != m365::NextMove::Kind::finished) world.clock.advance(move.wait);
      assert_accepted(move.outcome);
    }
    CPPUNIT_ASSERT(world.mailbox.asked_for("DELETE").empty());
    CPPUNIT_ASSERT(store->late_drafts("contoso.com/app", world.clock.wall(), 9).empty());  // not yet due
    site.server->start();
    while (world.mailbox.asked_for("DELETE").empty()) {
      world.clock.advance(std::chrono::seconds(10));
      std::this_thread::yield();
    }
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, world.mailbox.in("drafts").size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, world.mailbox.in("sentitems").size());
    CPPUNIT_ASSERT(store->late_drafts("contoso.com/app", world.clock.wall(), 9).empty());
  }

  void stop_in_the_middle_answers_everyone() {
    Site site;
    Door door;
    site.world.mailbox.hold_until_stop = [&](std::stop_token stop) { door.pass(stop); };
    site.server->start();
    const mail::Mail first = simple_mail("first"), second = simple_mail("second");
    Told told_first, told_second;
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(first, told_first, why) == mail::Taken::ok);
    CPPUNIT_ASSERT(site.server->submit(second, told_second, why) == mail::Taken::ok);
    door.await();
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    assert_verdict(mail::Verdict::retry_later, told_first.wait());
    assert_verdict(mail::Verdict::retry_later, told_second.wait());
    site.world.mailbox.hold_until_stop = nullptr;
    site.server->start();
    Told again_first, again_second;
    CPPUNIT_ASSERT(site.server->submit(first, again_first, why) == mail::Taken::ok);
    CPPUNIT_ASSERT(site.server->submit(second, again_second, why) == mail::Taken::ok);
    while (again_first.count() + again_second.count() < 2) {
      site.world.clock.advance(std::chrono::seconds(10));
      std::this_thread::yield();
    }
    assert_accepted(again_first.wait());
    assert_accepted(again_second.wait());
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, site.world.mailbox.in("sentitems").size());
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, told_first.count());
  }

  // A callback that does not come back: stop says so, starts no other, and a second stop ends it.
  void stop_with_a_host_that_hangs() {
    class Hanging final : public mail::SubmissionListener {
     public:
      explicit Hanging(Door& door) : door_(door) {}
      void on_sent(const mail::Outcome&) override { door_.pass(); }

     private:
      Door& door_;
    };
    Site site;
    Door door;
    Hanging hanging(door);
    Told joined;
    site.server->start();
    const mail::Mail mail = simple_mail();
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(mail, hanging, why) == mail::Taken::ok);
    CPPUNIT_ASSERT(site.server->submit(mail, joined, why) == mail::Taken::ok);  // told after the one that hangs
    door.await();
    CPPUNIT_ASSERT(!site.server->stop(std::chrono::milliseconds(1)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, joined.count());
    door.open();
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, joined.count());
    assert_accepted(joined.wait());  // it had left: nobody is told otherwise
  }

  void wrong_secret_and_its_repair() {
    Site site;
    site.world.tokens->secret = "first";
    site.world.tokens->good_secret = "second";
    site.server->start();
    const mail::Health failed = site.administrator.await(mail::State::failed);
    CPPUNIT_ASSERT(failed.cause == mail::Cause::secret_refused);
    CPPUNIT_ASSERT_EQUAL(std::string("AADSTS7000215"), failed.code);
    // A mail that meets it is given back with the reason, and leaves no trouble behind once the secret is repaired.
    site.world.mailbox.hold = [&site](const std::string&) { site.world.tokens->current({}); };
    const mail::Mail mail = simple_mail();
    Told told;
    std::string why;
    CPPUNIT_ASSERT(site.server->submit(mail, told, why) == mail::Taken::ok);
    while (told.count() == 0) {
      site.world.clock.advance(std::chrono::seconds(1));
      std::this_thread::yield();
    }
    assert_verdict(mail::Verdict::retry_later, told.wait());
    CPPUNIT_ASSERT_EQUAL(std::string("the secret is refused"), told.wait().reason);
    site.administrator.set_secret("second");
    site.administrator.await(mail::State::ready, &site.world.clock);
    CPPUNIT_ASSERT(site.server->stop(std::chrono::seconds(10)));
    const std::vector<mail::State> expected = {mail::State::starting, mail::State::failed, mail::State::ready};
    CPPUNIT_ASSERT(expected == site.administrator.states());
    for (const auto& line : site.world.log.lines()) CPPUNIT_ASSERT(line.text.find("second") == std::string::npos);
  }

  void secret_that_expires_soon() {
    Site site;
    m365::OutgoingSettings soon = settings();
    soon.tenant.secret_expires = site.world.clock.wall() + std::chrono::hours(24 * 6);
    site.server = std::make_unique<m365::OutgoingMailServer>(site.environment, soon, site.administrator,
                                                             [&site] { return site.graph; });
    site.server->start();
    const mail::Health health = site.administrator.await(mail::State::degraded);
    CPPUNIT_ASSERT(health.cause == mail::Cause::secret_expires_soon);
    CPPUNIT_ASSERT(!health.text.empty());
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingServerTest);

}  // namespace outgoing
