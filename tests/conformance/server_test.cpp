// Starting, stopping, destroying, health: what both kinds of server promise (mailplugin.h, "servers").
#include <cppunit/extensions/HelperMacros.h>

#include <chrono>
#include <functional>

#include "host.h"
#include "settings.h"

namespace conformance {

class ServerTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ServerTest);
  CPPUNIT_TEST(create_gives_a_stopped_server_with_its_interfaces);
  CPPUNIT_TEST(any_order_of_start_and_stop_is_fine);
  CPPUNIT_TEST(a_server_that_is_not_there_is_told_as_health);
  CPPUNIT_TEST(exceptions_of_the_host_end_at_the_plugin);
  CPPUNIT_TEST(no_callback_comes_after_stop);
  CPPUNIT_TEST(destroy_stops_first);
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
    return server;
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
};

CPPUNIT_TEST_SUITE_REGISTRATION(ServerTest);

}  // namespace conformance
