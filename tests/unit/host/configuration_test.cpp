#include "configurator/configuration.h"

#include <sys/stat.h>

#include <cstdlib>

#include "configurator/form.h"
#include "host/support.h"

namespace {

using base::Json;
using configurator::Configuration;
using configurator::ConfigurationError;
using host_test::assert_contains;
namespace fs = std::filesystem;

constexpr const char* kGood = R"({
  "system_language": "en",
  "system_services": { "email_settings": {
    "incoming_mail_servers": [
      { "name": "One", "type": "fake", "address": "https://one", "secret": {"file": "secret.txt"} },
      { "name": "Two", "type": "fake.incoming", "address": "https://two" } ],
    "external_outgoing_mail_server": { "enable": true, "type": "fake", "address": "https://out", "answer": "" } } },
  "queue_management": { "queues": [
    { "name": "Support", "basics": {"language": "de"}, "contact_management": {"priority": 10},
      "numbers_addresses": [
        { "address": "a@x", "priority": 5, "extension_language": "fi", "email_account": "Support", "email_password": null,
          "sender": true, "email_server": "One", "messages": 3 },
        { "address": "b@x", "email_account": "real@x", "email_password": "pw", "email_server": "One", "folder": "Claims" } ] },
    { "name": "Sales",
      "numbers_addresses": [
        { "address": "c@x", "email_account": "0a1b2c3d-0000-4000-8000-00000000000f", "email_server": "Two" } ] } ] }
})";

class ConfigurationTest : public CppUnit::TestFixture {
  CPPUNIT_TEST_SUITE(ConfigurationTest);
  CPPUNIT_TEST(reads_the_documents_places_and_words);
  CPPUNIT_TEST(values_fall_back_from_address_to_queue_to_system);
  CPPUNIT_TEST(hands_the_plugin_texts);
  CPPUNIT_TEST(tells_every_fault_with_its_path);
  CPPUNIT_TEST(tells_every_fault_of_a_file_at_once);
  CPPUNIT_TEST(refuses_two_queues_on_one_folder);
  CPPUNIT_TEST(secrets_come_from_text_environment_and_file);
  CPPUNIT_TEST(warns_of_secrets_others_can_read);
  CPPUNIT_TEST(a_secret_file_is_read_anew);
  CPPUNIT_TEST(outgoing_can_be_switched_off);
  CPPUNIT_TEST(an_address_to_send_from_needs_no_server);
  CPPUNIT_TEST(knows_what_names_a_mailbox);
  CPPUNIT_TEST(draws_the_form);
  CPPUNIT_TEST_SUITE_END();

  base::ScratchFolder scratch_{"configuration-test"};
  const fs::path file_ = scratch_.path() / "contact-center.json";
  std::unique_ptr<loader::Plugins> plugins_;
  configurator::TypeCatalog types_;

 public:
  void setUp() override {
    host_test::install("fake_plugin", scratch_.path() / "plugins");
    loader::DiscoveryOptions where;
    where.folder = scratch_.path() / "plugins";
    plugins_ = std::make_unique<loader::Plugins>(where, scratch_.path() / "state", host_test::quiet());
    types_.find = [this](std::string_view type, std::string_view interface) {
      return plugins_->server_type(type, interface);
    };
    types_.names = plugins_->type_names();
    host_test::write_file(scratch_.path() / "secret.txt", "s3cret\n");
  }

 private:
  Configuration read(const std::string& text) {
    host_test::write_file(file_, text);
    return configurator::read_configuration(file_, types_);
  }

  // kGood with one piece replaced by another.
  static std::string changed(const std::string& from, const std::string& to) {
    std::string text = kGood;
    const std::size_t at = text.find(from);
    CPPUNIT_ASSERT_MESSAGE(from, at != std::string::npos);
    return text.replace(at, from.size(), to);
  }

  void refused(const std::string& text, const std::string& because) {
    try {
      read(text);
      CPPUNIT_FAIL("accepted, expected: " + because);
    } catch (const ConfigurationError& error) {
      std::string all;
      for (const std::string& problem : error.problems()) all += problem + "\n";
      assert_contains(all, because);
      assert_contains(all, file_.string());
    }
  }

  void reads_the_documents_places_and_words() {
    const Configuration configuration = read(kGood);
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, configuration.incoming.size());
    CPPUNIT_ASSERT_EQUAL(std::string("fake.incoming"), std::string(configuration.incoming[1].server_type->id));
    CPPUNIT_ASSERT(configuration.outgoing->enabled);
    CPPUNIT_ASSERT_EQUAL(std::string("fake.outgoing"), std::string(configuration.outgoing->server_type->id));
    const configurator::Address& first = configuration.queues.at(0).addresses.at(0);
    CPPUNIT_ASSERT_EQUAL(std::string("Support"), first.queue);
    CPPUNIT_ASSERT_EQUAL(std::string("a@x"), first.mailbox);  // "Support" is a display name
    CPPUNIT_ASSERT(first.sender);
    CPPUNIT_ASSERT_EQUAL(std::size_t{0}, *first.server);
    CPPUNIT_ASSERT_EQUAL(std::string("real@x"), configuration.queues[0].addresses[1].mailbox);
    CPPUNIT_ASSERT_EQUAL(std::string("Claims"), configuration.queues[0].addresses[1].folder);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, *configuration.queues[1].addresses[0].server);
    CPPUNIT_ASSERT(configuration.find_address("A@X") == &first);
    CPPUNIT_ASSERT(configuration.find_address("nobody@x") == nullptr);
    CPPUNIT_ASSERT(configuration.warnings.empty());
  }

  void values_fall_back_from_address_to_queue_to_system() {
    const Configuration configuration = read(kGood);
    const auto& support = configuration.queues[0].addresses;
    CPPUNIT_ASSERT_EQUAL(std::int64_t{5}, *support[0].priority);
    CPPUNIT_ASSERT_EQUAL(std::string("fi"), support[0].language);
    CPPUNIT_ASSERT_EQUAL(std::int64_t{10}, *support[1].priority);
    CPPUNIT_ASSERT_EQUAL(std::string("de"), support[1].language);
    CPPUNIT_ASSERT(!configuration.queues[1].addresses[0].priority.has_value());
    CPPUNIT_ASSERT_EQUAL(std::string("en"), configuration.queues[1].addresses[0].language);
  }

  void hands_the_plugin_texts() {
    const Configuration configuration = read(kGood);
    const std::map<std::string, std::string> first{
        {"address", "a@x"}, {"email_account", "Support"}, {"messages", "3"}, {"priority", "5"}};
    CPPUNIT_ASSERT(first == configuration.queues[0].addresses[0].settings.values());
    const std::map<std::string, std::string> server{{"address", "https://one"}, {"secret", "s3cret"}};
    CPPUNIT_ASSERT(server == configuration.incoming[0].settings.values());
    // An empty box is nothing given.
    CPPUNIT_ASSERT(configuration.outgoing->settings.find("answer") == nullptr);
    CPPUNIT_ASSERT_EQUAL(std::string("queue_management.queues[0].numbers_addresses[1].email_password"),
                         configuration.queues[0].addresses[1].settings.path_of("email_password"));
  }

  void tells_every_fault_with_its_path() {
    const std::string incoming = "system_services.email_settings.incoming_mail_servers[0]";
    const std::string first = "queue_management.queues[0].numbers_addresses[0]";
    refused("{ not json", ":1:3: not JSON: ");
    refused(R"({"a":1,"a":2})", "the key \"a\" is given twice");
    refused("[]", "an object is expected here, not a list");
    refused(changed("\"address\": \"https://one\"", "\"adress\": \"https://one\""),
            incoming + ".adress: unknown key (did you mean \"address\"?)");
    refused(changed("\"queue_management\"", "\"queue_managment\""),
            "queue_managment: unknown key (did you mean \"queue_management\"?)");
    refused(changed("\"messages\": 3", "\"mesages\": 3"), first + ".mesages: unknown key (did you mean \"messages\"?)");
    refused(changed("\"email_server\": \"One\", \"messages\"", "\"email_server\": \"Onne\", \"messages\""),
            first + ".email_server: there is no incoming mail server \"Onne\" (did you mean \"One\"?)");
    refused(changed("\"type\": \"fake\"", "\"type\": \"fale\""),
            incoming + ".type: no plugin offers the incoming server type \"fale\" (did you mean \"fake\"?)");
    refused(changed("\"priority\": 5", "\"priority\": \"5\""),
            first + ".priority: a whole number is expected, not a text");
    refused(changed("\"priority\": 5", "\"priority\": 5.5"), first + ".priority: a whole number is expected");
    refused(changed("\"sender\": true", "\"sender\": 1"),
            first + ".sender: true or false is expected, not a whole number");
    refused(changed("\"messages\": 3", "\"messages\": []"),
            first + ".messages: a whole number is expected, not a list");
    refused(changed("\"name\": \"Two\"", "\"name\": \"One\""), "incoming_mail_servers[1].name: \"One\" is the name of");
    refused(changed("\"name\": \"Sales\"", "\"name\": \"Support\""), "queues[1].name: two queues have the name");
    refused(changed("\"name\": \"Two\", ", ""), "incoming_mail_servers[1].name: is missing");
    refused(changed(", \"email_server\": \"Two\"", ""), "numbers_addresses[0].email_server: is missing");
    refused(changed("{\"file\": \"secret.txt\"}", "{\"file\": \"gone.txt\"}"), incoming + ".secret: cannot read ");
    refused(changed("{\"file\": \"secret.txt\"}", "{\"env\": \"HOST_TEST_NOT_SET\"}"),
            incoming + ".secret: the environment variable HOST_TEST_NOT_SET is not set");
    refused(changed("{\"file\": \"secret.txt\"}", "{\"env\": \"A\", \"file\": \"b\"}"),
            incoming + ".secret: a secret is");
    refused(changed("{\"file\": \"secret.txt\"}", "{\"flie\": \"b\"}"), incoming + ".secret.flie: unknown key");
    refused(changed("{\"file\": \"secret.txt\"}", "12"), incoming + ".secret: a text, {\"env\"");
    CPPUNIT_ASSERT_THROW(configurator::read_configuration(scratch_.path() / "gone.json", types_), ConfigurationError);
  }

  void tells_every_fault_of_a_file_at_once() {
    std::string text = changed("\"priority\": 5", "\"priority\": \"x\"");
    text.replace(text.find("\"sender\": true"), 14, "\"sender\": \"y\"");
    host_test::write_file(file_, text);
    try {
      configurator::read_configuration(file_, types_);
      CPPUNIT_FAIL("accepted");
    } catch (const ConfigurationError& error) {
      CPPUNIT_ASSERT_EQUAL(std::size_t{2}, error.problems().size());
      assert_contains(error.problems()[0], file_.string() + ":11: ");
    }
  }

  void refuses_two_queues_on_one_folder() {
    std::string text = changed("\"email_account\": \"real@x\"", "\"email_account\": \"A@x\"");
    CPPUNIT_ASSERT_EQUAL(std::size_t{2}, read(text).queues[0].addresses.size());  // another folder
    text.replace(text.find("\"Claims\""), 8, "\"Inbox\"");
    refused(text,
            "queue_management.queues[0].numbers_addresses[1]: reads the folder \"Inbox\" of A@x, which "
            "queue_management.queues[0].numbers_addresses[0] reads already");
  }

  void secrets_come_from_text_environment_and_file() {
    ::setenv("HOST_TEST_SECRET", "from the environment", 1);
    const auto secret = [&](const std::string& how) {
      return *read(changed("{\"file\": \"secret.txt\"}", how)).incoming[0].settings.find("secret");
    };
    CPPUNIT_ASSERT_EQUAL(std::string("literal"), secret("\"literal\""));
    CPPUNIT_ASSERT_EQUAL(std::string("from the environment"), secret("{\"env\": \"HOST_TEST_SECRET\"}"));
    CPPUNIT_ASSERT_EQUAL(std::string("s3cret"), secret("{\"file\": \"secret.txt\"}"));
    host_test::write_file(scratch_.path() / "secret.txt", "\r\n");
    refused(kGood, "is empty; put the secret into it");
  }

  void warns_of_secrets_others_can_read() {
    read(kGood);
    ::chmod(file_.c_str(), 0644);
    const Configuration open = configurator::read_configuration(file_, types_);
    CPPUNIT_ASSERT_EQUAL(std::size_t{1}, open.warnings.size());  // email_password stands in it
    assert_contains(open.warnings[0],
                    "numbers_addresses[1].email_password: this secret stands in a file that others can read");
    CPPUNIT_ASSERT(open.warnings[0].find("pw\"") == std::string::npos);
    ::chmod(file_.c_str(), 0600);
    ::chmod((scratch_.path() / "secret.txt").c_str(), 0644);
    assert_contains(configurator::read_configuration(file_, types_).warnings.at(0), "others can read the file");
  }

  void a_secret_file_is_read_anew() {
    const Configuration configuration = read(kGood);
    host_test::write_file(scratch_.path() / "secret.txt", "repaired");
    CPPUNIT_ASSERT_EQUAL(std::string("repaired"), configuration.incoming[0].settings.secret("secret")->read());
    CPPUNIT_ASSERT(configuration.incoming[0].settings.secret("address") == nullptr);
  }

  void outgoing_can_be_switched_off() {
    CPPUNIT_ASSERT(!read(changed("\"enable\": true", "\"enable\": false")).outgoing->enabled);
    const auto warned = read(changed("\"answer\": \"\"", "\"secret\": \"x\", \"set_password\": false"));
    CPPUNIT_ASSERT(warned.warnings.empty());  // this form has no password
  }

  void an_address_to_send_from_needs_no_server() {
    const Configuration configuration = read(changed(
        "\"email_account\": \"0a1b2c3d-0000-4000-8000-00000000000f\", \"email_server\": \"Two\"", "\"sender\": true"));
    CPPUNIT_ASSERT(!configuration.queues[1].addresses[0].server.has_value());
  }

  void knows_what_names_a_mailbox() {
    CPPUNIT_ASSERT(configurator::names_mailbox("a@b"));
    CPPUNIT_ASSERT(configurator::names_mailbox("0A1b2c3d-0000-4000-8000-00000000000f"));
    CPPUNIT_ASSERT(!configurator::names_mailbox("0A1b2c3d-0000-4000-8000-00000000000g"));
    CPPUNIT_ASSERT(!configurator::names_mailbox("Support"));
    CPPUNIT_ASSERT(!configurator::names_mailbox(""));
  }

  void draws_the_form() {
    const auto form = configurator::form_of(*plugins_->server_type("fake", MAILPLUGIN_INCOMING));
    const std::string text = configurator::render(form, 80);
    assert_contains(text, "Fake (incoming)  (fake.incoming)\n\nServer\n  Address ");
    assert_contains(text, "[URL, required]");
    assert_contains(text, "Where nobody lives.");
    assert_contains(text, "\nMailbox (Queues > Numbers/Addresses)\n  Messages ");
    assert_contains(text, "[number, default: 0]");
    assert_contains(text, "( ) plain");
    assert_contains(text, "shown when Messages is 1");
    const Json json = configurator::to_json(form);
    CPPUNIT_ASSERT_EQUAL(std::size_t{6}, json.find("fields")->items().size());
    CPPUNIT_ASSERT_EQUAL(
        std::string(R"({"key":"secret","label":"Secret","help":"","type":"secret","scope":"server","required":false,)"
                    R"("advanced":false,"default":null,"choices":[],"shown_if":null})"),
        json.find("fields")->items()[1].dump());
  }
};
CPPUNIT_TEST_SUITE_REGISTRATION(ConfigurationTest);

}  // namespace
