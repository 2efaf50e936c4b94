// Nobody waits for somebody else, in figures: mailboxes that are slow, dead, throttled or without an end beside
// mailboxes that get their mail as if they were alone. One of them, and twice as many as there are workers.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "m365/incoming/incoming_rig.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::Reply;
using fake::Rig;
using std::chrono::milliseconds;

constexpr std::size_t workers = 4, neighbours = 3;
constexpr milliseconds poll = 10s, step = 2s;
// A poll comes when it is due, the clock of the test moves in steps, and a turn of others may be in front.
constexpr milliseconds as_if_alone = poll + 3 * step;

bool is_hostile(const m365::GraphRequest& request) {
  return request.mailbox.starts_with("hostile");
}

class IncomingNeighboursTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingNeighboursTest);
  CPPUNIT_TEST(slow);
  CPPUNIT_TEST(dead);
  CPPUNIT_TEST(throttled_for_an_hour);
  CPPUNIT_TEST(changes_without_an_end);
  CPPUNIT_TEST(lists_without_an_end);
  CPPUNIT_TEST(mail_without_an_end);
  CPPUNIT_TEST_SUITE_END();

 public:
  void slow() {
    beside([](Rig& rig) {
      rig.world->delay = [](const m365::GraphRequest& request) -> milliseconds {
        return is_hostile(request) ? 55s : 0s;
      };
    });
  }

  // Nothing comes until the patience with a silent server is over.
  void dead() {
    beside([](Rig& rig) {
      rig.world->delay = [](const m365::GraphRequest& request) -> milliseconds {
        return is_hostile(request) ? 60s : 0s;
      };
      rig.world->set_intercept([](const m365::GraphRequest& request) -> std::optional<Reply> {
        if (!is_hostile(request)) return std::nullopt;
        throw m365::transport_fault(http::TransportError(http::TransportError::Kind::timeout, true, "says nothing"),
                                    {request.mailbox, request.operation, false});
      });
    });
    for (const mail::Health& told : hostile_health_)
      CPPUNIT_ASSERT(told.state == mail::State::degraded && told.cause == mail::Cause::network);
  }

  void throttled_for_an_hour() {
    std::size_t asked = 0;
    beside([&asked](Rig& rig) {
      rig.world->set_intercept([&asked](const m365::GraphRequest& request) -> std::optional<Reply> {
        if (!is_hostile(request)) return std::nullopt;
        ++asked;
        Reply reply = fake::error(429, "ApplicationThrottled");
        reply.headers.add("Retry-After", "3600");
        return reply;
      });
    });
    for (const mail::Health& told : hostile_health_)
      CPPUNIT_ASSERT(told.state == mail::State::degraded && told.cause == mail::Cause::throttled);
    CPPUNIT_ASSERT(asked <= 2 * (1 + 2 * workers));  // of both runs: who is told to wait is not asked again
  }

  void changes_without_an_end() {
    std::size_t pages = 0;
    beside([&pages](Rig& rig) { endless(rig, "read the changes of the folder", pages, {}); });
    CPPUNIT_ASSERT(pages > 1'000);
  }

  void lists_without_an_end() {
    std::size_t pages = 0;
    beside([&pages](Rig& rig) { endless(rig, "list the folder", pages, {}); });
    CPPUNIT_ASSERT(pages > 1'000);
  }

  void mail_without_an_end() {
    std::size_t pages = 0;
    beside([&pages](Rig& rig) {
      endless(rig, "read the changes of the folder", pages,
              R"("receivedDateTime":"2026-01-01T00:00:00Z","hasAttachments":false,"body":{"contentType":"text",)"
              R"("content":"x"})");
    });
    CPPUNIT_ASSERT(pages > 1'000);
  }

 private:
  static void endless(Rig& rig, const std::string& operation, std::size_t& pages, const std::string& row) {
    rig.world->set_intercept([operation, &pages, row](const m365::GraphRequest& request) -> std::optional<Reply> {
      if (!is_hostile(request) || request.operation != operation) return std::nullopt;
      const std::string number = std::to_string(++pages);
      const std::string rows = row.empty() ? "" : R"({"id":"AAk-endless-)" + number + "\"," + row + "}";
      return Reply{200,
                   "{\"value\":[" + rows + "],\"@odata.nextLink\":\"https://graph.microsoft.com/v1.0/users/" +
                       request.mailbox + "/x?$skip=" + number + "\"}",
                   {}};
    });
    // Real answers take their time; without any the test's clock would never move on.
    rig.world->delay = [operation](const m365::GraphRequest& request) -> milliseconds {
      return is_hostile(request) && request.operation == operation ? 100ms : 0ms;
    };
  }

  template <typename Prepare>
  void beside(Prepare prepare) {
    for (const std::size_t hostile : {std::size_t{1}, 2 * workers}) run(hostile, prepare);
  }

  // Every neighbour gets a mail every 20 s for ten minutes.
  template <typename Prepare>
  void run(std::size_t hostile, Prepare prepare) {
    Rig rig;
    rig.settings.tenant.workers = workers;
    rig.restart();
    prepare(rig);
    std::vector<std::unique_ptr<Inbox>> inboxes;
    std::vector<mail::MailboxId> hostile_boxes;
    for (std::size_t i = 0; i < hostile; ++i) {
      const std::string user = "hostile" + std::to_string(i) + "@contoso.com";
      inboxes.push_back(std::make_unique<Inbox>());
      // The more important ones, so that no priority helps the others.
      hostile_boxes.push_back(rig.open(*inboxes.back(), {{"address", user}, {"priority", "1"}}));
    }
    std::mutex mutex;
    std::map<std::string, mail::SteadyTime> put;  // by subject
    milliseconds longest{0};
    std::size_t handed_over = 0;
    bool measured = false;
    const auto arrived = [&](const fake::Received& mail, milliseconds&) {
      const std::lock_guard lock(mutex);
      if (measured) {
        ++handed_over;
        longest = std::max(longest, std::chrono::ceil<milliseconds>(rig.clock.now() - put.at(mail.subject)));
      }
      return mail::Verdict::accepted;
    };
    std::vector<std::string> users;
    for (std::size_t i = 0; i < neighbours; ++i) {
      users.push_back("quiet" + std::to_string(i) + "@contoso.com");
      inboxes.push_back(std::make_unique<Inbox>());
      inboxes.back()->decide = arrived;
      rig.open(*inboxes.back(), {{"address", users.back()}, {"priority", "9"}});
    }
    rig.start();
    rig.pass(3min, step);  // by then it is known who is slow
    measured = true;
    std::size_t sent = 0;
    for (int round = 0; round < 30; ++round) {
      for (const std::string& user : users) {
        fake::Message message;
        message.subject = "mail " + std::to_string(++sent);
        {
          const std::lock_guard lock(mutex);
          put[message.subject] = rig.clock.now();
        }
        rig.world->put(user, message);
      }
      rig.pass(20s, step);
    }
    const std::lock_guard lock(mutex);
    const std::string figures = std::to_string(hostile) + " hostile: " + std::to_string(handed_over) + " of " +
                                std::to_string(sent) + " mails, the last one of them after " +
                                std::to_string(longest.count()) + " ms";
    CPPUNIT_ASSERT_EQUAL_MESSAGE(figures, sent, handed_over);
    CPPUNIT_ASSERT_MESSAGE(figures, longest <= as_if_alone);
    hostile_health_.clear();
    for (const mail::MailboxId box : hostile_boxes) hostile_health_.push_back(rig.watcher.health(box));
  }

  std::vector<mail::Health> hostile_health_;  // of the last run
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingNeighboursTest);

}  // namespace
