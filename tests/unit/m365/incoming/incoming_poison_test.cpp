// A poison mail never stops its mailbox, nor another: every property of the $select, broken in every way, in the change
// feed, in lists and when it is asked for by itself.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "m365/incoming/incoming_rig.h"
#include "m365/message/message_row.h"

namespace {

using namespace std::chrono_literals;
using fake::Inbox;
using fake::Reply;
using fake::Rig;
using mail::State;

constexpr std::size_t ten_megabytes = 10'000'000;

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

// One way to break a property; `value` is what stands there. An empty answer takes the whole member away.
struct Way {
  const char* name;
  std::string (*broken)(const std::string& property, const std::string& value);
};

std::string ten_megabytes_in(const std::string& property, const std::string& value) {
  const std::string text = "\"" + std::string(ten_megabytes, 'x') + "\"";
  if (property == "body") return R"({"contentType":"text","content":)" + text + "}";
  if (property == "internetMessageHeaders") return R"([{"name":"X-Long","value":)" + text + "}]";
  if (value.front() == '{') return R"({"emailAddress":{"name":)" + text + R"(,"address":"a@example.com"}})";
  if (value.front() == '[') {
    constexpr std::string_view one = R"({"emailAddress":{"name":"A","address":"a@example.com"}},)";
    std::string many = "[" + repeated(one, ten_megabytes / one.size());
    many.back() = ']';
    return many;
  }
  return text;
}

// A text as the value is one, else the text in its place.
std::string with_text(const std::string& property, const std::string& text) {
  if (property == "body") return R"({"contentType":"text","content":")" + text + "\"}";
  if (property == "internetMessageHeaders") return R"([{"name":"X-Odd","value":")" + text + "\"}]";
  if (property == "from" || property == "sender")
    return R"({"emailAddress":{"name":")" + text + R"(","address":"a@example.com"}})";
  if (property.ends_with("Recipients") || property == "replyTo")
    return R"([{"emailAddress":{"name":")" + text + R"(","address":"a@example.com"}}])";
  return "\"" + text + "\"";
}

const std::array<Way, 10> ways{{
    {"missing", [](const std::string&, const std::string&) { return std::string(); }},
    {"null", [](const std::string&, const std::string&) { return std::string("null"); }},
    {"a number", [](const std::string&, const std::string&) { return std::string("-1.5e3"); }},
    {"an object", [](const std::string&, const std::string&) { return std::string(R"({"a":[{"b":null}]})"); }},
    {"an array", [](const std::string&, const std::string&) { return std::string(R"([null,1,"a",{"a":1},[]])"); }},
    {"another text", [](const std::string&, const std::string&) { return std::string(R"("0")"); }},
    {"10 MB long", ten_megabytes_in},
    {"nested deep",
     [](const std::string&, const std::string&) { return repeated("[", 100'000) + repeated("]", 100'000); }},
    {"invalid UTF-8",
     [](const std::string& property, const std::string&) { return with_text(property, "a\xff\xfe\xc3(\xed\xa0\x80"); }},
    {"lone surrogates",
     [](const std::string& property, const std::string&) { return with_text(property, R"(\ud83d a \udc00)"); }},
}};

std::vector<std::string> selected() {
  std::vector<std::string> names;
  const std::string select = m365::message_select;
  for (std::size_t at = 0; at < select.size();) {
    const std::size_t end = std::min(select.find(',', at), select.size());
    names.push_back(select.substr(at, end - at));
    at = end + 1;
  }
  return names;
}

// The place after a JSON value that begins at `at`.
std::size_t value_end(const std::string& json, std::size_t at) {
  int depth = 0;
  bool quoted = false;
  for (; at < json.size(); ++at) {
    const char c = json[at];
    if (quoted) {
      if (c == '\\') ++at;
      if (c == '"') quoted = false;
    } else if (c == '"') {
      quoted = true;
    } else if (c == '{' || c == '[') {
      ++depth;
    } else if (depth > 0 && (c == '}' || c == ']')) {
      --depth;
    } else if (depth == 0 && (c == ',' || c == '}' || c == ']')) {
      return at;
    }
  }
  return at;
}

// Breaks `property` in every row of this message.
void poison(std::string& json, const std::string& id, const std::string& property, const Way& way) {
  const std::string mark = "{\"id\":\"" + id + "\"", member = "\"" + property + "\":";
  for (std::size_t row = json.find(mark); row != std::string::npos; row = json.find(mark, row + 1)) {
    const std::size_t end = value_end(json, row), at = json.find(member, row);
    if (at >= end) continue;
    const std::size_t value = at + member.size(), after = value_end(json, value);
    const std::string broken = way.broken(property, json.substr(value, after - value));
    if (!broken.empty()) {
      json.replace(value, after - value, broken);
    } else if (json[after] == ',') {
      json.erase(at, after + 1 - at);
    } else {
      json.erase(at - 1, after - at + 1);  // with the comma before it
    }
  }
}

class IncomingPoisonTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingPoisonTest);
  CPPUNIT_TEST(every_property_in_every_way);
  CPPUNIT_TEST(a_mail_too_large_for_an_answer);
  CPPUNIT_TEST(a_text_that_is_missing_now_is_waited_for);
  CPPUNIT_TEST_SUITE_END();

 public:
  void every_property_in_every_way() {
    const std::vector<std::string> properties = selected();
    CPPUNIT_ASSERT_EQUAL(std::size_t{20}, properties.size());
    for (const Way& way : ways) break_each(properties, way);
  }

  // One mailbox a property, and one that has nothing to do with it; their polls share batches.
  static void break_each(const std::vector<std::string>& properties, const Way& way) {
    struct Box {
      std::string property, user, poison;
      Inbox inbox;
      mail::MailboxId id = 0;
    };
    std::vector<std::unique_ptr<Box>> boxes;
    Rig rig;
    for (const std::string& property : properties) {
      Box& box = *boxes.emplace_back(std::make_unique<Box>());
      box.property = property;
      box.user = property + "@contoso.com";
      put(rig, box.user, "before");
      box.poison = put(rig, box.user, "poison");
      put(rig, box.user, "after");
    }
    Box& neighbour = *boxes.emplace_back(std::make_unique<Box>());
    neighbour.user = "neighbour@contoso.com";
    put(rig, neighbour.user, "before");
    put(rig, neighbour.user, "after");
    rig.world->set_intercept([&, nested = false](const m365::GraphRequest& request) mutable -> std::optional<Reply> {
      if (nested || request.method != "GET") return std::nullopt;
      nested = true;
      Reply reply = rig.world->answer(request);
      nested = false;
      const auto box = std::ranges::find_if(boxes, [&](const auto& one) { return one->user == request.mailbox; });
      if (box != boxes.end() && !(*box)->poison.empty()) poison(reply.body, (*box)->poison, (*box)->property, way);
      return reply;
    });
    for (const auto& box : boxes) box->id = rig.open(box->inbox, {{"address", box->user}});
    rig.start();
    for (int round = 1; round <= 2; ++round) {
      rig.pass(20min, 5s);
      for (const auto& box : boxes) {
        const std::string what =
            box->property + " " + way.name + ", round " + std::to_string(round) + said_of(rig, box->user);
        for (const char* subject : {"before", "after", "later"}) {
          const std::size_t wanted = subject == std::string("later") ? static_cast<std::size_t>(round) - 1 : 1;
          CPPUNIT_ASSERT_EQUAL_MESSAGE(what + ": " + subject, wanted, times(box->inbox, subject));
        }
        CPPUNIT_ASSERT_MESSAGE(what, rig.watcher.health(box->id).state == State::ready);
        // Everything but these two leaves a mail that can be handed over: without an id there is nothing to ask for,
        // and a mail of another folder is another queue's.
        const bool may_lack =
            box->property == "id" || (box->property == "parentFolderId" && way.name == std::string("another text"));
        const std::size_t good = 1 + static_cast<std::size_t>(round), all = good + (box->poison.empty() ? 0 : 1);
        CPPUNIT_ASSERT_MESSAGE(what + ": " + std::to_string(box->inbox.count()),
                               box->inbox.count() == all || (may_lack && box->inbox.count() == good));
        for (const fake::Message& mail : rig.world->in_folder(box->user, "inbox"))
          CPPUNIT_ASSERT_MESSAGE(what + ": marked " + mail.subject, mail.read || mail.id == box->poison);
      }
      for (const auto& box : boxes) put(rig, box->user, "later");
    }
    for (const mail::Health& told : rig.watcher.history(neighbour.id))
      CPPUNIT_ASSERT_MESSAGE(std::string(way.name) + ": " + told.text, told.state != State::degraded);
  }

  // Not even alone on its page: read by lists, and handed over without its text.
  void a_mail_too_large_for_an_answer() {
    Rig rig;
    Inbox inbox;
    bool shrunk = false;
    const std::string user = fake::support_user;
    put(rig, user, "before");
    const std::string large = put(rig, user, "large");
    put(rig, user, "after");
    rig.world->set_intercept([&, nested = false](const m365::GraphRequest& request) mutable -> std::optional<Reply> {
      if (nested) return std::nullopt;
      nested = true;
      Reply reply = rig.world->answer(request);
      nested = false;
      const bool with_text =
          request.path.find(",body") != std::string::npos || request.operation == "read the changes of the folder";
      if (with_text && !shrunk && reply.body.find(large) != std::string::npos)
        throw m365::transport_fault(
            http::TransportError(http::TransportError::Kind::too_large, true, "sent more than 64 MB"),
            {user, request.operation, false});
      return reply;
    });
    const mail::MailboxId box = rig.open(inbox);
    rig.start();
    rig.until(
        "all three", [&] { return inbox.count() == 3; }, 1s, 10min);
    CPPUNIT_ASSERT(rig.watcher.health(box).state == State::degraded);
    CPPUNIT_ASSERT(rig.watcher.health(box).cause == mail::Cause::service_fault);
    put(rig, user, "later");
    rig.until(
        "and what comes", [&] { return inbox.count() == 4; }, 1s, 2min);
    shrunk = true;
    rig.until(
        "well again", [&] { return rig.watcher.health(box).state == State::ready; }, 5s, 2h);
  }

  // An answer that is cut short is no mail without a text.
  void a_text_that_is_missing_now_is_waited_for() {
    Rig rig;
    Inbox inbox;
    const std::string id = put(rig, fake::support_user, "whole");
    int looks = 0;
    rig.world->set_intercept([&, nested = false](const m365::GraphRequest& request) mutable -> std::optional<Reply> {
      if (nested || request.method != "GET") return std::nullopt;
      nested = true;
      Reply reply = rig.world->answer(request);
      nested = false;
      if (request.operation == "read a mail" && ++looks > 2) return reply;
      poison(reply.body, id, "body", ways.at(0));
      return reply;
    });
    inbox.decide = [](const fake::Received&, std::chrono::milliseconds&) { return mail::Verdict::accepted; };
    rig.open(inbox);
    rig.start();
    rig.until(
        "handed over", [&] { return inbox.count() == 1; }, 1s, 30min);
    CPPUNIT_ASSERT_EQUAL(3, looks);
  }

 private:
  static std::string said_of(Rig& rig, const std::string& user) {
    std::string said;
    for (const auto& line : rig.log.lines()) {
      if (line.text.find(user) != std::string::npos) said += "\n" + line.text.substr(0, 400);
    }
    return said;
  }

  static std::string put(Rig& rig, const std::string& user, const std::string& subject) {
    fake::Message message;
    message.subject = subject;
    return rig.world->put(user, message);
  }

  static std::size_t times(const Inbox& inbox, const std::string& subject) {
    const auto received = inbox.received();
    return static_cast<std::size_t>(
        std::ranges::count_if(received, [&](const auto& mail) { return mail.subject == subject; }));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingPoisonTest);

}  // namespace
