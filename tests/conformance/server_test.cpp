// Starting, stopping, destroying, health: what both kinds of server promise (mailplugin.h, "servers").
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "host.h"
#include "settings.h"

namespace conformance {

class ServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerTest);
  CPPUNIT_TEST(create_gives_a_stopped_server_with_its_interfaces);
  CPPUNIT_TEST(any_order_of_start_and_stop_is_fine);
  CPPUNIT_TEST(a_check_says_what_it_found_and_keeps_its_time);
  CPPUNIT_TEST(a_server_that_is_not_there_is_told_as_health);
  CPPUNIT_TEST(exceptions_of_the_host_end_at_the_plugin);
  CPPUNIT_TEST(no_callback_comes_after_stop);
  CPPUNIT_TEST(destroy_stops_first);
  CPPUNIT_TEST(stop_does_not_wait_longer_for_a_callback_than_it_may);
  CPPUNIT_TEST(destroy_waits_for_a_callback_that_runs);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  const mailplugin_module* module_ = nullptr;

  const mailplugin_server* create(const mailplugin_server_type* type, Events& events) {
    Settings settings(read_settings_file(settings_path())[type->id]);
    Problems problems;
    const mailplugin_server* server = nullptr;
    const mailplugin_status status = type->create(type, settings.get(), &events.table, problems.get(), &server);
    CPPUNIT_ASSERT_EQUAL_MESSAGE(problems.told.empty() ? type->id : problems.told.front().second,
                                 mailplugin_status{MAILPLUGIN_OK}, status);
    CPPUNIT_ASSERT(server != nullptr);
    open_mailbox(type, server);
    return server;
  }

  // An incoming server without a mailbox has nothing to sign in for.
  void open_mailbox(const mailplugin_server_type* type, const mailplugin_server* server) {
    const auto* incoming = static_cast<const mailplugin_incoming*>(server->get_interface(server, MAILPLUGIN_INCOMING));
    if (incoming == nullptr) return;
    static const mailplugin_mailbox_events events{
        sizeof events, 0, nullptr,
        [](const mailplugin_mailbox_events*, uint64_t, const mailplugin_message*, uint32_t*) -> mailplugin_verdict {
          return MAILPLUGIN_ACCEPTED;
        },
        nullptr};
    Settings mailbox(read_settings_file(settings_path())[std::string(type->id) + " mailbox"]);
    uint64_t id = 0;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK},
                         incoming->open_mailbox(server, mailbox.get(), &events, nullptr, &id));
  }

  void each_type(const std::function<void(const mailplugin_server_type*)>& check) {
    for (uint32_t i = 0; i < module_->server_type_count; ++i) check(module_->server_types[i]);
  }

 public:
  void setUp() override { module_ = host_.enter(); }
  void tearDown() override { module_->shutdown(); }

  void create_gives_a_stopped_server_with_its_interfaces() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, events);
      for (const char* const* id = type->interfaces; *id != nullptr; ++id) {
        CPPUNIT_ASSERT_MESSAGE(*id, server->get_interface(server, *id) != nullptr);
      }
      CPPUNIT_ASSERT(server->get_interface(server, "no such interface") == nullptr);
      CPPUNIT_ASSERT(server->get_interface(server, nullptr) == nullptr);
      CPPUNIT_ASSERT_EQUAL(std::size_t{0}, events.count());
      server->destroy(server);
    });
  }

  void any_order_of_start_and_stop_is_fine() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, events);
      const mailplugin_status ok = MAILPLUGIN_OK;
      CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 1000));
      CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
      CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
      CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 10'000));
      CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 10'000));
      CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
      server->destroy(server);
    });
  }

  void a_check_says_what_it_found_and_keeps_its_time() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, events);
      const auto* check = static_cast<const mailplugin_check*>(server->get_interface(server, MAILPLUGIN_CHECK));
      if (check != nullptr) {  // an optional interface
        CPPUNIT_ASSERT(MAILPLUGIN_CAN(check, mailplugin_check, look));
        const mailplugin_status argument = MAILPLUGIN_E_ARGUMENT, ok = MAILPLUGIN_OK;
        CPPUNIT_ASSERT_EQUAL(argument, check->look(server, nullptr, 1000, nullptr, nullptr));
        std::vector<std::pair<uint32_t, std::string>> found;
        mailplugin_findings findings{};
        findings.struct_size = sizeof findings;
        CPPUNIT_ASSERT_EQUAL(argument, check->look(server, nullptr, 1000, &findings, nullptr));  // add is NULL
        findings.ctx = &found;
        findings.add = [](const mailplugin_findings* f, const mailplugin_finding* finding) {
          static_cast<std::vector<std::pair<uint32_t, std::string>>*>(f->ctx)->emplace_back(finding->result,
                                                                                            finding->message);
          throw std::runtime_error("out of a host's callback");
        };
        CPPUNIT_ASSERT_EQUAL(argument, check->look(nullptr, nullptr, 1000, &findings, nullptr));
        CPPUNIT_ASSERT_EQUAL(ok, check->look(server, nullptr, 10'000, &findings, nullptr));
        CPPUNIT_ASSERT_EQUAL(std::size_t{1}, found.size());
        CPPUNIT_ASSERT_EQUAL(uint32_t{MAILPLUGIN_FINDING_FAILED}, found[0].first);
        CPPUNIT_ASSERT(found[0].second.find("127.0.0.1") != std::string::npos);
        CPPUNIT_ASSERT_EQUAL(std::size_t{0}, events.count());
      }
      server->destroy(server);
    });
  }

  void a_server_that_is_not_there_is_told_as_health() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, events);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->start(server));
      CPPUNIT_ASSERT_MESSAGE(type->id, events.wait_for([](const Events::Told& told) {
        return told.mailbox == 0 && told.cause == MAILPLUGIN_CAUSE_NETWORK && told.state != MAILPLUGIN_READY &&
               told.message.find("127.0.0.1") != std::string::npos;
      }));
      server->destroy(server);
    });
  }

  void exceptions_of_the_host_end_at_the_plugin() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      events.throws = true;
      const mailplugin_server* server = create(type, events);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->start(server));
      CPPUNIT_ASSERT(events.wait_for([](const Events::Told& told) { return told.cause == MAILPLUGIN_CAUSE_NETWORK; }));
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->stop(server, 10'000));
      CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
      server->destroy(server);
    });
  }

  void no_callback_comes_after_stop() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, events);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->start(server));
      CPPUNIT_ASSERT(events.wait_for([](const Events::Told& told) { return told.cause == MAILPLUGIN_CAUSE_NETWORK; }));
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->stop(server, 10'000));
      const std::size_t told = events.count();
      server->destroy(server);
      CPPUNIT_ASSERT_EQUAL(told, events.count());
    });
  }

  void destroy_stops_first() {
    each_type([this](const mailplugin_server_type* type) {
      auto events = std::make_unique<Events>();
      const mailplugin_server* server = create(type, *events);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->start(server));
      server->destroy(server);
      events.reset();  // a late callback would write into freed memory: the sanitizer runs see it
      CPPUNIT_ASSERT(host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
    });
  }

  void stop_does_not_wait_longer_for_a_callback_than_it_may() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      Gate gate;
      events.gate = &gate;
      const mailplugin_server* server = create(type, events);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->start(server));
      CPPUNIT_ASSERT(gate.someone_inside());
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server->stop(server, 100));
      const std::size_t told = events.count();
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_TIMEOUT}, server->stop(server, 0));
      gate.open();
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->stop(server, 60'000));
      CPPUNIT_ASSERT_EQUAL_MESSAGE("no new one started", told, events.count());
      // And it is as good as new.
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->start(server));
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->stop(server, 60'000));
      server->destroy(server);
    });
  }

  void destroy_waits_for_a_callback_that_runs() {
    each_type([this](const mailplugin_server_type* type) {
      auto events = std::make_unique<Events>();
      Gate gate;
      events->gate = &gate;
      const mailplugin_server* server = create(type, *events);
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, server->start(server));
      CPPUNIT_ASSERT(gate.someone_inside());
      std::atomic<bool> destroying{false};
      int passed_before = 0;
      std::jthread control([&] {
        destroying = true;
        server->destroy(server);
        passed_before = gate.passed;
        events.reset();  // a late callback would write into freed memory: the sanitizer runs see it
      });
      while (!destroying) std::this_thread::yield();
      gate.open();
      control.join();
      CPPUNIT_ASSERT(passed_before > 0);
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerTest);

}  // namespace conformance
