// Structs of hosts that are older or newer than the plugin (mailplugin.h, "Growth"), and NULL wherever one could stand.
#include <cppunit/extensions/HelperMacros.h>

#include <deque>
#include <functional>
#include <string>

#include "host.h"
#include "settings.h"
#include "sized.h"
#include "submission.h"

namespace conformance {
namespace {

constexpr mailplugin_status ok = MAILPLUGIN_OK, refused = MAILPLUGIN_E_ARGUMENT, faulty = MAILPLUGIN_E_CONFIG;

template <typename T, typename Member>
std::size_t up_to(Member T::*member) {
  const T object{};
  return static_cast<std::size_t>(reinterpret_cast<const char*>(&(object.*member)) -
                                  reinterpret_cast<const char*>(&object)) +
         sizeof(Member);
}

}  // namespace

class SizesTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(SizesTest);
  CPPUNIT_TEST(hosts);
  CPPUNIT_TEST(settings_and_problems);
  CPPUNIT_TEST(server_events);
  CPPUNIT_TEST(mailbox_events);
  CPPUNIT_TEST(messages_and_submissions);
  CPPUNIT_TEST(parts);
  CPPUNIT_TEST(findings);
  CPPUNIT_TEST(null_where_an_array_should_be);
  CPPUNIT_TEST(null_where_a_server_should_be);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  const mailplugin_module* module_ = nullptr;

  // Every server type, with settings it accepts.
  void each_type(const std::function<void(const mailplugin_server_type*, Values)>& check) {
    module_ = host_.enter();
    auto sections = read_settings_file(settings_path());
    for (uint32_t i = 0; i < module_->server_type_count; ++i) {
      check(module_->server_types[i], sections[module_->server_types[i]->id]);
    }
    module_->shutdown();
  }

  // A server of the type with this interface, which it gives; destroyed afterwards.
  template <typename Interface>
  void with_server(const char* id,
                   const std::function<void(const mailplugin_server*, const Interface*, Values mailbox)>& check) {
    each_type([&](const mailplugin_server_type* type, Values values) {
      if (std::strcmp(type->interfaces[0], id) != 0) return;
      Events events;
      Settings settings(values);
      const mailplugin_server* server = nullptr;
      CPPUNIT_ASSERT_EQUAL(ok, type->create(type, settings.get(), &events.table, nullptr, &server));
      check(server, static_cast<const Interface*>(server->get_interface(server, id)),
            read_settings_file(settings_path())[std::string(type->id) + " mailbox"]);
      server->destroy(server);
    });
  }

  static mailplugin_verdict accept(const mailplugin_mailbox_events*, uint64_t, const mailplugin_message*, uint32_t*) {
    return MAILPLUGIN_ACCEPTED;
  }

 public:
  void hosts() {
    each_smaller(host_.table, sizeof(mailplugin_host), [](Sized<mailplugin_host> small) {
      const mailplugin_module* module = nullptr;
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ABI}, entry()(small.get(), &module));
      CPPUNIT_ASSERT(module == nullptr);
    });
    auto future = of_the_future(host_.table);
    future->abi_minor = 7;
    const mailplugin_module* module = nullptr;
    CPPUNIT_ASSERT_EQUAL(ok, entry()(future.get(), &module));
    module->shutdown();
    // A host that does not want to hear anything, and has nothing to offer.
    mailplugin_host silent = host_.table;
    silent.log = nullptr;
    silent.get_extension = nullptr;
    silent.name = silent.version = nullptr;
    CPPUNIT_ASSERT_EQUAL(ok, entry()(&silent, &module));
    CPPUNIT_ASSERT(module->get_extension(nullptr) == nullptr);
    module->shutdown();
  }

  void settings_and_problems() {
    each_type([](const mailplugin_server_type* type, Values values) {
      Settings settings(values);
      const mailplugin_server* server = nullptr;
      each_smaller(*settings.get(), sizeof(mailplugin_settings), [&](Sized<mailplugin_settings> small) {
        CPPUNIT_ASSERT_EQUAL(refused, type->create(type, small.get(), nullptr, nullptr, &server));
        CPPUNIT_ASSERT(server == nullptr);
      });
      auto future = of_the_future(*settings.get());
      CPPUNIT_ASSERT_EQUAL(ok, type->create(type, future.get(), nullptr, nullptr, &server));
      server->destroy(server);

      // Problems too small to be told to are not told to.
      Settings none({});
      Problems problems;
      each_smaller(*problems.get(), sizeof(mailplugin_problems), [&](Sized<mailplugin_problems> small) {
        CPPUNIT_ASSERT_EQUAL(faulty, type->create(type, none.get(), nullptr, small.get(), &server));
      });
      CPPUNIT_ASSERT(problems.told.empty());
      mailplugin_problems deaf = *problems.get();
      deaf.add = nullptr;
      CPPUNIT_ASSERT_EQUAL(faulty, type->create(type, none.get(), nullptr, &deaf, &server));
      auto future_problems = of_the_future(*problems.get());
      CPPUNIT_ASSERT_EQUAL(faulty, type->create(type, none.get(), nullptr, future_problems.get(), &server));
      CPPUNIT_ASSERT(!problems.told.empty());

      // Values and keys that are not there.
      const mailplugin_setting odd[] = {{nullptr, {"x", 1}}, {"", {"x", 1}}, {"address", {nullptr, 5}}};
      for (const mailplugin_setting& item : odd) {
        const mailplugin_settings one{sizeof one, 1, &item};
        CPPUNIT_ASSERT_EQUAL(refused, type->create(type, &one, nullptr, problems.get(), &server));
      }
    });
  }

  void server_events() {
    each_type([](const mailplugin_server_type* type, Values values) {
      Settings settings(values);
      Events events;
      const mailplugin_server* server = nullptr;
      each_smaller(events.table, up_to(&mailplugin_server_events::on_health),
                   [&](Sized<mailplugin_server_events> small) {
                     CPPUNIT_ASSERT_EQUAL(refused, type->create(type, settings.get(), small.get(), nullptr, &server));
                     CPPUNIT_ASSERT(server == nullptr);
                   });
      mailplugin_server_events deaf = events.table;
      deaf.on_health = nullptr;
      CPPUNIT_ASSERT_EQUAL(refused, type->create(type, settings.get(), &deaf, nullptr, &server));

      // Without the last field, and with fields nobody knows yet, health is told.
      Sized<mailplugin_server_events> short_one(events.table, up_to(&mailplugin_server_events::on_health));
      auto future = of_the_future(events.table);
      for (mailplugin_server_events* table : {short_one.get(), future.get()}) {
        const std::size_t before = events.count();
        CPPUNIT_ASSERT_EQUAL(ok, type->create(type, settings.get(), table, nullptr, &server));
        CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
        CPPUNIT_ASSERT(events.wait_for_more_than(before));
        server->destroy(server);
      }
    });
  }

  void mailbox_events() {
    with_server<mailplugin_incoming>(MAILPLUGIN_INCOMING, [](const mailplugin_server* server,
                                                             const mailplugin_incoming* incoming, Values mailbox) {
      Settings settings(mailbox);
      const mailplugin_mailbox_events events{sizeof events, 0, nullptr, &accept, nullptr};
      uint64_t id = 7;
      each_smaller(events, up_to(&mailplugin_mailbox_events::on_message), [&](Sized<mailplugin_mailbox_events> small) {
        CPPUNIT_ASSERT_EQUAL(refused, incoming->open_mailbox(server, settings.get(), small.get(), nullptr, &id));
        CPPUNIT_ASSERT_EQUAL(uint64_t{0}, id);
      });
      each_smaller(*settings.get(), sizeof(mailplugin_settings), [&](Sized<mailplugin_settings> small) {
        CPPUNIT_ASSERT_EQUAL(refused, incoming->open_mailbox(server, small.get(), &events, nullptr, &id));
      });
      auto future = of_the_future(events);
      auto future_settings = of_the_future(*settings.get());
      CPPUNIT_ASSERT_EQUAL(ok, incoming->open_mailbox(server, future_settings.get(), future.get(), nullptr, &id));
      CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
      CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 60'000));
      CPPUNIT_ASSERT_EQUAL(ok, incoming->close_mailbox(server, id));
    });
  }

  void messages_and_submissions() {
    with_server<mailplugin_outgoing>(
        MAILPLUGIN_OUTGOING, [](const mailplugin_server* server, const mailplugin_outgoing* outgoing, const Values&) {
          CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
          Submission one;
          each_smaller(one.mail, up_to(&mailplugin_message::part_count), [&](Sized<mailplugin_message> small) {
            CPPUNIT_ASSERT_EQUAL(refused, outgoing->submit(server, small.get(), &one.table));
          });
          each_smaller(one.table, up_to(&mailplugin_submission::on_sent), [&](Sized<mailplugin_submission> small) {
            CPPUNIT_ASSERT_EQUAL(refused, outgoing->submit(server, &one.mail, small.get()));
          });
          CPPUNIT_ASSERT_EQUAL(0, one.answers.load());
          // What a leaving mail does not use is not looked at.
          one.mail.report = reinterpret_cast<const mailplugin_report*>(0x5a50);
          one.mail.links = reinterpret_cast<const mailplugin_pair*>(0x5a50);
          one.mail.link_count = 3;
          auto mail = of_the_future(one.mail);
          auto table = of_the_future(one.table);
          CPPUNIT_ASSERT_EQUAL(ok, outgoing->submit(server, mail.get(), table.get()));
          CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 60'000));
          CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
        });
  }

  void parts() {
    with_server<mailplugin_outgoing>(
        MAILPLUGIN_OUTGOING, [](const mailplugin_server* server, const mailplugin_outgoing* outgoing, const Values&) {
          CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
          Submission one;
          each_smaller(one.body.part, up_to(&mailplugin_part::open), [&](Sized<mailplugin_part> small) {
            one.parts[0] = small.get();
            CPPUNIT_ASSERT_EQUAL(refused, outgoing->submit(server, &one.mail, &one.table));
          });
          mailplugin_part closed = one.body.part;
          closed.open = nullptr;
          one.parts[0] = &closed;
          CPPUNIT_ASSERT_EQUAL(refused, outgoing->submit(server, &one.mail, &one.table));
          for (const uint32_t kind : {0u, 5u, 6u, 99u}) {
            mailplugin_part odd = one.body.part;
            odd.kind = kind;
            one.parts[0] = &odd;
            CPPUNIT_ASSERT_EQUAL(refused, outgoing->submit(server, &one.mail, &one.table));
          }
          auto future = of_the_future(one.body.part);
          one.parts[0] = future.get();
          CPPUNIT_ASSERT_EQUAL(ok, outgoing->submit(server, &one.mail, &one.table));
          CPPUNIT_ASSERT_EQUAL(ok, server->stop(server, 60'000));
          CPPUNIT_ASSERT_EQUAL(1, one.answers.load());
        });
  }

  void findings() {
    each_type([](const mailplugin_server_type* type, Values values) {
      Settings settings(values);
      const mailplugin_server* server = nullptr;
      CPPUNIT_ASSERT_EQUAL(ok, type->create(type, settings.get(), nullptr, nullptr, &server));
      const auto* check = static_cast<const mailplugin_check*>(server->get_interface(server, MAILPLUGIN_CHECK));
      if (check != nullptr) {
        int told = 0;
        const mailplugin_findings findings{
            sizeof findings, 0, &told,
            [](const mailplugin_findings* f, const mailplugin_finding*) { ++*static_cast<int*>(f->ctx); }};
        each_smaller(findings, sizeof findings, [&](Sized<mailplugin_findings> small) {
          CPPUNIT_ASSERT_EQUAL(refused, check->look(server, nullptr, 1'000, small.get(), nullptr));
        });
        CPPUNIT_ASSERT_EQUAL(refused, check->look(server, nullptr, 1'000, nullptr, nullptr));
        CPPUNIT_ASSERT_EQUAL(refused, check->look(nullptr, nullptr, 1'000, &findings, nullptr));
        each_smaller(*settings.get(), sizeof(mailplugin_settings), [&](Sized<mailplugin_settings> small) {
          CPPUNIT_ASSERT_EQUAL(refused, check->look(server, small.get(), 1'000, &findings, nullptr));
        });
        CPPUNIT_ASSERT_EQUAL(0, told);
        auto future = of_the_future(findings);
        CPPUNIT_ASSERT_EQUAL(ok, check->look(server, nullptr, 60'000, future.get(), nullptr));
        CPPUNIT_ASSERT(told > 0);
      }
      server->destroy(server);
    });
  }

  void null_where_an_array_should_be() {
    with_server<mailplugin_outgoing>(
        MAILPLUGIN_OUTGOING, [](const mailplugin_server* server, const mailplugin_outgoing* outgoing, const Values&) {
          CPPUNIT_ASSERT_EQUAL(ok, server->start(server));
          Submission one;
          using Spoil = void (*)(mailplugin_message&);
          const Spoil spoils[] = {
              [](mailplugin_message& m) { m.to = nullptr; },
              [](mailplugin_message& m) { m.cc_count = 1; },
              [](mailplugin_message& m) { m.bcc_count = 1; },
              [](mailplugin_message& m) { m.reply_to_count = 1; },
              [](mailplugin_message& m) { m.reference_count = 1; },
              [](mailplugin_message& m) { m.header_count = 1; },
              [](mailplugin_message& m) { m.parts = nullptr; },
              [](mailplugin_message& m) { m.stable_id = {nullptr, 3}; },
          };
          for (std::size_t i = 0; i < std::size(spoils); ++i) {
            mailplugin_message wrong = one.mail;
            spoils[i](wrong);
            CPPUNIT_ASSERT_EQUAL_MESSAGE(std::to_string(i), refused, outgoing->submit(server, &wrong, &one.table));
          }
          CPPUNIT_ASSERT_EQUAL(0, one.answers.load());
        });
  }

  void null_where_a_server_should_be() {
    each_type([](const mailplugin_server_type* type, Values values) {
      Settings settings(values);
      const mailplugin_server* server = nullptr;
      CPPUNIT_ASSERT_EQUAL(refused, type->create(type, nullptr, nullptr, nullptr, nullptr));
      CPPUNIT_ASSERT_EQUAL(ok, type->create(type, settings.get(), nullptr, nullptr, &server));
      CPPUNIT_ASSERT_EQUAL(refused, server->start(nullptr));
      CPPUNIT_ASSERT_EQUAL(refused, server->stop(nullptr, 0));
      CPPUNIT_ASSERT(server->get_interface(nullptr, MAILPLUGIN_INCOMING) == nullptr);
      CPPUNIT_ASSERT(server->get_interface(server, nullptr) == nullptr);
      server->destroy(nullptr);
      const auto* incoming =
          static_cast<const mailplugin_incoming*>(server->get_interface(server, MAILPLUGIN_INCOMING));
      if (incoming != nullptr) {
        CPPUNIT_ASSERT_EQUAL(refused, incoming->close_mailbox(nullptr, 1));
        CPPUNIT_ASSERT_EQUAL(refused, incoming->acknowledge(nullptr, 1, MAILPLUGIN_ACCEPTED, 0));
        CPPUNIT_ASSERT_EQUAL(refused, incoming->open_mailbox(nullptr, nullptr, nullptr, nullptr, nullptr));
      }
      const auto* outgoing =
          static_cast<const mailplugin_outgoing*>(server->get_interface(server, MAILPLUGIN_OUTGOING));
      if (outgoing != nullptr) CPPUNIT_ASSERT_EQUAL(refused, outgoing->submit(nullptr, nullptr, nullptr));
      server->destroy(server);
    });
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(SizesTest);

}  // namespace conformance
