// What a module says of itself, and its forms (mailplugin.h, "configuration").
#include <cppunit/extensions/HelperMacros.h>

#include <cstring>
#include <set>
#include <string>

#include "host.h"
#include "settings.h"

namespace conformance {

class FormTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(FormTest);
  CPPUNIT_TEST(the_module_says_who_it_is);
  CPPUNIT_TEST(every_field_can_be_drawn);
  CPPUNIT_TEST(every_missing_required_field_is_named);
  CPPUNIT_TEST(an_unknown_key_is_named);
  CPPUNIT_TEST(settings_that_break_the_rules_are_refused);
  CPPUNIT_TEST_SUITE_END();

  Host host_;
  const mailplugin_module* module_ = nullptr;

 public:
  void setUp() override { module_ = host_.enter(); }
  void tearDown() override { module_->shutdown(); }

  void the_module_says_who_it_is() {
    for (const char* text : {module_->id, module_->name, module_->vendor, module_->version}) {
      CPPUNIT_ASSERT(text != nullptr);
      CPPUNIT_ASSERT(*text != '\0');
    }
    CPPUNIT_ASSERT(module_->server_type_count > 0);
    std::set<std::string> ids;
    for (uint32_t i = 0; i < module_->server_type_count; ++i) {
      const mailplugin_server_type* type = module_->server_types[i];
      CPPUNIT_ASSERT(type->interfaces[0] != nullptr);
      CPPUNIT_ASSERT(type->create != nullptr);
      CPPUNIT_ASSERT_MESSAGE(type->id, ids.insert(type->id).second);
    }
    CPPUNIT_ASSERT(module_->get_extension("no such extension") == nullptr);
  }

  void every_field_can_be_drawn() {
    for (uint32_t i = 0; i < module_->server_type_count; ++i) {
      const mailplugin_server_type* type = module_->server_types[i];
      std::set<std::string> keys;
      for (uint32_t f = 0; f < type->field_count; ++f) {
        const mailplugin_field& field = *type->fields[f];
        CPPUNIT_ASSERT_MESSAGE(field.key, field.label != nullptr && *field.label != '\0');
        CPPUNIT_ASSERT_MESSAGE(field.key, field.type >= MAILPLUGIN_FIELD_TEXT && field.type <= MAILPLUGIN_FIELD_CHOICE);
        CPPUNIT_ASSERT_MESSAGE(field.key,
                               field.scope == MAILPLUGIN_SCOPE_SERVER || field.scope == MAILPLUGIN_SCOPE_MAILBOX);
        CPPUNIT_ASSERT_MESSAGE(field.key, (field.type == MAILPLUGIN_FIELD_CHOICE) == (field.choice_count > 0));
        CPPUNIT_ASSERT_MESSAGE(field.key, (field.shown_if_key == nullptr) == (field.shown_if_value == nullptr));
        CPPUNIT_ASSERT_MESSAGE(field.key, keys.insert(std::to_string(field.scope) + field.key).second);
        if (field.default_value != nullptr && field.type == MAILPLUGIN_FIELD_CHOICE) {
          bool offered = false;
          for (uint32_t c = 0; c < field.choice_count; ++c) {
            offered =
                offered || std::string(field.choices[c].name.data, field.choices[c].name.size) == field.default_value;
          }
          CPPUNIT_ASSERT_MESSAGE(field.key, offered);
        }
      }
    }
  }

  void every_missing_required_field_is_named() {
    for (uint32_t i = 0; i < module_->server_type_count; ++i) {
      const mailplugin_server_type* type = module_->server_types[i];
      Settings none({});
      Problems problems;
      const mailplugin_server* server = nullptr;
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_CONFIG},
                           type->create(type, none.get(), nullptr, problems.get(), &server));
      CPPUNIT_ASSERT(server == nullptr);
      for (uint32_t f = 0; f < type->field_count; ++f) {
        const mailplugin_field& field = *type->fields[f];
        const bool always = field.shown_if_key == nullptr && field.scope == MAILPLUGIN_SCOPE_SERVER;
        if (always && (field.flags & MAILPLUGIN_FIELD_REQUIRED) != 0) {
          CPPUNIT_ASSERT_MESSAGE(field.key, problems.names(field.key));
        }
      }
      CPPUNIT_ASSERT(!problems.told.empty());
    }
  }

  void an_unknown_key_is_named() {
    auto sections = read_settings_file(settings_path());
    for (uint32_t i = 0; i < module_->server_type_count; ++i) {
      const mailplugin_server_type* type = module_->server_types[i];
      Values values = sections[type->id];
      values["no_such_key"] = "1";
      Settings settings(values);
      Problems problems;
      const mailplugin_server* server = nullptr;
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_CONFIG},
                           type->create(type, settings.get(), nullptr, problems.get(), &server));
      CPPUNIT_ASSERT(problems.names("no_such_key"));
    }
  }

  void settings_that_break_the_rules_are_refused() {
    for (uint32_t i = 0; i < module_->server_type_count; ++i) {
      const mailplugin_server_type* type = module_->server_types[i];
      const mailplugin_server* server = nullptr;
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT},
                           type->create(type, nullptr, nullptr, nullptr, &server));
      const mailplugin_settings no_items{sizeof(mailplugin_settings), 1, nullptr};
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT},
                           type->create(type, &no_items, nullptr, nullptr, &server));
      const mailplugin_setting twice[] = {{"address", {"a", 1}}, {"address", {"b", 1}}};
      const mailplugin_settings repeated{sizeof(mailplugin_settings), 2, twice};
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT},
                           type->create(type, &repeated, nullptr, nullptr, &server));
      Settings none({});
      CPPUNIT_ASSERT_EQUAL(mailplugin_status{MAILPLUGIN_E_ARGUMENT},
                           type->create(type, none.get(), nullptr, nullptr, nullptr));
      CPPUNIT_ASSERT(server == nullptr);
    }
  }
};

CPPUNIT_TEST_SUITE_REGISTRATION(FormTest);

}  // namespace conformance
