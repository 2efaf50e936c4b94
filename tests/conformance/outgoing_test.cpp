// The OutgoingMailServer in the hands of a host that breaks rules.
#include <cppunit/extensions/HelperMacros.h>

#include <thread>
#include <vector>

#include "host.h"
#include "settings.h"
#include "submission.h"

namespace conformance {

class OutgoingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(OutgoingTest);
  CPPUNIT_TEST(submit_needs_a_running_server);
  CPPUNIT_TEST(submit_refuses_what_the_header_forbids);
  CPPUNIT_TEST(stop_answers_what_is_on_its_way_exactly_once);
  CPPUNIT_TEST(stop_does_not_wait_longer_for_an_answer_than_it_may);
  CPPUNIT_TEST(an_exception_out_of_on_sent_ends_at_the_plugin);
  CPPUNIT_TEST(one_key_submitted_by_many_threads_is_answered_each_time);
  CPPUNIT_TEST(submit_and_stop_at_once_lose_no_answer);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  Events events_;
  const mailplugin_module* module_ = nullptr;
  const mailplugin_server* server_ = nullptr;
  const mailplugin_outgoing* outgoing_ = nullptr;

 public:
  void setUp() override {
    module_ = host_.enter();
    const mailplugin_server_type* type = host_.type_with(module_, MAILPLUGIN_OUTGOING);
    CPPUNIT_ASSERT(type != nullptr);
    Settings settings(read_settings_file(settings_path())[type->id]);
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK},
                         type->create(type, settings.get(), &events_.table, nullptr, &server_));
    outgoing_ = static_cast<const mailplugin_outgoing*>(server_->get_interface(server_, MAILPLUGIN_OUTGOING));
  }
  void tearDown() override {
    server_->destroy(server_);
    module_->shutdown();
  }

  void submit_needs_a_running_server() {
    Submission one;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 10'000));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(0, one.answers.load());
  }

  void submit_refuses_what_the_header_forbids() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    const mailplugin_status refused = MAILPLUGIN_E_ARGUMENT;
    Submission one;
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(nullptr, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(server_, nullptr, &one.table));
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(server_, &one.mail, nullptr));
    mailplugin_submission deaf = one.table;
    deaf.on_sent = nullptr;
    CPPUNIT_ASSERT_EQUAL(refused, outgoing_->submit(server_, &one.mail, &deaf));

    mailplugin_message wrong = one.mail;
    wrong.struct_size = offsetof(mailplugin_message, parts);
    CPPUNIT_ASSERT_EQUAL_MESSAGE("too small", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.to = nullptr;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("count without array", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.to_count = 0;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no recipient", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.stable_id = {};
    CPPUNIT_ASSERT_EQUAL_MESSAGE("no key", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    const mailplugin_part* no_part[] = {nullptr};
    wrong.parts = no_part;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("NULL part", refused, outgoing_->submit(server_, &wrong, &one.table));
    wrong = one.mail;
    wrong.importance = 17;
    CPPUNIT_ASSERT_EQUAL_MESSAGE("importance", refused, outgoing_->submit(server_, &wrong, &one.table));
    CPPUNIT_ASSERT_EQUAL(0, one.answers.load());
  }

  void stop_answers_what_is_on_its_way_exactly_once() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    Submission one;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 10'000));
    CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
    CPPUNIT_ASSERT_EQUAL(mailplugin_verdict{MAILPLUGIN_RETRY_LATER}, one.verdict.load());
  }

  void stop_does_not_wait_longer_for_an_answer_than_it_may() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    Submission one;
    Gate gate;
    one.gate = &gate;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server_->stop(server_, 300));
    CPPUNIT_ASSERT(gate.someone_inside());
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server_->stop(server_, 0));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE}, outgoing_->submit(server_, &one.mail, &one.table));
    gate.open();
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT_EQUAL(1, gate.passed.load());
    CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
  }

  void an_exception_out_of_on_sent_ends_at_the_plugin() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    Submission one;
    one.throws = true;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, outgoing_->submit(server_, &one.mail, &one.table));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 60'000));
    CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
    CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
  }

  void one_key_submitted_by_many_threads_is_answered_each_time() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    Submission many[8];
    std::atomic<int> taken{0};
    {
      std::vector<std::jthread> threads;
      for (Submission& one : many) {
        threads.emplace_back([&] { taken += outgoing_->submit(server_, &one.mail, &one.table) == MAILPLUGIN_OK; });
      }
    }
    CPPUNIT_ASSERT_EQUAL(8, taken.load());
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 60'000));
    for (const Submission& one : many) CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
  }

  void submit_and_stop_at_once_lose_no_answer() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    constexpr int threads = 4, each = 25;
    std::vector<Submission> many(threads * each);
    std::vector<std::string> keys;
    for (std::size_t i = 0; i < many.size(); ++i) keys.push_back("conformance-" + std::to_string(i));
    for (std::size_t i = 0; i < many.size(); ++i) many[i].mail.stable_id = text(keys[i].c_str());
    std::vector<mailplugin_status> statuses(many.size());
    {
      std::vector<std::jthread> running;
      for (std::size_t t = 0; t < threads; ++t) {
        running.emplace_back([&, t] {
          for (std::size_t i = t * each; i < (t + 1) * each; ++i) {
            statuses[i] = outgoing_->submit(server_, &many[i].mail, &many[i].table);
          }
        });
      }
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 60'000));
    }
    for (std::size_t i = 0; i < many.size(); ++i) {
      CPPUNIT_ASSERT(statuses[i] == MAILPLUGIN_OK || statuses[i] == MAILPLUGIN_E_STATE);
      CPPUNIT_ASSERT_EQUAL(statuses[i] == MAILPLUGIN_OK ? 1 : 0, many[i].answers.load());
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(OutgoingTest);

}  // namespace conformance
