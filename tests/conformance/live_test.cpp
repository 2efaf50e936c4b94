// A host that breaks rules while mail flows: only with settings that lead to a living service, which live.py makes. The
// mailbox has at least three unread mails, and none is marked here but those a test accepts.
#include <cppunit/extensions/HelperMacros.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "host.h"
#include "settings.h"
#include "sized.h"
#include "submission.h"

namespace conformance {
namespace {

constexpr mailplugin_status ok = MAILPLUGIN_OK;
constexpr auto patience = std::chrono::minutes(1);

// A mailbox of the host: what was delivered, and how it answers.
class Inbox {
 public:
  struct Delivery {
    uint64_t id;
    std::string stable_id;
    const mailplugin_message* mail;
  };
  Inbox() {
    table.struct_size = sizeof table;
    table.ctx = this;
    table.on_message = [](const mailplugin_mailbox_events* e, uint64_t id, const mailplugin_message* mail,
                          uint32_t*) -> mailplugin_verdict {
      auto* self = static_cast<Inbox*>(e->ctx);
      {
        const std::lock_guard lock(self->mutex_);
        self->came_.push_back({id, std::string(mail->stable_id.data, mail->stable_id.size), mail});
        self->changed_.notify_all();
      }
      if (Gate* gate = self->gate) gate->pass();
      if (self->inside) self->inside();
      if (self->throws) throw 42;  // not even an exception class
      return self->verdict;
    };
    table.on_idle = [](const mailplugin_mailbox_events* e) {
      auto* self = static_cast<Inbox*>(e->ctx);
      ++self->idles;
      if (Gate* gate = self->idle_gate) gate->pass();
      if (self->idle_throws) throw 42;
    };
  }
  /// Waits until `count` mails have come; asserts that they did.
  std::vector<Delivery> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    CPPUNIT_ASSERT(changed_.wait_for(lock, patience, [&] { return came_.size() >= count; }));
    return came_;
  }
  std::vector<Delivery> came() const {
    const std::lock_guard lock(mutex_);
    return came_;
  }
  mailplugin_mailbox_events table{};
  std::atomic<mailplugin_verdict> verdict{MAILPLUGIN_PENDING};
  std::atomic<bool> throws{false};
  std::atomic<Gate*> gate{nullptr}, idle_gate{nullptr};
  std::atomic<bool> idle_throws{false};
  std::atomic<int> idles{0};
  std::function<void()> inside;  ///< done by every on_message, when there is one; set it before

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Delivery> came_;
};

bool eventually(const std::function<bool()>& wanted) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!wanted() && std::chrono::steady_clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return wanted();
}

void wait_for_answer(const Submission& submission) {
  eventually([&] { return submission.answers > 0; });
  const std::string key(submission.mail.stable_id.data, submission.mail.stable_id.size);
  CPPUNIT_ASSERT_EQUAL_MESSAGE(key, 1, submission.answers.load());
}

}  // namespace

class LiveTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(LiveTest);
  CPPUNIT_TEST(stop_does_not_wait_longer_for_on_message_than_it_may);
  CPPUNIT_TEST(destroy_waits_for_on_message);
  CPPUNIT_TEST(what_on_message_throws_ends_at_the_plugin);
  CPPUNIT_TEST(one_acknowledge_of_many_is_taken);
  CPPUNIT_TEST(after_stop_an_undecided_mail_is_closed_but_in_memory);
  CPPUNIT_TEST(a_mailbox_opened_twice_is_delivered_once);
  CPPUNIT_TEST(one_key_submitted_twice_at_once_leaves_once);
  CPPUNIT_TEST(what_on_sent_throws_ends_at_the_plugin);
  CPPUNIT_TEST(parts_that_cannot_be_read_are_answered);
  CPPUNIT_TEST(streams_of_other_sizes);
  CPPUNIT_TEST(stop_does_not_wait_longer_for_a_read_than_it_may);
  CPPUNIT_TEST(stop_does_not_wait_longer_for_on_idle_than_it_may);
  CPPUNIT_TEST(what_on_idle_throws_ends_at_the_plugin);
  CPPUNIT_TEST(control_functions_from_inside_callbacks_are_refused);
  CPPUNIT_TEST(an_acknowledge_from_inside_on_message);
  CPPUNIT_TEST(null_in_the_hands_of_the_plugins_streams);
  CPPUNIT_TEST(whatever_read_secret_answers);
  CPPUNIT_TEST(stop_does_not_wait_longer_for_read_secret_than_it_may);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  Events events_;
  Inbox inbox_, second_inbox_;
  // Here, so that they outlive the server also where a test fails.
  std::deque<Submission> submissions_;
  Gate gate_;
  const mailplugin_module* module_ = nullptr;
  const mailplugin_server* server_ = nullptr;

  // The server of the type with this interface, started.
  template <typename Interface>
  const Interface* serve(const char* interface_id, const Values& changed = {}) {
    const mailplugin_server_type* type = host_.type_with(module_, interface_id);
    CPPUNIT_ASSERT(type != nullptr);
    Values values = read_settings_file(settings_path())[type->id];
    for (const auto& [key, value] : changed) values[key] = value;
    Settings settings(values);
    Problems problems;
    CPPUNIT_ASSERT_EQUAL(ok, type->create(type, settings.get(), &events_.table, problems.get(), &server_));
    CPPUNIT_ASSERT_EQUAL(ok, server_->start(server_));
    return static_cast<const Interface*>(server_->get_interface(server_, interface_id));
  }

  const mailplugin_incoming* serve_incoming() { return serve<mailplugin_incoming>(MAILPLUGIN_INCOMING); }
  const mailplugin_outgoing* serve_outgoing() { return serve<mailplugin_outgoing>(MAILPLUGIN_OUTGOING); }

  uint64_t open(const mailplugin_incoming* incoming, Inbox& inbox, const Values& changed = {}) {
    const mailplugin_server_type* type = host_.type_with(module_, MAILPLUGIN_INCOMING);
    Values values = read_settings_file(settings_path())[std::string(type->id) + " mailbox"];
    for (const auto& [key, value] : changed) values[key] = value;
    Settings settings(values);
    uint64_t id = 0;
    CPPUNIT_ASSERT_EQUAL(ok, incoming->open_mailbox(server_, settings.get(), &inbox.table, nullptr, &id));
    return id;
  }

 public:
  void setUp() override { module_ = host_.enter(); }
  void tearDown() override {
    gate_.open();
    if (server_ != nullptr) server_->destroy(server_);
    module_->shutdown();
  }

  void stop_does_not_wait_longer_for_on_message_than_it_may() {
    inbox_.gate = &gate_;
    open(serve_incoming(), inbox_);
    CPPUNIT_ASSERT(gate_.someone_inside());
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server_->stop(server_, 100));
    const std::size_t came = inbox_.came().size();
    gate_.open();
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no new one started", came, inbox_.came().size());
    // A mail without a verdict at stop is delivered again.
    const std::string first = inbox_.came().front().stable_id;
    CPPUNIT_ASSERT_EQUAL(ok, server_->start(server_));
    const auto again = inbox_.wait_for(came + 3);
    CPPUNIT_ASSERT(std::any_of(again.begin() + static_cast<std::ptrdiff_t>(came), again.end(),
                               [&](const Inbox::Delivery& one) { return one.stable_id == first; }));
  }

  void destroy_waits_for_on_message() {
    inbox_.gate = &gate_;
    open(serve_incoming(), inbox_);
    CPPUNIT_ASSERT(gate_.someone_inside());
    std::atomic<bool> destroying{false};
    int passed_before = 0;
    std::jthread control([&] {
      destroying = true;
      server_->destroy(server_);
      passed_before = gate_.passed;
    });
    while (!destroying) std::this_thread::yield();
    gate_.open();
    control.join();
    server_ = nullptr;
    CPPUNIT_ASSERT(passed_before > 0);
  }

  void what_on_message_throws_ends_at_the_plugin() {
    inbox_.throws = true;
    open(serve_incoming(), inbox_);
    inbox_.wait_for(1);
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
    inbox_.throws = false;
    // Nobody accepted it: it comes again.
    const std::size_t came = inbox_.came().size();
    CPPUNIT_ASSERT_EQUAL(ok, server_->start(server_));
    inbox_.wait_for(came + 1);
  }

  void one_acknowledge_of_many_is_taken() {
    const mailplugin_incoming* incoming = serve_incoming();
    open(incoming, inbox_);
    const uint64_t id = inbox_.wait_for(1).front().id;
    std::atomic<int> taken{0}, late{0};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          // At the same time as the verdict PENDING, perhaps: E_STATE is no answer before on_message has returned.
          const mailplugin_status status = incoming->acknowledge(server_, id, MAILPLUGIN_ACCEPTED, 0);
          taken += status == MAILPLUGIN_OK;
          late += status == MAILPLUGIN_E_STATE;
        });
      }
    }
    CPPUNIT_ASSERT_EQUAL(1, taken.load());
    CPPUNIT_ASSERT_EQUAL(3, late.load());
  }

  void after_stop_an_undecided_mail_is_closed_but_in_memory() {
    const mailplugin_incoming* incoming = serve_incoming();
    open(incoming, inbox_);
    const Inbox::Delivery one = inbox_.wait_for(1).front();
    CPPUNIT_ASSERT(one.mail->part_count > 0);
    const mailplugin_part* part = one.mail->parts[0];
    const mailplugin_stream* stream = part->open(part);
    CPPUNIT_ASSERT(stream != nullptr);
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    char buffer[64];
    CPPUNIT_ASSERT_EQUAL(int64_t{MAILPLUGIN_E_CANCELLED}, stream->read(stream, buffer, sizeof buffer));
    CPPUNIT_ASSERT(part->open(part) == nullptr);
    CPPUNIT_ASSERT_EQUAL(one.stable_id, std::string(one.mail->stable_id.data, one.mail->stable_id.size));
    stream->close(stream);
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE},
                         incoming->acknowledge(server_, one.id, MAILPLUGIN_ACCEPTED, 0));
  }

  void a_mailbox_opened_twice_is_delivered_once() {
    const mailplugin_incoming* incoming = serve_incoming();
    open(incoming, inbox_);
    inbox_.wait_for(1);
    const uint64_t second = open(incoming, second_inbox_);
    CPPUNIT_ASSERT(events_.wait_for([second](const Events::Told& told) {
      return told.mailbox == second && told.cause == MAILPLUGIN_CAUSE_FOLDER_SHARED && !told.message.empty();
    }));
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT(second_inbox_.came().empty());
    std::map<std::string, int> times;
    for (const Inbox::Delivery& one : inbox_.came()) CPPUNIT_ASSERT_EQUAL(1, ++times[one.stable_id]);
  }

  void one_key_submitted_twice_at_once_leaves_once() {
    const mailplugin_outgoing* outgoing = serve_outgoing();
    submissions_.resize(4);
    std::atomic<int> taken{0};
    {
      std::vector<std::jthread> threads;
      for (Submission& one : submissions_) {
        threads.emplace_back([&] { taken += outgoing->submit(server_, &one.mail, &one.table) == MAILPLUGIN_OK; });
      }
    }
    CPPUNIT_ASSERT_EQUAL(4, taken.load());
    for (const Submission& one : submissions_) {
      wait_for_answer(one);
      CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, one.verdict.load());
    }
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    for (const Submission& one : submissions_) {
      CPPUNIT_ASSERT(!one.message_id.empty());
      CPPUNIT_ASSERT_EQUAL(submissions_[0].message_id, one.message_id);
    }
  }

  void what_on_sent_throws_ends_at_the_plugin() {
    const mailplugin_outgoing* outgoing = serve_outgoing();
    Submission& one = submissions_.emplace_back();
    one.mail.stable_id = text("conformance-throws");
    one.throws = true;
    CPPUNIT_ASSERT_EQUAL(ok, outgoing->submit(server_, &one.mail, &one.table));
    wait_for_answer(one);
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
    CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
  }

  void parts_that_cannot_be_read_are_answered() {
    using Read = int64_t (*)(const mailplugin_stream*, void*, uint64_t);
    using Open = const mailplugin_stream* (*)(const mailplugin_part*);
    const std::vector<std::pair<const char*, Open>> opens = {
        {"opens as NULL", [](const mailplugin_part*) -> const mailplugin_stream* { return nullptr; }},
        {"open throws", [](const mailplugin_part*) -> const mailplugin_stream* { throw std::runtime_error("no"); }},
        {"open throws a number", [](const mailplugin_part*) -> const mailplugin_stream* { throw 42; }}};
    const std::vector<std::pair<const char*, Read>> reads = {
        {"read fails", [](const mailplugin_stream*, void*, uint64_t) -> int64_t { return MAILPLUGIN_E_IO; }},
        {"read is cancelled",
         [](const mailplugin_stream*, void*, uint64_t) -> int64_t { return MAILPLUGIN_E_CANCELLED; }},
        {"read throws", [](const mailplugin_stream*, void*, uint64_t) -> int64_t { throw std::runtime_error("no"); }},
        {"read throws a number", [](const mailplugin_stream*, void*, uint64_t) -> int64_t { throw 42; }},
        {"more than asked",
         [](const mailplugin_stream*, void*, uint64_t capacity) { return static_cast<int64_t>(capacity) + 1; }},
        {"a negative number that is no status", [](const mailplugin_stream*, void*, uint64_t) { return INT64_MIN; }}};
    const mailplugin_outgoing* outgoing = serve_outgoing();
    const auto submit = [&](const char* name, const std::function<void(TextPart&)>& spoil) {
      Submission& one = submissions_.emplace_back();
      one.mail.stable_id = text(name);
      spoil(one.body);
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, ok, outgoing->submit(server_, &one.mail, &one.table));
      wait_for_answer(one);
      const mailplugin_verdict verdict = one.verdict;
      CPPUNIT_ASSERT_MESSAGE(name, verdict == MAILPLUGIN_REJECTED || verdict == MAILPLUGIN_RETRY_LATER);
      CPPUNIT_ASSERT_MESSAGE(name, !one.reason.empty());
      CPPUNIT_ASSERT_EQUAL_MESSAGE(name, one.body.opened.load(), one.body.closed.load());
    };
    for (const auto& [name, open] : opens) {
      submit(name, [open = open](TextPart& part) { part.part.open = open; });
    }
    for (const auto& [name, read] : reads) {
      submit(name, [read = read](TextPart& part) { part.stream.read = read; });
    }
    Submission& fine = submissions_.emplace_back();
    fine.mail.stable_id = text("conformance-fine");
    fine.body.stream.close = [](const mailplugin_stream* s) {
      ++static_cast<TextPart*>(s->ctx)->closed;
      throw std::runtime_error("no");
    };
    CPPUNIT_ASSERT_EQUAL(ok, outgoing->submit(server_, &fine.mail, &fine.table));
    wait_for_answer(fine);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(fine.reason, mailplugin_verdict{MAILPLUGIN_ACCEPTED}, fine.verdict.load());
  }

  void streams_of_other_sizes() {
    const mailplugin_outgoing* outgoing = serve_outgoing();
    static const mailplugin_stream* opened = nullptr;
    const auto submit = [&](const std::string& key, const mailplugin_stream* stream) {
      opened = stream;
      Submission& one = submissions_.emplace_back();
      one.mail.stable_id = {key.data(), key.size()};
      one.body.part.open = [](const mailplugin_part*) { return opened; };
      CPPUNIT_ASSERT_EQUAL(ok, outgoing->submit(server_, &one.mail, &one.table));
      wait_for_answer(one);
      return one.verdict.load();
    };
    TextPart part("Hello");
    const std::size_t enough = offsetof(mailplugin_stream, close) + sizeof part.stream.close;
    for (std::size_t size = 0; size < enough; size += 4) {
      Sized<mailplugin_stream> small(part.stream, size);
      CPPUNIT_ASSERT(submit("stream of " + std::to_string(size), small.get()) != MAILPLUGIN_ACCEPTED);
    }
    mailplugin_stream mute = part.stream;
    mute.read = nullptr;
    CPPUNIT_ASSERT(submit("stream without read", &mute) != MAILPLUGIN_ACCEPTED);
    mailplugin_stream open_for_ever = part.stream;
    open_for_ever.close = nullptr;
    CPPUNIT_ASSERT(submit("stream without close", &open_for_ever) != MAILPLUGIN_ACCEPTED);
    auto future = of_the_future(part.stream);
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_ACCEPTED}, submit("stream of the future", future.get()));
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
  }

  void stop_does_not_wait_longer_for_a_read_than_it_may() {
    static Gate* gate = nullptr;
    gate = &gate_;
    Submission& one = submissions_.emplace_back();
    one.mail.stable_id = text("conformance-slow");
    one.body.stream.read = [](const mailplugin_stream*, void*, uint64_t) -> int64_t {
      gate->pass();
      return 0;
    };
    CPPUNIT_ASSERT_EQUAL(ok, serve_outgoing()->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT(gate_.someone_inside());
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server_->stop(server_, 100));
    CPPUNIT_ASSERT_EQUAL(0, one.answers.load());
    gate_.open();
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
    CPPUNIT_ASSERT_EQUAL(one.body.opened.load(), one.body.closed.load());
  }

  void stop_does_not_wait_longer_for_on_idle_than_it_may() {
    inbox_.idle_gate = &gate_;
    inbox_.verdict = MAILPLUGIN_ACCEPTED;
    open(serve_incoming(), inbox_, {{"after_fetch", "leave"}});
    CPPUNIT_ASSERT(gate_.someone_inside());
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server_->stop(server_, 100));
    const int idles = inbox_.idles;
    gate_.open();
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no new one started", idles, inbox_.idles.load());
  }

  void what_on_idle_throws_ends_at_the_plugin() {
    inbox_.idle_throws = true;
    inbox_.verdict = MAILPLUGIN_ACCEPTED;
    open(serve_incoming(), inbox_, {{"after_fetch", "leave"}});
    CPPUNIT_ASSERT(eventually([this] { return inbox_.idles > 0; }));
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
    // It is told anew after every start.
    const int idles = inbox_.idles;
    CPPUNIT_ASSERT_EQUAL(ok, server_->start(server_));
    CPPUNIT_ASSERT(eventually([&] { return inbox_.idles > idles; }));
  }

  void control_functions_from_inside_callbacks_are_refused() {
    const mailplugin_incoming* incoming = serve_incoming();
    std::atomic<int> refused{0}, asked{0};
    std::atomic<uint64_t> mailbox{0};
    inbox_.inside = [&] {
      const mailplugin_status answers[] = {server_->start(server_), server_->stop(server_, 60'000),
                                           incoming->close_mailbox(server_, mailbox)};
      for (const mailplugin_status answer : answers) {
        ++asked;
        refused += answer == MAILPLUGIN_E_STATE;
      }
      server_->destroy(server_);
    };
    mailbox = open(incoming, inbox_);
    inbox_.wait_for(1);
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT(asked > 0);
    CPPUNIT_ASSERT_EQUAL(asked.load(), refused.load());
  }

  void an_acknowledge_from_inside_on_message() {
    // Before the verdict PENDING is given: too early, and the mail is not decided by it.
    const mailplugin_incoming* incoming = serve_incoming();
    inbox_.inside = [&] {
      for (const Inbox::Delivery& one : inbox_.came())
        incoming->acknowledge(server_, one.id, MAILPLUGIN_RETRY_LATER, 1);
    };
    open(incoming, inbox_);
    const auto came = inbox_.wait_for(3);
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    for (const Inbox::Delivery& one : came) {
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE},
                           incoming->acknowledge(server_, one.id, MAILPLUGIN_ACCEPTED, 0));
    }
  }

  void null_in_the_hands_of_the_plugins_streams() {
    open(serve_incoming(), inbox_);
    const mailplugin_part* part = inbox_.wait_for(1).front().mail->parts[0];
    CPPUNIT_ASSERT(part->open(nullptr) == nullptr);
    const mailplugin_stream* stream = part->open(part);
    CPPUNIT_ASSERT(stream != nullptr);
    char byte = 0;
    CPPUNIT_ASSERT_EQUAL(int64_t{MAILPLUGIN_E_ARGUMENT}, stream->read(nullptr, &byte, 1));
    CPPUNIT_ASSERT_EQUAL(int64_t{MAILPLUGIN_E_ARGUMENT}, stream->read(stream, nullptr, 1));
    CPPUNIT_ASSERT_EQUAL(int64_t{0}, stream->read(stream, &byte, 0));
    CPPUNIT_ASSERT_EQUAL(int64_t{1}, stream->read(stream, &byte, 1));
    stream->close(nullptr);
    stream->close(stream);
  }

  void whatever_read_secret_answers() {
    const mailplugin_server_type* type = host_.type_with(module_, MAILPLUGIN_INCOMING);
    const std::string good = read_settings_file(settings_path())[type->id]["secret"];
    std::atomic<int> calls{0};
    events_.offer_secret([&](char* buffer, uint64_t capacity) -> int64_t {
      switch (calls++) {
        case 0:
          return MAILPLUGIN_E_IO;
        case 1:
          return INT64_MIN;
        case 2:
          return INT64_MAX;
        case 3:
          throw 42;
        case 4:
          return static_cast<int64_t>(capacity) + 1;  // and again, each time
        case 5:
          return static_cast<int64_t>(capacity) + 1;
        case 6:
          return static_cast<int64_t>(capacity) + 1;
        default:
          std::memcpy(buffer, good.data(), good.size());
          return static_cast<int64_t>(good.size());
      }
    });
    open(serve<mailplugin_incoming>(MAILPLUGIN_INCOMING, {{"secret", "8Q~wrong-secret-of-the-test"}}), inbox_);
    CPPUNIT_ASSERT(events_.wait_for(
        [](const Events::Told& told) { return told.mailbox == 0 && told.cause == MAILPLUGIN_CAUSE_SECRET_REFUSED; }));
    inbox_.wait_for(1);
    CPPUNIT_ASSERT(calls > 7);
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
    for (const std::string& line : host_.lines()) CPPUNIT_ASSERT(line.find(good) == std::string::npos);
  }

  void stop_does_not_wait_longer_for_read_secret_than_it_may() {
    events_.offer_secret([this](char*, uint64_t) -> int64_t {
      gate_.pass();
      return MAILPLUGIN_E_IO;
    });
    serve<mailplugin_outgoing>(MAILPLUGIN_OUTGOING, {{"password", "8Q~wrong-secret-of-the-test"}});
    CPPUNIT_ASSERT(gate_.someone_inside());
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server_->stop(server_, 100));
    gate_.open();
    CPPUNIT_ASSERT_EQUAL(ok, server_->stop(server_, 60'000));
  }
};

CPPUNIT_TEST_SUITE_NAMED_REGISTRATION(LiveTest, "live");

}  // namespace conformance
