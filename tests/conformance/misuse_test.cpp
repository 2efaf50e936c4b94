// Wrong threads and wrong order: control functions from inside callbacks and from several threads at once, callbacks
// that throw whatever C++ can throw (mailplugin.h, "Threads").
#include <cppunit/extensions/HelperMacros.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "host.h"
#include "settings.h"

namespace conformance {
namespace {

constexpr mailplugin_status ok = MAILPLUGIN_OK, not_now = MAILPLUGIN_E_STATE;

mailplugin_verdict accept(const mailplugin_mailbox_events*, uint64_t, const mailplugin_message*, uint32_t*) {
  return MAILPLUGIN_ACCEPTED;
}
constexpr mailplugin_mailbox_events mailbox_events{sizeof mailbox_events, 0, nullptr, &accept, nullptr};

}  // namespace

class MisuseTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(MisuseTest);
  CPPUNIT_TEST(control_functions_from_inside_a_callback_are_refused);
  CPPUNIT_TEST(control_functions_from_inside_the_log_are_refused);
  CPPUNIT_TEST(control_functions_that_overlap_do_no_harm);
  CPPUNIT_TEST(a_log_that_throws_harms_nothing);
  CPPUNIT_TEST(problems_that_throw_harm_nothing);
  CPPUNIT_TEST(shutdown_once_too_often);
  CPPUNIT_TEST(shutdown_stops_a_server_that_was_forgotten);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  const mailplugin_module* module_ = nullptr;

  void each_type(const std::function<void(const mailplugin_server_type*)>& check) {
    for (uint32_t i = 0; i < module_->server_type_count; ++i) check(module_->server_types[i]);
  }

  static const mailplugin_server* create(const mailplugin_server_type* type, const mailplugin_server_events* events) {
    Settings settings(read_settings_file(settings_path())[type->id]);
    const mailplugin_server* server = nullptr;
    CPPUNIT_ASSERT_EQUAL(ok, type->create(type, settings.get(), events, nullptr, &server));
    return server;
  }

  // Opens the mailbox of the settings; 0 where the server has none, or refused.
  static uint64_t open(const mailplugin_server_type* type, const mailplugin_server* server, mailplugin_status& status) {
    const auto* incoming = static_cast<const mailplugin_incoming*>(server->get_interface(server, MAILPLUGIN_INCOMING));
    uint64_t id = 0;
    if (incoming == nullptr) return id;
    Settings mailbox(read_settings_file(settings_path())[std::string(type->id) + " mailbox"]);
    status = incoming->open_mailbox(server, mailbox.get(), &mailbox_events, nullptr, &id);
    return id;
  }

  // Every control function of this server and of the module; what each answered that was not "not now".
  std::string try_everything(const mailplugin_server_type* type, const mailplugin_server* server, uint64_t mailbox) {
    std::string taken;
    const auto note = [&](const char* function, mailplugin_status status) {
      if (status != not_now) taken += std::string(function) + " gave " + std::to_string(status) + "; ";
    };
    note("start", server->start(server));
    note("stop", server->stop(server, 60'000));
    mailplugin_status status = not_now;
    open(type, server, status);
    note("open_mailbox", status);
    if (const auto* incoming =
            static_cast<const mailplugin_incoming*>(server->get_interface(server, MAILPLUGIN_INCOMING))) {
      note("close_mailbox", incoming->close_mailbox(server, mailbox));
    }
    if (const auto* check = static_cast<const mailplugin_check*>(server->get_interface(server, MAILPLUGIN_CHECK))) {
      const mailplugin_findings findings{sizeof findings, 0, nullptr,
                                         [](const mailplugin_findings*, const mailplugin_finding*) {}};
      note("look", check->look(server, nullptr, 60'000, &findings, nullptr));
    }
    const mailplugin_module* module = nullptr;
    note("entry", entry()(&host_.table, &module));
    server->destroy(server);  // must not free, must not wait: there is no status to look at
    module_->shutdown();
    return taken;
  }

 public:
  void setUp() override { module_ = host_.enter(); }
  void tearDown() override { module_->shutdown(); }

  void control_functions_from_inside_a_callback_are_refused() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, &events.table);
      mailplugin_status status = ok;
      const uint64_t mailbox = open(type, server, status);
      CPPUNIT_ASSERT_EQUAL(ok, status);
      std::atomic<int> done{0};
      std::string taken;
      events.inside = [&] {
        if (done++ == 0) taken = try_everything(type, server, mailbox);
      };
      const std::size_t lines = host_.lines(MAILPLUGIN_LOG_MISUSE).size();
      CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
      CPPUNIT_ASSERT(events.wait_for([](const Events::Told& told) { return told.cause == MAILPLUGIN_CAUSE_NETWORK; }));
      CPPUNIT_ASSERT_EQUAL_MESSAGE("it still stops", ok, server->stop(server, 60'000));
      CPPUNIT_ASSERT(done > 0);
      CPPUNIT_ASSERT_EQUAL(std::string(), taken);
      CPPUNIT_ASSERT(host_.lines(MAILPLUGIN_LOG_MISUSE).size() >= lines + 5);
      server->destroy(server);
    });
  }

  void control_functions_from_inside_the_log_are_refused() {
    each_type([this](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, &events.table);
      std::string taken = "never asked";
      int lines = 0;  // each refusal is worth another one
      host_.inside_log = [&] {
        if (lines++ == 0) taken = try_everything(type, server, 1);
      };
      // This is worth a line, which is written on this very thread.
      mailplugin_server_events deaf = events.table;
      deaf.on_health = nullptr;
      Settings settings(read_settings_file(settings_path())[type->id]);
      const mailplugin_server* none = nullptr;
      CPPUNIT_ASSERT(type->create(type, settings.get(), &deaf, nullptr, &none) < 0);
      host_.inside_log = nullptr;
      CPPUNIT_ASSERT(lines > 5);
      CPPUNIT_ASSERT_EQUAL(std::string(), taken);
      server->destroy(server);
    });
  }

  void control_functions_that_overlap_do_no_harm() {
    each_type([](const mailplugin_server_type* type) {
      Events events;
      const mailplugin_server* server = create(type, &events.table);
      const auto* incoming =
          static_cast<const mailplugin_incoming*>(server->get_interface(server, MAILPLUGIN_INCOMING));
      std::atomic<int> odd{0};
      {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
          threads.emplace_back([&] {
            const auto check = [&](mailplugin_status status) { odd += status != ok && status != not_now; };
            for (int i = 0; i < 25; ++i) {
              check(server->start(server));
              mailplugin_status status = ok;
              const uint64_t mailbox = open(type, server, status);
              if (status != MAILPLUGIN_E_CONFIG) check(status);  // a mailbox that is open already may be refused
              if (incoming != nullptr && mailbox != 0) check(incoming->close_mailbox(server, mailbox));
              check(server->stop(server, 60'000));
            }
          });
        }
      }
      CPPUNIT_ASSERT_EQUAL(0, odd.load());
      CPPUNIT_ASSERT_EQUAL_MESSAGE("it is as good as before", ok, server->start(server));
      CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 60'000));
      server->destroy(server);
    });
  }

  void a_log_that_throws_harms_nothing() {
    host_.inside_log = [] { throw 42; };
    each_type([](const mailplugin_server_type* type) {
      Events events;
      events.throws = true;  // which is worth a line
      const mailplugin_server* server = create(type, &events.table);
      mailplugin_status status = ok;
      open(type, server, status);
      CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
      CPPUNIT_ASSERT(events.wait_for([](const Events::Told& told) { return told.cause == MAILPLUGIN_CAUSE_NETWORK; }));
      CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 60'000));
      server->destroy(server);
    });
    host_.inside_log = nullptr;
  }

  void problems_that_throw_harm_nothing() {
    each_type([this](const mailplugin_server_type* type) {
      static int told = 0;
      told = 0;
      mailplugin_problems problems{sizeof problems, 0, nullptr,
                                   [](const mailplugin_problems*, const char*, const char*) {
                                     ++told;
                                     throw "no exception class at all";
                                   }};
      Settings none({});
      const mailplugin_server* server = nullptr;
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_CONFIG},
                           type->create(type, none.get(), nullptr, &problems, &server));
      CPPUNIT_ASSERT_MESSAGE("it goes on to the other faults", told > 1);
      CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
    });
  }

  void shutdown_once_too_often() {
    const auto shutdown = module_->shutdown;
    shutdown();
    shutdown();
    shutdown();
    module_ = host_.enter();
    each_type([](const mailplugin_server_type* type) {
      const mailplugin_server* server = create(type, nullptr);
      server->destroy(server);
    });
  }

  void shutdown_stops_a_server_that_was_forgotten() {
    Events events;
    const mailplugin_server_type* type = module_->server_types[0];
    const mailplugin_server* server = create(type, &events.table);
    mailplugin_status status = ok;
    open(type, server, status);
    CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
    CPPUNIT_ASSERT(events.wait_for_more_than(0));
    module_->shutdown();
    const std::size_t told = events.count();
    CPPUNIT_ASSERT(!host_.lines(MAILPLUGIN_LOG_MISUSE).empty());
    // Its memory stays with the process: late calls find it.
    CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 60'000));
    server->destroy(server);
    CPPUNIT_ASSERT_EQUAL(told, events.count());
    module_ = host_.enter();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(MisuseTest);

}  // namespace conformance
