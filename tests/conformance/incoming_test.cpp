// The IncomingMailServer in the hands of a host that breaks rules.
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <thread>
#include <vector>

#include "host.h"
#include "settings.h"

namespace conformance {

class IncomingTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(IncomingTest);
  CPPUNIT_TEST(open_mailbox_refuses_what_the_header_forbids);
  CPPUNIT_TEST(open_mailbox_names_the_faulty_field);
  CPPUNIT_TEST(ids_are_unique_and_close_once);
  CPPUNIT_TEST(acknowledge_knows_its_deliveries);
  CPPUNIT_TEST(a_mailbox_can_be_opened_while_running);
  CPPUNIT_TEST(a_mailbox_opened_twice_is_two_mailboxes_or_refused);
  CPPUNIT_TEST(acknowledge_is_harmless_from_many_threads_and_after_stop);
  CPPUNIT_TEST(mailboxes_come_and_go_while_running);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  Events events_;
  const mailplugin_module* module_ = nullptr;
  const mailplugin_server* server_ = nullptr;
  const mailplugin_incoming* incoming_ = nullptr;
  Values mailbox_;
  mailplugin_mailbox_events mailbox_events_{};

  uint64_t open(const Values& values) {
    Settings settings(values);
    Problems problems;
    uint64_t id = 0;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK},
                         incoming_->open_mailbox(server_, settings.get(), &mailbox_events_, problems.get(), &id));
    CPPUNIT_ASSERT(id != 0);
    return id;
  }

 public:
  void setUp() override {
    module_ = host_.enter();
    const mailplugin_server_type* type = host_.type_with(module_, MAILPLUGIN_INCOMING);
    CPPUNIT_ASSERT(type != nullptr);
    auto sections = read_settings_file(settings_path());
    Settings settings(sections[type->id]);
    mailbox_ = sections[std::string(type->id) + " mailbox"];
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK},
                         type->create(type, settings.get(), &events_.table, nullptr, &server_));
    incoming_ = static_cast<const mailplugin_incoming*>(server_->get_interface(server_, MAILPLUGIN_INCOMING));
    mailbox_events_.struct_size = sizeof mailbox_events_;
    mailbox_events_.on_message = [](const mailplugin_mailbox_events*, uint64_t, const mailplugin_message*,
                                    uint32_t*) -> mailplugin_verdict { return MAILPLUGIN_ACCEPTED; };
  }
  void tearDown() override {
    server_->destroy(server_);
    module_->shutdown();
  }

  void open_mailbox_refuses_what_the_header_forbids() {
    Settings settings(mailbox_);
    uint64_t id = 7;
    const mailplugin_status refused = MAILPLUGIN_E_ARGUMENT;
    CPPUNIT_ASSERT_EQUAL(refused, incoming_->open_mailbox(nullptr, settings.get(), &mailbox_events_, nullptr, &id));
    CPPUNIT_ASSERT_EQUAL(refused, incoming_->open_mailbox(server_, nullptr, &mailbox_events_, nullptr, &id));
    CPPUNIT_ASSERT_EQUAL(refused, incoming_->open_mailbox(server_, settings.get(), nullptr, nullptr, &id));
    CPPUNIT_ASSERT_EQUAL(refused, incoming_->open_mailbox(server_, settings.get(), &mailbox_events_, nullptr, nullptr));
    mailplugin_mailbox_events deaf = mailbox_events_;
    deaf.on_message = nullptr;
    CPPUNIT_ASSERT_EQUAL(refused, incoming_->open_mailbox(server_, settings.get(), &deaf, nullptr, &id));
    mailplugin_mailbox_events small = mailbox_events_;
    small.struct_size = offsetof(mailplugin_mailbox_events, on_message);
    CPPUNIT_ASSERT_EQUAL(refused, incoming_->open_mailbox(server_, settings.get(), &small, nullptr, &id));
  }

  void open_mailbox_names_the_faulty_field() {
    Values wrong = mailbox_;
    wrong["no_such_key"] = "1";
    Settings settings(wrong);
    Problems problems;
    uint64_t id = 7;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_CONFIG},
                         incoming_->open_mailbox(server_, settings.get(), &mailbox_events_, problems.get(), &id));
    CPPUNIT_ASSERT_EQUAL(uint64_t{0}, id);
    CPPUNIT_ASSERT(problems.names("no_such_key"));
  }

  void ids_are_unique_and_close_once() {
    Values second = mailbox_;
    second["address"] = "second-" + mailbox_["address"];
    const uint64_t one = open(mailbox_), two = open(second);
    CPPUNIT_ASSERT(one != two);
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, incoming_->close_mailbox(server_, one));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT}, incoming_->close_mailbox(server_, one));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT}, incoming_->close_mailbox(server_, 0));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, incoming_->close_mailbox(server_, two));
  }

  void acknowledge_knows_its_deliveries() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE},
                         incoming_->acknowledge(server_, 4711, MAILPLUGIN_ACCEPTED, 0));
    for (const mailplugin_verdict none : {0u, 4u, 5u, 99u}) {
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT}, incoming_->acknowledge(server_, 4711, none, 0));
    }
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT},
                         incoming_->acknowledge(nullptr, 4711, MAILPLUGIN_ACCEPTED, 0));
  }

  void a_mailbox_can_be_opened_while_running() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    const uint64_t id = open(mailbox_);
    CPPUNIT_ASSERT(events_.wait_for([id](const Events::Told& told) { return told.mailbox == id; }));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, incoming_->close_mailbox(server_, id));
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 10'000));
  }

  void a_mailbox_opened_twice_is_two_mailboxes_or_refused() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    const uint64_t first = open(mailbox_);
    Settings settings(mailbox_);
    Problems problems;
    uint64_t second = 0;
    const mailplugin_status status =
        incoming_->open_mailbox(server_, settings.get(), &mailbox_events_, problems.get(), &second);
    if (status == MAILPLUGIN_OK) {
      // Which of the two reads the folder is told by health once the service says that they are one.
      CPPUNIT_ASSERT(second != 0 && second != first);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, incoming_->close_mailbox(server_, second));
    } else {
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_CONFIG}, status);
      CPPUNIT_ASSERT(!problems.told.empty());
    }
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, incoming_->close_mailbox(server_, first));
  }

  void acknowledge_is_harmless_from_many_threads_and_after_stop() {
    open(mailbox_);
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    std::atomic<int> other{0};
    {
      std::vector<std::jthread> threads;
      for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
          for (uint64_t id = 1; id <= 200; ++id) {
            other += incoming_->acknowledge(server_, id, MAILPLUGIN_ACCEPTED, 0) != MAILPLUGIN_E_STATE;
          }
        });
      }
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 60'000));
    }
    CPPUNIT_ASSERT_EQUAL(0, other.load());
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_STATE},
                         incoming_->acknowledge(server_, 1, MAILPLUGIN_ACCEPTED, 0));
  }

  void mailboxes_come_and_go_while_running() {
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->start(server_));
    for (int i = 0; i < 20; ++i) {
      const uint64_t id = open(mailbox_);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, incoming_->close_mailbox(server_, id));
    }
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server_->stop(server_, 60'000));
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(IncomingTest);

}  // namespace conformance
