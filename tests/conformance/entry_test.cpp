// The entry: versions, sizes, counting (mailplugin.h, "module").
#include <cppunit/extensions/HelperMacros.h>

#include <cstring>

#include "host.h"

namespace conformance {

class EntryTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(EntryTest);
  CPPUNIT_TEST(null_arguments_are_refused);
  CPPUNIT_TEST(a_host_too_small_is_refused_with_a_line);
  CPPUNIT_TEST(a_host_from_the_future_is_served);
  CPPUNIT_TEST(a_double_entry_gives_the_same_module_counted);
  CPPUNIT_TEST(a_second_host_is_refused_with_a_line);
  CPPUNIT_TEST(it_comes_back_after_shutdown);
  CPPUNIT_TEST_SUITE_END();

 public:
  void null_arguments_are_refused() {
    Host host;
    const mailplugin_module* module = nullptr;
    CPPUNIT_ASSERT(entry()(nullptr, &module) < 0);
    CPPUNIT_ASSERT(module == nullptr);
    CPPUNIT_ASSERT(entry()(&host.table, nullptr) < 0);
    host.table.state_dir = nullptr;
    CPPUNIT_ASSERT(entry()(&host.table, &module) < 0);
    CPPUNIT_ASSERT(module == nullptr);
  }

  void a_host_too_small_is_refused_with_a_line() {
    Host host;
    host.table.struct_size = offsetof(mailplugin_host, get_extension);
    const mailplugin_module* module = nullptr;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ABI}, entry()(&host.table, &module));
    CPPUNIT_ASSERT(module == nullptr);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, host.lines(MAILPLUGIN_LOG_ERROR).size());
  }

  void a_host_from_the_future_is_served() {
    struct FutureHost {
      mailplugin_host known;
      const void* unknown[8];
    };
    Host host;
    FutureHost future{};
    future.known = host.table;
    std::memset(future.unknown, 0x5a, sizeof future.unknown);
    future.known.struct_size = sizeof future;
    future.known.abi_minor = 7;
    const mailplugin_module* module = nullptr;
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_OK}, entry()(&future.known, &module));
    CPPUNIT_ASSERT(module->abi_minor <= MAILPLUGIN_ABI_MINOR);
    module->shutdown();
  }

  void a_double_entry_gives_the_same_module_counted() {
    Host host;
    const mailplugin_module* first = host.enter();
    const mailplugin_module* second = host.enter();
    CPPUNIT_ASSERT(first == second);
    first->shutdown();
    // Still entered once: the module serves on.
    const mailplugin_server_type* type = second->server_types[0];
    const mailplugin_server* server = nullptr;
    const mailplugin_settings none{sizeof(mailplugin_settings), 0, nullptr};
    CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_CONFIG}, type->create(type, &none, nullptr, nullptr, &server));
    second->shutdown();
  }

  void a_second_host_is_refused_with_a_line() {
    Host host, other;
    const mailplugin_module* module = host.enter();
    const mailplugin_module* refused = nullptr;
    CPPUNIT_ASSERT(entry()(&other.table, &refused) < 0);
    CPPUNIT_ASSERT(refused == nullptr);
    CPPUNIT_ASSERT(!other.lines(MAILPLUGIN_LOG_ERROR).empty());
    module->shutdown();
  }

  void it_comes_back_after_shutdown() {
    for (int i = 0; i < 3; ++i) {
      Host host;
      host.enter()->shutdown();
    }
    Host host;
    const mailplugin_module* module = host.enter();
    CPPUNIT_ASSERT(module->server_type_count > 0);
    module->shutdown();
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(EntryTest);

}  // namespace conformance
